"""Name servers on loopback, each with a zone of its own: what it says of each name."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import cast

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from probes import dns as probe

# By name: addresses ("" = the name exists and has none), "ALIAS name" before them, a response code, SILENT, or LOST
# before them: the first question of each type is lost on the way. "*" stands for every other name.
Zone = Mapping[str, str]
RCODES = frozenset(dns.rcode.Rcode.__members__)
TYPES = {"A": 4, "AAAA": 6}


class Server(asyncio.DatagramProtocol):
    def __init__(self, zone: Zone, delay: float) -> None:
        self.zone, self.delay = zone, delay
        self.asked: list[tuple[str, str]] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, peer: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        name = query.question[0].name.to_text(omit_final_dot=True)
        type_ = dns.rdatatype.to_text(query.question[0].rdtype)
        words = self.zone.get(name, self.zone.get("*", "NXDOMAIN")).split()
        again = (name, type_) in self.asked
        self.asked.append((name, type_))
        if "SILENT" in words or ("LOST" in words and not again):
            return
        said = answer(query, [w for w in words if w != "LOST"], type_)
        asyncio.get_running_loop().call_later(self.delay, self.transport.sendto, said, peer)


def answer(query: dns.message.Message, words: Sequence[str], type_: str) -> bytes:
    response, owner = dns.message.make_response(query, recursion_available=True), query.question[0].name
    assert isinstance(response, dns.message.QueryMessage)
    if words and words[0] in RCODES:
        response.set_rcode(dns.rcode.from_text(words[0]))
        return response.to_wire()
    if words and words[0] == "ALIAS":
        response.answer.append(dns.rrset.from_text(owner, 60, "IN", "CNAME", words[1] + "."))
        owner, words = dns.name.from_text(words[1]), words[2:]
    wanted = [w for w in words if (6 if ":" in w else 4) == TYPES.get(type_)]
    if wanted:
        response.answer.append(dns.rrset.from_text(owner, 60, "IN", type_, *wanted))
    return response.to_wire()


@asynccontextmanager
async def name_servers(
    monkeypatch: pytest.MonkeyPatch, *zones: Zone, delays: Sequence[float] = ()
) -> AsyncIterator[dict[str, Server]]:
    """One for each zone, by address: 127.0.0.2 and on; all on one port, which the probe is told."""
    loop, servers = asyncio.get_running_loop(), dict[str, Server]()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        monkeypatch.setattr(probe, "PORT", port)
        async with AsyncExitStack() as stack:
            for i, zone in enumerate(zones):
                server = Server(zone, delays[i] if i < len(delays) else 0.0)
                address = f"127.0.0.{i + 2}"
                transport, _ = await loop.create_datagram_endpoint(lambda s=server: s, local_addr=(address, port))  # type: ignore[misc]
                stack.callback(transport.close)
                servers[address] = server
            yield servers

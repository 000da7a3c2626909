"""A name server for tests, with a zone that may change while it runs.

As a program, one that knows every name and takes its time: `python -m tests.netlab.dns_answerer LISTEN A AAAA`. Each
line on standard input is a delay in seconds for the questions from then on, and is answered by a line when it is in
force. It ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar, cast

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

PORT = 53
TTL = 60  # seconds
SOA = ". hostmaster.netlab. 1 3600 600 86400 60"
EVERY = "*"
T = TypeVar("T")

Trouble = Literal["NXDOMAIN", "SERVFAIL", "silence"]


@dataclass
class Zone:
    """What it says. The keys are names without their last dot, or EVERY for those that are not named.

    `names`: their addresses, IPv4 and IPv6. A name that is not there does not exist.
    """

    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    trouble: Mapping[str, Trouble] = field(default_factory=dict)
    delay: float = 0.0

    def answer(self, query: bytes) -> bytes | None:
        """What to send back; None: nothing. A type that is not known has no records, which is an answer too."""
        question = dns.message.from_wire(query)
        asked = question.question[0]
        name = asked.name.to_text(omit_final_dot=True).lower()
        trouble = _of(self.trouble, name)
        if trouble == "silence":
            return None
        response = dns.message.make_response(question, recursion_available=True)
        known = _of(self.names, name)
        if trouble or (known is None and asked.rdtype not in ROOT):
            response.set_rcode(dns.rcode.from_text(trouble or "NXDOMAIN"))
        elif data := _records(asked.rdtype, known or ()):
            response.answer.append(dns.rrset.from_text(asked.name, TTL, "IN", asked.rdtype, *data))
        return response.to_wire()


ROOT = {dns.rdatatype.NS: "ns.netlab.", dns.rdatatype.SOA: SOA}


def _of(table: Mapping[str, T], name: str) -> T | None:
    return table.get(name, table.get(EVERY))


def _records(kind: dns.rdatatype.RdataType, addresses: tuple[str, ...]) -> list[str]:
    families = {dns.rdatatype.A: [a for a in addresses if ":" not in a]}
    families[dns.rdatatype.AAAA] = [a for a in addresses if ":" in a]
    return families.get(kind, [ROOT[kind]] if kind in ROOT else [])


class Answerer(asyncio.DatagramProtocol):
    """Answers from `zone`, which may be replaced."""

    def __init__(self, zone: Zone) -> None:
        self.zone = zone

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)  # which Python 3.11 does not derive it from

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if (said := self.zone.answer(data)) is not None:
            asyncio.get_running_loop().call_later(self.zone.delay, self._transport.sendto, said, addr)


async def listen(address: str, zone: Zone) -> Answerer:
    """One that answers on that address until the loop ends."""
    loop = asyncio.get_running_loop()
    _, answerer = await loop.create_datagram_endpoint(lambda: Answerer(zone), local_addr=(address, PORT))
    return answerer


async def serve(address: str, *addresses: str) -> None:
    answerer = await listen(address, Zone({EVERY: addresses}))
    while line := await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline):
        answerer.zone.delay = float(line)
        print("in force", flush=True)


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:]))

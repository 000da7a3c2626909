"""stun: round trips to a real coturn, and NATs of each kind as a server sees them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from aioice.stun import Class, Message

from probes.ice_servers import IceServer
from probes.join import stun
from probes.join.errand import Errand, NeedlessError
from probes.profile import MediaHost, Profile
from probes.turn_wire import parse
from tests.probes.join import servers
from tests.probes.join.servers import outcome
from tests.turn_server import PROGRAM, RunningTurn, Turn, turn_server

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="coturn is not installed")

AT = "127.0.0.5"
Mapped = str | None  # "ADDRESS:PORT" that the server claims to see; None: the true one


@pytest.fixture(scope="module")
def coturn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTurn]:
    with turn_server(tmp_path_factory.mktemp("turn"), Turn(address=AT)) as running:
        yield running


def errand(*asked: int, host: str = AT, relays: tuple[IceServer, ...] = (), seconds: float = 1.0) -> Errand:
    media = tuple(MediaHost(host, port) for port in asked)
    return servers.errand(Profile(media=media), seconds, ice_servers=relays)


async def test_a_server_that_sees_the_true_address(coturn: RunningTurn):
    wanted = errand(coturn.port)
    assert await outcome(stun.step, wanted) == ("ok", "")
    assert wanted.m.facts == {"asked": 1, "answered": 1, "mapped": "same", "nat": "no"}
    assert 0 < wanted.m.values["stun_rtt_seconds"] < 0.1


@pytest.mark.parametrize("relay", [True, False])
async def test_the_rooms_servers_are_asked_too(coturn: RunningTurn, relay: bool):
    by_udp, by_tcp = IceServer(AT, coturn.port, "udp", relay), IceServer(AT, coturn.port + 1, "tcp", relay)
    wanted = errand(relays=(by_udp, by_tcp))
    await outcome(stun.step, wanted)
    assert wanted.m.facts["asked"] == wanted.m.facts["answered"] == 1


async def test_silence_is_no_failure():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
        mute.bind(("127.0.0.1", 0))
        wanted = errand(mute.getsockname()[1], host="127.0.0.1", seconds=0.5)
        assert await outcome(stun.step, wanted) == ("ok", "")
    assert wanted.m.unknown == {"stun_rtt_seconds": "no STUN server answered"}
    assert wanted.m.facts == {"asked": 1, "answered": 0}


async def test_a_name_without_an_address_is_not_asked():
    wanted = errand(3478, host="lost.invalid", seconds=0.5)
    wanted.found.addresses["lost.invalid"] = ()
    await outcome(stun.step, wanted)
    assert wanted.m.facts == {"asked": 1, "answered": 0}


@pytest.mark.parametrize("media", [(), (MediaHost(AT, None),)])
async def test_nobody_to_ask(media: tuple[MediaHost, ...]):
    with pytest.raises(NeedlessError):
        await stun.step(servers.errand(Profile(media=media)))


class Claiming(asyncio.DatagramProtocol):
    """A STUN server beyond a NAT: it sees an address that is not the asker's. It answers each time but the first."""

    def __init__(self, mapped: Mapped) -> None:
        self.mapped, self.asked = mapped, 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        request = parse(data)
        self.asked += 1
        if request is None or self.asked == 1:
            return
        host, _, port = (self.mapped or "").rpartition(":")
        seen = (host, int(port)) if self.mapped else addr
        answer = Message(request.message_method, Class.RESPONSE, request.transaction_id, {"XOR-MAPPED-ADDRESS": seen})
        self.transport.sendto(bytes(answer), addr)  # type: ignore[attr-defined]


@asynccontextmanager
async def claiming(*mapped: Mapped) -> AsyncIterator[list[int]]:
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        ports = []
        for one in mapped:
            transport, _ = await loop.create_datagram_endpoint(lambda m=one: Claiming(m), local_addr=(AT, 0))  # type: ignore[misc]
            stack.callback(transport.close)
            ports.append(transport.get_extra_info("sockname")[1])
        yield ports


A, B, C = "198.51.100.1:1000", "198.51.100.1:2000", "198.51.100.2:1000"


@pytest.mark.parametrize(
    ("mapped", "nat", "symmetric"),
    [
        ((None, None), "no", None),
        ((A,), "yes", None),
        ((A, A), "yes", False),
        ((A, B), "yes", True),
        ((A, C, A), "yes", True),
        ((None, A), "yes", None),  # the first is on this side of the NAT
        ((None, A, A), "yes", False),
    ],
)
async def test_what_the_servers_see_of_a_nat(mapped: tuple[Mapped, ...], nat: str, symmetric: bool | None):
    async with claiming(*mapped) as ports:
        wanted = errand(*ports)
        assert await outcome(stun.step, wanted) == ("ok", "")
    assert wanted.m.facts["answered"] == len(mapped)
    assert wanted.m.facts["nat"] == nat
    assert wanted.m.facts.get("symmetric_nat") is symmetric
    assert wanted.m.values["stun_rtt_seconds"] < 0.1  # the one that was lost has no part in it

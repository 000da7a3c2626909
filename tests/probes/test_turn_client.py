"""STUN and TURN from this side: a real coturn's answers, and what strangers may send."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest
from aioice.turn import create_turn_endpoint

from probes.turn_client import bindings
from probes.turn_wire import Unanswered, datagrams
from tests.probes.turn_middle import BAD, GOOD, LO, Change, Middle, asked, middle, rewritten
from tests.turn_server import PROGRAM, RunningTurn, Turn, rest_credentials, turn_server

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="coturn is not installed")

ROOMS = {
    "plain": Turn(address="127.0.0.3"),
    "secret": Turn(address="127.0.0.3", secret="a shared one"),
    "open": Turn(address="127.0.0.3", user=None),
    "no_relays": Turn(address="127.0.0.3", options=("--no-udp-relay",)),
    "one_each": Turn(address="127.0.0.3", options=("--user-quota=1", *(f"--user={who}:not-secret" for who in "abc"))),
    "one_port": Turn(address="127.0.0.3", relay_ports=(50123, 50123)),
    "elsewhere": Turn(address="127.0.0.3", options=("--alternate-server=127.0.0.4:3478",)),
}


@pytest.fixture(scope="module")
def coturn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], RunningTurn]]:
    """Each kind is started once, when it is first asked for."""
    with ExitStack() as stack:
        running: dict[str, RunningTurn] = {}

        def get(kind: str) -> RunningTurn:
            if kind not in running:
                running[kind] = stack.enter_context(turn_server(tmp_path_factory.mktemp("turn"), ROOMS[kind]))
            return running[kind]

        yield get


Start = Callable[[str], RunningTurn]


# ---- a real server ----------------------------------------------------------------------------------------------

SECRET, ENDED, FORGED = (
    rest_credentials("a shared one"),
    rest_credentials("a shared one", -60),
    rest_credentials("another"),
)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize(
    ("kind", "who", "outcome", "code"),
    [
        ("plain", GOOD, "ok", None),
        ("plain", BAD, "unauthorized", 401),
        ("plain", ("nobody", "not-secret"), "unauthorized", 401),
        ("plain", ("", ""), "unauthorized", 401),
        ("secret", SECRET, "ok", None),
        ("secret", ENDED, "unauthorized", 401),
        ("secret", FORGED, "unauthorized", 401),
        ("open", ("", ""), "ok", None),
        ("open", GOOD, "ok", None),
        ("no_relays", GOOD, "error", 442),
        ("elsewhere", GOOD, "alternate", 300),
    ],
)
async def test_what_coturn_says(
    coturn: Start, transport: str, kind: str, who: tuple[str, str], outcome: str, code: int | None
):
    turn = coturn(kind)
    found = await asked(transport, (turn.address, turn.port), who)
    assert (found.outcome, found.code) == (outcome, code)
    assert found.seconds is not None
    assert 0 < found.seconds < 1


@pytest.mark.parametrize(("kind", "outcome", "code"), [("one_each", "quota", 486), ("one_port", "error", 508)])
async def test_a_server_that_has_nothing_left(coturn: Start, kind: str, outcome: str, code: int):
    turn = coturn(kind)
    server = (turn.address, turn.port)
    holder, _ = await create_turn_endpoint(asyncio.DatagramProtocol, server, *GOOD)
    try:
        found = await asked("udp", server)
        assert (found.outcome, found.code) == (outcome, code)
    finally:
        holder.close()


async def freed(server: tuple[str, int], who: tuple[str, str]) -> bool:
    """Does this user's only place become free? Coturn takes a second."""
    until = time.monotonic() + 3
    while time.monotonic() < until:
        if (await asked("udp", server, who)).outcome == "ok":
            return True
        await asyncio.sleep(0.1)
    return False


async def test_nothing_stays_at_the_server(coturn: Start):
    turn = coturn("one_each")
    server = (turn.address, turn.port)
    lost: Change = lambda data, up, n: None if not up and n == 1 else data  # noqa: E731 - the answer that gives the relay
    async with middle(server, lost) as between:
        broken_off = asyncio.create_task(asked("udp", between, ("c", "not-secret")))
        await asyncio.sleep(0.15)
        broken_off.cancel()
        with pytest.raises(asyncio.CancelledError):
            await broken_off
        await asyncio.sleep(0.05)
    for transport, who in (("udp", "a"), ("tcp", "b")):
        assert (await asked(transport, server, (who, "not-secret"))).outcome == "ok"
    assert await asyncio.gather(*(freed(server, (who, "not-secret")) for who in "abc")) == [True] * 3


async def test_without_a_password_it_is_enough_that_it_answers(coturn: Start):
    for kind, code in (("plain", 401), ("open", None), ("elsewhere", 300)):
        turn = coturn(kind)
        found = await asked("udp", (turn.address, turn.port), ("", ""), needed=False)
        assert (found.outcome, found.code) == ("alternate" if code == 300 else "ok", code)


# ---- a path that loses, and one that lies -----------------------------------------------------------------------


async def test_what_is_lost_is_sent_again(coturn: Start):
    turn = coturn("plain")
    async with middle((turn.address, turn.port), lambda data, up, n: None if up and n in (0, 2) else data) as between:
        found = await asked("udp", between)
    assert found.outcome == "ok"
    assert found.seconds is not None
    assert 0.5 <= found.seconds < 0.9


@pytest.mark.parametrize(("times", "outcome", "code"), [(1, "ok", None), (2, "error", 438)])
async def test_a_nonce_that_has_grown_stale_is_renewed_once(coturn: Start, times: int, outcome: str, code: int | None):
    turn = coturn("plain")

    def spoil(data: bytes, up: bool, before: int) -> bytes:
        return data if up or before >= times else rewritten(data, NONCE=b"stale")

    async with middle((turn.address, turn.port), spoil) as between:
        found = await asked("udp", between)
    assert (found.outcome, found.code) == (outcome, code)


async def test_a_server_that_forbids(coturn: Start):
    turn = coturn("no_relays")  # coturn's own word for it is 442

    def forbid(data: bytes, up: bool, before: int) -> bytes:
        return data if up or before != 1 else rewritten(data, **{"ERROR-CODE": (403, "Forbidden")})

    async with middle((turn.address, turn.port), forbid) as between:
        found = await asked("udp", between)
    assert (found.outcome, found.code) == ("forbidden", 403)


async def test_a_relay_that_nobody_signed_is_not_believed(coturn: Start):
    turn = coturn("plain")

    def unsigned(data: bytes, up: bool, before: int) -> bytes:
        return data if up or before == 0 else rewritten(data)

    async with middle((turn.address, turn.port), unsigned) as between:
        assert (await asked("udp", between, seconds=0.6)).outcome == "blocked"


async def test_a_port_without_a_server_refuses_at_once():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    begun = time.monotonic()
    assert (await asked("udp", ("127.0.0.1", port))).outcome == "refused"
    assert time.monotonic() - begun < 0.2


async def test_silence_ends_at_the_deadline():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
        mute.bind(("127.0.0.1", 0))
        begun = time.monotonic()
        assert (await asked("udp", mute.getsockname(), seconds=0.8)).outcome == "blocked"
        assert 0.8 <= time.monotonic() - begun < 1.0
        mute.setblocking(False)
        assert len([mute.recv(2048) for _ in range(3)]) == 3  # at 0, 250 and 750 ms
        with pytest.raises(BlockingIOError):
            mute.recv(2048)


async def test_a_link_without_that_kind_of_address():
    with pytest.raises(Unanswered) as error:
        await datagrams(replace(LO, addresses=("127.0.0.1",)), socket.AF_INET6, ("::1", 3478))
    assert error.value.outcome == "unreachable"


# ---- bindings ---------------------------------------------------------------------------------------------------


async def test_a_binding_tells_the_own_address_and_the_round_trip(coturn: Start):
    turn = coturn("plain")
    way = await datagrams(LO, socket.AF_INET)
    try:
        came = await bindings(way, (turn.address, turn.port), time.monotonic() + 1)
    finally:
        way.close()
    assert [s.address for s in came] == [way.own] * 3
    assert all(0 < s.seconds < 0.1 for s in came)


async def test_a_late_answer_counts_with_its_own_time(coturn: Start):
    turn = coturn("plain")
    loop = asyncio.get_running_loop()

    class Slow(Middle):
        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            loop.call_later(0.2, super().datagram_received, data, addr)

    change: Change = lambda data, _up, _n: data  # noqa: E731
    transport, _ = await loop.create_datagram_endpoint(
        lambda: Slow((turn.address, turn.port), change), local_addr=("127.0.0.1", 0)
    )
    way = await datagrams(LO, socket.AF_INET)
    came = await bindings(way, transport.get_extra_info("sockname"), time.monotonic() + 1.5)
    way.close()
    transport.close()
    assert len(came) == 3
    assert all(0.4 <= s.seconds < 0.5 for s in came)  # longer than the pause after which it is asked again

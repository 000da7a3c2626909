"""Real name servers on loopback: prompt, slow, silent, and wrong in every way that a datagram can be."""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import cast

import pytest

from probes import dns, own_traffic
from probes.dns import Answer, Question, lookup_seconds, questions
from probes.session import Draft, Start
from tests.probes.echoing import sound
from tests.probes.rooms import errand, link

DEADLINE, GAP = 0.4, 0.05
A, AAAA = 1, 28
Reply = tuple[float, bytes]  # after so many seconds
Behaviour = Callable[[bytes, int], list[Reply]]  # a question, and how many came before it


def reply(question: bytes, rcode: int = 0, flags: int = 0x8180) -> bytes:
    """The question sent back as an answer (RFC 1035, section 4.1)."""
    return question[:2] + struct.pack("!H", flags | rcode) + question[4:6] + bytes(6) + question[12:]


def type_of(question: bytes) -> int:
    return int(struct.unpack("!H", question[-4:-2])[0])


def prompt(q: bytes, _: int) -> list[Reply]:
    return [(0, reply(q))]


def late(q: bytes, _: int) -> list[Reply]:
    return [(0.15, reply(q))]


def late_at_first(q: bytes, before: int) -> list[Reply]:
    """Nothing in its cache: both kinds of address take their time once."""
    return [(0.15 if before < 2 else 0, reply(q))]


def silent(_: bytes, __: int) -> list[Reply]:
    return []


def garbage(q: bytes, _: int) -> list[Reply]:
    return [(0, b""), (0, b"\xff" * 40), (0, q[:11]), (0, q), (0, bytes(600))]


def garbage_first(q: bytes, n: int) -> list[Reply]:
    return [*garbage(q, n), (0.05, reply(q))]


def wrong_id(q: bytes, _: int) -> list[Reply]:
    return [(0, bytes([q[0] ^ 1]) + reply(q)[1:])]


def other_question(q: bytes, _: int) -> list[Reply]:
    changed = reply(q)
    return [(0, changed[:13] + bytes([changed[13] ^ 1]) + changed[14:])]


def truncated(q: bytes, _: int) -> list[Reply]:
    return [(0, reply(q, flags=0x8380))]


def cut_off(q: bytes, _: int) -> list[Reply]:
    """It announces five records and holds half of one."""
    whole = bytearray(reply(q, flags=0x8380))
    whole[7] = 5
    return [(0, bytes(whole) + b"\xc0\x0c\x00")]


def servfail(q: bytes, _: int) -> list[Reply]:
    return [(0, reply(q, 2))]


def refused(q: bytes, _: int) -> list[Reply]:
    return [(0, reply(q, 5)[:12].replace(q[4:6], b"\0\0"))]  # without the question, as some do


def no_aaaa(q: bytes, n: int) -> list[Reply]:
    return [] if type_of(q) == AAAA else prompt(q, n)


class Server(asyncio.DatagramProtocol):
    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour, self.asked = behaviour, 0
        self.peers: set[tuple[str, int]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, peer: tuple[str, int]) -> None:
        loop = asyncio.get_running_loop()
        for delay, said in self.behaviour(data, self.asked):
            loop.call_later(delay, self.transport.sendto, said, peer)
        self.asked += 1
        self.peers.add(peer)


@asynccontextmanager
async def serving(address: str, behaviour: Behaviour) -> AsyncIterator[Server]:
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(lambda: Server(behaviour), local_addr=(address, dns.PORT))
    yield server
    transport.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns, "PORT", 5353)
    monkeypatch.setattr(dns, "DEADLINE_S", DEADLINE)
    monkeypatch.setattr(dns, "LONGEST_GAP_S", GAP)


async def found(*behaviours: Behaviour, host: str = "room.example", stop_after: float | None = None) -> Draft:
    """What the probe says of as many servers, 127.0.0.2 and on."""
    addresses = [f"127.0.0.{i + 2}" for i in range(len(behaviours))]
    async with AsyncExitStack() as stack:
        for address, behaviour in zip(addresses, behaviours, strict=True):
            await stack.enter_async_context(serving(address, behaviour))
        session = errand(f"https://{host}:8443", link=link(resolvers=tuple(addresses)), seconds=1)
        if stop_after is not None:
            asyncio.get_running_loop().call_later(stop_after, session.stop.set)
        return sound(await asyncio.wait_for(dns.probe(session), 3))


# behaviour, seconds of a lookup from and to, share without an answer, response codes
ANSWERED: list[tuple[Behaviour, float, float, float, tuple[str, ...]]] = [
    (prompt, 0.0, 0.08, 0, ("NOERROR",)),
    (late, 0.15, 0.25, 0, ("NOERROR",)),
    (late_at_first, 0.0, 0.1, 0, ("NOERROR",)),
    (garbage_first, 0.05, 0.13, 0, ("NOERROR",)),
    (truncated, 0.0, 0.08, 0, ("NOERROR",)),
    (cut_off, 0.0, 0.08, 0, ("NOERROR",)),
    (servfail, 0.0, 0.08, 0, ("SERVFAIL",)),
    (refused, 0.0, 0.08, 0, ("REFUSED",)),
    (no_aaaa, 0.0, 0.08, 0.5, ("NOERROR",)),
]


@pytest.mark.parametrize(("behaviour", "low", "high", "failed", "rcodes"), ANSWERED)
async def test_a_server_that_answers(
    behaviour: Behaviour, low: float, high: float, failed: float, rcodes: tuple[str, ...]
) -> None:
    draft = await found(behaviour)
    assert draft.failure is None
    assert low <= draft.values["dns_lookup_seconds"] <= high
    assert draft.values["dns_failed_ratio"] == failed
    assert draft.facts == {"resolvers": 1, "answered": 1, "rcodes": rcodes}


@pytest.mark.parametrize("behaviour", [silent, garbage, wrong_id, other_question])
async def test_a_server_that_does_not(behaviour: Behaviour) -> None:
    begun = time.monotonic()
    draft = await found(behaviour)
    assert draft.failure is not None
    assert draft.failure.code == "dns_timeout"
    assert not draft.values
    assert draft.unknown.keys() == {"dns_lookup_seconds", "dns_failed_ratio"}
    assert DEADLINE < time.monotonic() - begun < DEADLINE + 2 * GAP + 0.4


async def test_nobody_listens() -> None:
    session = errand("https://room.example", link=link(resolvers=("127.0.0.9",)))
    begun = time.monotonic()
    draft = sound(await dns.probe(session))
    assert draft.failure is not None
    assert draft.failure.code == "dns_timeout"
    assert time.monotonic() - begun < DEADLINE  # ICMP says so at once


@pytest.mark.parametrize(
    ("servers", "known", "failed", "answered"),
    [
        ((prompt, silent), True, 0.5, 1),
        ((silent, prompt), False, 0.5, 1),
        ((prompt, late, servfail), True, 0.0, 3),
        ((late, prompt), True, 0.0, 2),
    ],
)
async def test_several_servers(servers: tuple[Behaviour, ...], known: bool, failed: float, answered: int) -> None:
    draft = await found(*servers)
    assert draft.failure is None
    assert ("dns_lookup_seconds" in draft.values) is known
    assert draft.values["dns_failed_ratio"] == failed
    assert (draft.facts["resolvers"], draft.facts["answered"]) == (len(servers), answered)
    if servers[0] is late:  # the one that is asked first counts
        assert draft.values["dns_lookup_seconds"] >= 0.15


@pytest.mark.parametrize(
    "changes",
    [
        {"resolvers": ()},
        {"resolvers": ("10.0.0.1",)},  # not by loopback
        {"resolvers": ("::1",)},  # no address of that family
        {"resolvers": ("127.0.0.53",), "addresses": ("10.0.0.2",)},  # a stub on this computer belongs to no link
    ],
)
async def test_nobody_to_ask(changes: dict[str, tuple[str, ...]]) -> None:
    start = Start(2, patience=30)
    waiting = asyncio.create_task(start.together())
    draft = sound(await dns.probe(errand("https://room.example", link=link(**changes), start=start)))
    assert draft.failure is not None
    assert draft.failure.code == "dns_no_resolver"
    assert draft.unknown
    await asyncio.wait_for(waiting, 1)  # the others need not wait for it


async def test_every_question_comes_from_the_link_by_a_port_of_its_own() -> None:
    before = own_traffic.total("lo")
    async with serving("127.0.0.2", prompt) as server:
        await dns.probe(errand("https://room.example", link=link(resolvers=("127.0.0.2",))))
    assert server.asked == 2 * dns.ROUNDS
    assert {host for host, _ in server.peers} == {"127.0.0.1"}
    assert len(server.peers) == server.asked
    after = own_traffic.total("lo")
    assert after.sent_packets - before.sent_packets == server.asked == after.received_packets - before.received_packets
    assert after.sent_bytes - before.sent_bytes == server.asked * (28 + 12 + len("room.example") + 2 + 4)


async def test_asked_to_stop() -> None:
    begun = time.monotonic()
    draft = await found(silent, stop_after=0.1)
    assert time.monotonic() - begun < 0.3
    assert draft.failure is not None
    assert draft.failure.code == "interrupted"
    assert all("stopped" in why for why in draft.unknown.values())


async def test_an_address_needs_no_name_server_but_the_meeting_does() -> None:
    draft = await found(prompt, host="192.0.2.1")
    assert draft.values["dns_failed_ratio"] == 0


@pytest.mark.parametrize(
    ("host", "asked"),
    [
        ("room.example", (Question("room.example.", "A"), Question("room.example.", "AAAA"))),
        ("möte.example", (Question("xn--mte-sna.example.", "A"), Question("xn--mte-sna.example.", "AAAA"))),
        ("192.0.2.1", (Question(".", "NS"),)),
        ("fe80::1%eth0", (Question(".", "NS"),)),
        (".".join(["a" * 60] * 5), (Question(".", "NS"),)),
    ],
)
def test_questions(host: str, asked: tuple[Question, ...]) -> None:
    assert questions(host) == asked


NONE = Answer()


@pytest.mark.parametrize(
    ("rounds", "seconds"),
    [
        ([], None),
        ([(NONE,), (NONE,)], None),
        ([(Answer(0.9),), (Answer(0.02),), (Answer(0.04),)], 0.04),
        ([(Answer(0.01), Answer(0.3))] * 3, 0.3),
        ([(Answer(0.01), NONE)] * 3, 0.01),
        ([(NONE, NONE), (Answer(0.01), NONE), (NONE, Answer(0.03))], 0.02),
    ],
)
def test_lookup_seconds(rounds: list[tuple[Answer, ...]], seconds: float | None) -> None:
    assert lookup_seconds(rounds) == (None if seconds is None else pytest.approx(seconds))


def test_all_of_it_ends_within_six_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert dns.LONGEST_GAP_S * (dns.ROUNDS - 1) + dns.DEADLINE_S <= 5.5

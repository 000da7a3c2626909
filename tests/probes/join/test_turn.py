"""turn: a real coturn by UDP, TCP and TLS, what may stand in its place, and what is made of it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from probes.ice_servers import Transport, parse
from probes.join import turn
from probes.join.errand import Errand, NeedlessError, Proxy
from probes.profile import MediaHost, Profile
from tests.probes.join import servers
from tests.probes.join.servers import (
    GOOD,
    STRANGER,
    Authority,
    answering,
    closing,
    nothing,
    outcome,
    proxy,
    refusing,
    serving,
    silent,
)
from tests.turn_server import PROGRAM, Certificate, RunningTurn, Turn, turn_server

pytestmark = [
    pytest.mark.skipif(PROGRAM is None, reason="coturn is not installed"),
    pytest.mark.usefixtures("good_is_trusted"),
]

AT = "127.0.0.4"
NAME = "relay.example"
SHORT = 1.2  # seconds for a step in which something is silent
garbage = answering(b"HTTP/1.1 400 Bad Request\r\n\r\n")
ALL: tuple[Transport, ...] = ("udp", "tcp", "tls")


def pair(by: Authority = GOOD, days: tuple[float, float] = (-1, 1)) -> Certificate:
    begins, ends = (datetime.now(UTC) + timedelta(days=d) for d in days)
    made = by.ca.issue_cert(AT, NAME, not_before=begins, not_after=ends)
    return Certificate(b"".join(p.bytes() for p in made.cert_chain_pems), made.private_key_pem.bytes())


@pytest.fixture(scope="module")
def coturn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTurn]:
    with turn_server(tmp_path_factory.mktemp("turn"), Turn(address=AT, certificate=pair())) as running:
        yield running


def errand(
    relays: list[Any] | None = None, media: tuple[MediaHost, ...] = (), seconds: float = 3.0, **found: Any
) -> Errand:
    return servers.errand(Profile(media=media), seconds, ice_servers=parse(relays or []), **found)


def relays(*uris: str, password: str = "not-secret") -> list[Any]:
    return [{"urls": list(uris), "username": "anna", "credential": password}]


def timed(wanted: Errand) -> set[str]:
    """The transports that have a time; the others that were asked have a reason instead."""
    assert not set(wanted.m.values) & set(wanted.m.unknown)
    assert all(0 < seconds < 1 for seconds in wanted.m.values.values())
    return {name.split("_")[2] for name in wanted.m.values}


# ---- a good server ----------------------------------------------------------------------------------------------


async def test_a_relay_by_every_transport(coturn: RunningTurn):
    wanted = errand(coturn.ice_servers())
    assert await outcome(turn.step, wanted) == ("ok", "")
    assert wanted.m.facts == {f"relay_{t}": "ok" for t in ALL}
    assert timed(wanted) == set(ALL)
    assert not wanted.m.unknown


async def test_the_service_is_there_when_it_wants_a_password(coturn: RunningTurn):
    wanted = errand(media=(MediaHost(AT, coturn.port, coturn.port, coturn.tls_port),))
    assert await outcome(turn.step, wanted) == ("ok", "")
    assert wanted.m.facts == {f"service_{t}": "ok" for t in ALL}
    assert timed(wanted) == set(ALL)


async def test_names_are_those_of_the_dns_step(coturn: RunningTurn):
    known = {"media.example": (AT,), NAME: (AT,)}
    media = (MediaHost("media.example", coturn.port, None, None), MediaHost("lost.example", coturn.port, None, None))
    wanted = errand(coturn.ice_servers(NAME), media, addresses=known)
    assert await outcome(turn.step, wanted) == ("ok", "")
    assert timed(wanted) == set(ALL)


async def test_a_name_that_the_dns_step_did_not_find_is_its_affair(coturn: RunningTurn):
    wanted = errand(media=(MediaHost("lost.example", coturn.port, None, None),))
    assert await outcome(turn.step, wanted) == ("ok", "")
    assert wanted.m.facts == {"service_udp": "no_name"}
    assert list(wanted.m.unknown) == ["turn_allocation_udp_seconds"]


async def test_of_two_addresses_the_one_that_answers(coturn: RunningTurn):
    known = {NAME: ("::1", AT)}
    assert await outcome(turn.step, errand(coturn.ice_servers(NAME), addresses=known)) == ("ok", "")


async def test_by_the_proxy_where_there_is_one(tmp_path: Path):
    with turn_server(tmp_path, Turn(address="127.0.0.1")) as behind:
        async with proxy() as (port, targets):
            wanted = errand(
                relays(f"turn:127.0.0.9:{behind.port}?transport=tcp", f"turn:127.0.0.9:{behind.port}"),
                proxy=Proxy("127.0.0.1", port),
            )
            assert (await outcome(turn.step, wanted))[0] == "turn_udp_blocked"
    assert wanted.m.facts == {"relay_udp": "refused", "relay_tcp": "ok"}
    assert targets == [f"127.0.0.9:{behind.port}"]


@pytest.mark.parametrize("changes", [{}, {"media": (MediaHost("m.example", None, None, None),)}])
async def test_nobody_to_ask(changes: dict[str, Any]):
    with pytest.raises(NeedlessError):
        await turn.step(errand(**changes))


async def test_stun_only_servers_are_not_asked_for_a_relay():
    with pytest.raises(NeedlessError):
        await turn.step(errand([{"urls": f"stun:{AT}:3478"}]))


async def test_no_link():
    wanted = errand(relays(f"turn:{AT}:3478"))
    wanted.session = replace(wanted.session, link=None)
    with pytest.raises(NeedlessError):
        await turn.step(wanted)


# ---- what may go wrong, in the room's relay and in the service's -------------------------------------------------


class Ports:
    """Real ports in a relay's place, by a word for what is there."""

    def __init__(self, stack: AsyncExitStack, good: RunningTurn) -> None:
        self._stack, self._good = stack, good

    async def at(self, transport: Transport, word: str) -> tuple[str, int]:
        if word == "ok":
            return AT, self._good.tls_port if transport == "tls" else self._good.port
        if word == "refused":
            return "127.0.0.1", self._stack.enter_context(refusing())
        if word == "blocked":
            return "127.0.0.1", self._mute() if transport == "udp" else self._stack.enter_context(silent())
        talk = {"garbage": garbage, "closed": closing, "mute": nothing}.get(word, garbage)
        context = _context(word) if transport == "tls" else None
        return AT, await self._stack.enter_async_context(serving(talk, context, AT))

    def _mute(self) -> int:
        sock = self._stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _context(word: str) -> ssl.SSLContext | None:
    if word == "plain":
        return None
    by, days = (STRANGER if word == "stranger" else GOOD), ((-9, -1) if word == "expired" else (-1, 9))
    return by.context("other.example" if word == "name" else AT, days=days)


RELAYS = [
    # udp, tcp, tls in the relay's place -> the remark, and the facts
    ("blocked refused refused", "turn_unreachable", "blocked refused refused"),
    ("refused refused refused", "turn_unreachable", "refused refused refused"),
    ("blocked blocked blocked", "turn_unreachable", "blocked blocked blocked"),
    ("blocked closed closed", "turn_unreachable", "blocked closed closed"),
    ("blocked mute mute", "turn_unreachable", "blocked silent silent"),
    ("blocked ok ok", "turn_udp_blocked", "blocked ok ok"),
    ("blocked blocked ok", "turn_udp_blocked", "blocked blocked ok"),
    ("refused blocked ok", "turn_udp_blocked", "refused blocked ok"),
    ("ok refused blocked", "ok", "ok refused blocked"),
    ("ok ok stranger", "turn_intercepted", "ok ok intercepted"),
    ("ok ok name", "turn_intercepted", "ok ok intercepted"),
    ("ok ok garbage", "turn_intercepted", "ok ok intercepted"),
    ("ok garbage ok", "turn_intercepted", "ok intercepted ok"),
    ("ok ok plain", "turn_intercepted", "ok ok intercepted"),
    ("blocked blocked stranger", "turn_intercepted", "blocked blocked intercepted"),
    ("blocked garbage refused", "turn_intercepted", "blocked intercepted refused"),
    ("ok ok expired", "ok", "ok ok certificate"),
    ("blocked refused expired", "turn_failed", "blocked refused certificate"),
]


async def relays_at(coturn: RunningTurn, places: str) -> tuple[str, str]:
    """What is said of these, and the facts."""
    async with AsyncExitStack() as stack:
        ports = Ports(stack, coturn)
        udp, tcp, tls = [await ports.at(t, w) for t, w in zip(ALL, places.split(), strict=True)]
        uris = (f"turn:{udp[0]}:{udp[1]}", f"turn:{tcp[0]}:{tcp[1]}?transport=tcp", f"turns:{tls[0]}:{tls[1]}")
        wanted = errand(relays(*uris), seconds=SHORT)
        code, _ = await outcome(turn.step, wanted)
    facts = [wanted.m.facts[f"relay_{t}"] for t in ALL]
    assert timed(wanted) == {t for t, word in zip(ALL, facts, strict=True) if word == "ok"}
    assert len(wanted.m.values) + len(wanted.m.unknown) == 3
    return code, " ".join(map(str, facts))


async def test_what_is_said_of_the_rooms_relays(coturn: RunningTurn):
    """All at once: most of it is waiting."""
    said = await asyncio.gather(*(relays_at(coturn, places) for places, _, _ in RELAYS))
    assert {row[0]: found for row, found in zip(RELAYS, said, strict=True)} == {row[0]: row[1:] for row in RELAYS}


SERVICE = [
    ("ok ok ok", "ok", "ok ok ok"),
    ("blocked blocked blocked", "media_unreachable", "blocked blocked blocked"),
    ("refused garbage stranger", "media_unreachable", "refused intercepted intercepted"),
    ("blocked ok refused", "udp_blocked", "blocked ok refused"),
    ("blocked blocked garbage", "udp_blocked", "blocked blocked other"),  # HTTPS with its own certificate: it is there
    ("ok blocked stranger", "ok", "ok blocked intercepted"),
]


async def service_at(coturn: RunningTurn, places: str) -> tuple[str, str]:
    """The same of media hosts, one a transport."""
    async with AsyncExitStack() as stack:
        ports = Ports(stack, coturn)
        at = [await ports.at(t, w) for t, w in zip(ALL, places.split(), strict=True)]
        none: dict[str, Any] = dict.fromkeys(f"{t}_port" for t in ALL)
        media = tuple(MediaHost(host, **none | {f"{t}_port": port}) for t, (host, port) in zip(ALL, at, strict=True))
        wanted = errand(media=media, seconds=SHORT)
        code, _ = await outcome(turn.step, wanted)
    return code, " ".join(str(wanted.m.facts[f"service_{t}"]) for t in ALL)


async def test_what_is_said_of_the_services_media_host(coturn: RunningTurn):
    said = await asyncio.gather(*(service_at(coturn, places) for places, _, _ in SERVICE))
    assert {row[0]: found for row, found in zip(SERVICE, said, strict=True)} == {row[0]: row[1:] for row in SERVICE}


async def test_a_wrong_password(coturn: RunningTurn):
    wanted = errand(relays(*coturn.uris(), password="wrong"))
    code, detail = await outcome(turn.step, wanted)
    assert (code, detail) == ("turn_unauthorized", "udp unauthorized; tcp unauthorized; tls unauthorized")
    assert wanted.m.facts["relay_udp_code"] == 401
    assert timed(wanted) == set()


async def test_the_services_fault_goes_before_the_relays(coturn: RunningTurn):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
        mute.bind(("127.0.0.1", 0))
        media = (MediaHost("127.0.0.1", mute.getsockname()[1], None, None), MediaHost(AT, None, coturn.port, None))
        wanted = errand(relays(*coturn.uris(), password="wrong"), media, SHORT)
        assert (await outcome(turn.step, wanted))[0] == "udp_blocked"


async def test_every_wait_ends_with_the_step(coturn: RunningTurn):
    """A server that says who it is, and nothing more."""

    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far = await asyncio.open_connection(AT, coturn.port)
        far[1].write(await reader.read(2048))
        writer.write(await far[0].read(2048))
        far[1].close()
        with contextlib.suppress(OSError):
            await nothing(reader, writer)

    async with serving(half) as port:
        wanted = errand(relays(f"turn:127.0.0.1:{port}?transport=tcp"), seconds=0.5)
        assert await outcome(turn.step, wanted) == ("turn_unreachable", "tcp silent")

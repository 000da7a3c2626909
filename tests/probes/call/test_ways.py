"""The call by each way: a firewall in a namespace blocks each caller's better ones, coturn relays, the room echoes.

Several callers at once, each with an address of its own, as many as two cores bear.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from probes import call
from probes.session import Draft
from testroom.calls import CallSettings
from testroom.calls.turn import Turn as Relays
from testroom.server import RoomSettings, TestRoom
from tests.netlab.namespaces import Namespace, new_namespace, unavailable
from tests.probes.rooms import errand, link
from tests.turn_server import RunningTurn, Turn, certificate, turn_server

WHY_NOT = unavailable() or (None if shutil.which("nft") and shutil.which("turnserver") else "needs nft and coturn")
pytestmark = [pytest.mark.netlab, pytest.mark.slow, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "")]

RELAY, ROOM = "127.0.0.2", "127.0.0.5"
SECRET = "a secret that both know"
PAIR = certificate(RELAY)
NO_DIRECT = f"ip daddr {ROOM} meta l4proto udp drop"
NO_UDP = f"ip daddr {RELAY} udp dport 3478 drop"
NO_TCP = f"ip daddr {RELAY} tcp dport 3478 drop"
LARGE = f"ip daddr {ROOM} meta l4proto udp @th,64,8 128-191 meta length > 650 drop"


@dataclass(frozen=True)
class Caller:
    """Its rules concern what it sends itself. `secret`: of the room that it calls; None: that room names no relay."""

    address: str
    rules: tuple[str, ...] = ()
    secret: str | None = SECRET


@dataclass(frozen=True)
class Called:
    draft: Draft
    seconds: float


@pytest.fixture(scope="module")
def space() -> Iterator[Namespace]:
    with new_namespace("ways") as made:
        yield made


@pytest.fixture(scope="module")
def relay(space: Namespace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTurn]:
    folder = tmp_path_factory.mktemp("relay")
    settings = Turn(address=RELAY, port=3478, tls_port=443, secret=SECRET, certificate=PAIR)
    with turn_server(folder, settings, space) as running:
        yield running


@contextmanager
def blocked(space: Namespace, callers: Iterable[Caller]) -> Iterator[None]:
    """What a caller sends and fits one of its rules is lost."""
    rules = [f"ip saddr {caller.address} {rule}" for caller in callers for rule in caller.rules]
    lines = ["table inet fault {", "chain out {", "type filter hook output priority 0", *rules, "}", "}"]
    done = space.run(["sh", "-c", 'printf "%s\\n" "$@" | nft -f -', "nft", *lines], sysfs=False)
    assert done.returncode == 0, done.stderr
    try:
        yield
    finally:
        space.run(["nft", "delete table inet fault"], sysfs=False)


def called(space: Namespace, relay: RunningTurn, callers: Mapping[str, Caller]) -> dict[str, Called]:
    """All of them at once."""

    async def one(caller: Caller) -> Called:
        relays = Relays(tuple(relay.uris()), caller.secret.encode()) if caller.secret else None
        begun = time.monotonic()
        async with TestRoom(RoomSettings(calls=CallSettings(address=ROOM, turn=relays))) as room:
            by = link(addresses=(caller.address,))
            draft = await call.probe(errand(room.url, link=by, seconds=1.0, deadline=begun + 12))
            return Called(draft, time.monotonic() - begun)

    async def work() -> dict[str, Called]:
        return dict(zip(callers, await asyncio.gather(*map(one, callers.values())), strict=True))

    with blocked(space, callers.values()):
        return space.call(lambda: asyncio.run(work()))


def carried(draft: Draft, way: str) -> None:
    assert draft.failure is None
    pair = "host/host" if way == "direct" else "relay/host"
    assert (draft.facts["media_path"], draft.facts["candidate_pair"]) == (way, pair)
    assert draft.facts["call_carries"] == "video"
    assert draft.values["call_frames_per_second"] >= 24
    assert draft.values["call_setup_seconds"] < 1
    assert draft.values["first_media_seconds"] < 1.8 + 0.3  # the last way is begun after 1.4 s


def no_way_left(call: Called) -> None:
    failure, facts = call.draft.failure, call.draft.facts
    assert failure is not None
    assert (failure.code, failure.step) == ("ice_failed", "ice")
    assert "turn_tls: no place on the relay" in failure.detail
    assert (facts["media_path"], facts["call_carries"]) == ("none", "nothing")
    assert call.seconds < 8


def test_the_best_way_that_is_open_carries_it(space: Namespace, relay: RunningTurn) -> None:
    """A relay whose certificate nobody here trusts is none, nor is one that does not know our password."""
    callers = {
        "direct": Caller("127.0.1.1"),
        "turn_udp": Caller("127.0.1.2", (NO_DIRECT,)),
        "certificate": Caller("127.0.1.3", (NO_DIRECT, NO_UDP, NO_TCP)),
        "password": Caller("127.0.1.4", (NO_DIRECT,), "another secret altogether"),
    }
    found = called(space, relay, callers)
    for way in ("direct", "turn_udp"):
        carried(found[way].draft, way)
    for wrong in ("certificate", "password"):
        no_way_left(found[wrong])


def test_without_udp_and_without_large_packets(
    space: Namespace, relay: RunningTurn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By TCP and TLS there is all of it; where large packets are lost, sound only."""
    (tmp_path / "ca.pem").write_bytes(PAIR.authority or b"")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    callers = {
        "turn_tcp": Caller("127.0.2.1", (NO_DIRECT, NO_UDP)),
        "turn_tls": Caller("127.0.2.2", (NO_DIRECT, NO_UDP, NO_TCP)),
        "small": Caller("127.0.2.3", (LARGE,), None),
    }
    found = called(space, relay, callers)
    for way in ("turn_tcp", "turn_tls"):
        carried(found[way].draft, way)
    small = found["small"].draft
    assert small.failure is None
    assert small.facts["call_carries"] == "sound_only"
    assert "sound_alone_gap_ratio" not in small.facts  # there was no need
    assert small.values["call_frames_per_second"] < 7
    assert small.values["call_audio_gap_ratio"] < 0.1

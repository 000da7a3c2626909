"""The call by each way in turn: a firewall in a namespace blocks the better ones, coturn relays, the room echoes."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from probes import call
from probes.session import Draft
from testroom.call_turn import Turn as Relays
from testroom.echo_call import CallSettings
from testroom.server import RoomSettings, TestRoom
from tests.netlab.namespaces import Namespace, new_namespace, unavailable
from tests.probes.rooms import errand, link
from tests.turn_server import RunningTurn, Turn, certificate, turn_server

WHY_NOT = unavailable() or (None if shutil.which("nft") and shutil.which("turnserver") else "needs nft and coturn")
pytestmark = [pytest.mark.netlab, pytest.mark.slow, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "")]

RELAY, ROOM = "127.0.0.2", "127.0.0.5"
SECRET = "a secret that both know"
PAIR = certificate(RELAY)
NO_DIRECT = f"ip daddr {ROOM} ip saddr 127.0.0.1 meta l4proto udp drop"
NO_UDP = f"ip daddr {RELAY} udp dport 3478 drop"
NO_TCP = f"ip daddr {RELAY} tcp dport 3478 drop"
LARGE = f"ip saddr 127.0.0.1 ip daddr {ROOM} meta l4proto udp @th,64,8 128-191 meta length > 650 drop"


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
def blocked(space: Namespace, *rules: str) -> Iterator[None]:
    """What leaves any socket in there and fits a rule is lost."""
    lines = ["table inet fault {", "chain out {", "type filter hook output priority 0", *rules, "}", "}"]
    done = space.run(["sh", "-c", 'printf "%s\\n" "$@" | nft -f -', "nft", *lines], sysfs=False)
    assert done.returncode == 0, done.stderr
    try:
        yield
    finally:
        space.run(["nft", "delete table inet fault"], sysfs=False)


def called(space: Namespace, relay: RunningTurn | None, secret: str = SECRET) -> Draft:
    relays = Relays(tuple(relay.uris()), secret.encode()) if relay else None

    async def work() -> Draft:
        async with TestRoom(RoomSettings(calls=CallSettings(address=ROOM, turn=relays))) as room:
            return await call.probe(errand(room.url, link=link(), seconds=1.5, deadline=time.monotonic() + 12))

    return space.call(lambda: asyncio.run(work()))


@pytest.mark.parametrize(
    ("way", "pair", "rules"),
    [
        ("direct", "host/host", ()),
        ("turn_udp", "relay/host", (NO_DIRECT,)),
        ("turn_tcp", "relay/host", (NO_DIRECT, NO_UDP)),
        ("turn_tls", "relay/host", (NO_DIRECT, NO_UDP, NO_TCP)),
    ],
)
def test_the_best_way_that_is_open_carries_it(
    way: str,
    pair: str,
    rules: tuple[str, ...],
    space: Namespace,
    relay: RunningTurn,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "ca.pem").write_bytes(PAIR.authority or b"")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with blocked(space, *rules):
        draft = called(space, relay)
    assert draft.failure is None
    assert (draft.facts["media_path"], draft.facts["candidate_pair"]) == (way, pair)
    assert draft.facts["call_carries"] == "video"
    assert draft.values["call_frames_per_second"] >= 24
    assert draft.values["call_setup_seconds"] < 1
    assert draft.values["first_media_seconds"] < 1.8 + 0.3  # the last way is begun after 1.4 s


@pytest.mark.parametrize("wrong", ["certificate", "password"])
def test_no_way_is_left(wrong: str, space: Namespace, relay: RunningTurn) -> None:
    """A relay whose certificate nobody here trusts is none, nor is one that does not know our password."""
    begun = time.monotonic()
    with blocked(space, NO_DIRECT, *((NO_UDP, NO_TCP) if wrong == "certificate" else ())):
        draft = called(space, relay, SECRET if wrong == "certificate" else "another secret altogether")
    assert draft.failure is not None
    assert (draft.failure.code, draft.failure.step) == ("ice_failed", "ice")
    assert "turn_tls: no place on the relay" in draft.failure.detail
    assert (draft.facts["media_path"], draft.facts["call_carries"]) == ("none", "nothing")
    assert time.monotonic() - begun < 8


def test_where_large_packets_are_lost_there_is_sound_only(space: Namespace) -> None:
    with blocked(space, LARGE):
        draft = called(space, None)
    assert draft.failure is None
    assert draft.facts["call_carries"] == "sound_only"
    assert draft.values["call_frames_per_second"] < 7
    assert draft.values["call_audio_gap_ratio"] < 0.1

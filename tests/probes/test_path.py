"""The path probe against a real room on loopback, and everything that may go wrong around it."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from probes import flow as flows
from probes import gateway, mtu, path, room, walk
from probes.session import ProbeFailure, Session, Start
from testroom.limits import Limits
from testroom.server import RoomSettings, TestRoom
from tests.probes.echoing import end_sessions, sound
from tests.probes.rooms import errand, link, server

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "LATE_S", 0.15)
    monkeypatch.setattr(path, "ALONE_S", 0.4)


def home(**changes: object) -> object:
    """A link whose gateway is this computer."""
    return link(**({"gateway": "127.0.0.1", "mtu_bytes": 65536} | changes))


async def test_a_sound_way(far: TestRoom) -> None:
    draft = sound(await path.probe(errand(far.url, seconds=0.7, link=home())))
    assert draft.failure is None
    assert (draft.values["path_loss_ratio"], draft.values["path_hops"]) == (0, 0)
    if mtu.UP in draft.values:
        assert (draft.values[mtu.UP], draft.values[mtu.DOWN]) == (1500, 1500)
        assert draft.facts["mtu_black_hole"] == "none"
        assert "mtu_search" not in draft.facts
    if draft.facts["gateway_asked_by"] == "icmp":
        assert draft.values["gateway_loss_ratio"] == 0
        assert 0 < draft.values["gateway_rtt_p50_seconds"] < 0.1
    assert 10_000 < draft.facts["moved_bytes"] < 60_000
    assert {n for n in draft.values if "ci95" not in n} | draft.unknown.keys() == set(path.NAMES)
    assert len(far.sessions) == 0


async def test_without_a_gateway_the_rest_is_measured(far: TestRoom) -> None:
    for changes in ({"link": None}, {"link": link()}):
        draft = sound(await path.probe(errand(far.url, seconds=0.4, **changes)))
        assert draft.failure is None
        assert {draft.unknown[name] for name in gateway.NAMES} == {gateway.NO_GATEWAY}
        assert draft.facts["gateway_asked_by"] == "none"
        assert draft.values["path_loss_ratio"] == 0


async def test_a_plain_reflector(far: TestRoom) -> None:
    draft = sound(await path.probe(errand(f"stamp://127.0.0.1:{far.stamp_port}", seconds=0.5)))
    assert draft.failure is None
    assert (draft.values["path_loss_ratio"], draft.values["path_hops"]) == (0, 0)
    assert draft.values.get(mtu.DOWN, 1500) == 1500


async def test_where_errors_cannot_be_heard_and_sizes_not_held(far: TestRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows and macOS."""
    monkeypatch.setattr(flows.sys, "platform", "darwin")
    draft = sound(await path.probe(errand(far.url, seconds=0.4)))
    assert draft.failure is None
    assert draft.values["path_hops"] == 0
    assert "hops" not in draft.facts
    assert draft.unknown[mtu.UP] == mtu.NOT_HERE


async def test_a_room_that_limits_is_not_a_loss() -> None:
    async with TestRoom(RoomSettings(limits=Limits(packets_per_second=5))) as narrow:
        draft = sound(await path.probe(errand(narrow.url, seconds=1.6)))
    assert draft.failure is None
    assert "room" in draft.unknown["path_loss_ratio"]


# ---- what goes wrong ----------------------------------------------------------------------------------------------


def gateway_stands(draft: path.Draft) -> bool:
    """Was the first router measured, or is there a reason other than the room's absence?"""
    if draft.facts["gateway_asked_by"] == "icmp":
        return draft.values["gateway_loss_ratio"] == 0
    return draft.unknown["gateway_loss_ratio"] == gateway.NOT_PERMITTED


async def test_no_room_there_and_the_gateway_stands_beside() -> None:
    with closing(socket.socket()) as sock:
        sock.bind(("127.0.0.1", 0))
        url = f"https://127.0.0.1:{sock.getsockname()[1]}"
    draft = sound(await path.probe(errand(url, seconds=60, link=home())))
    assert draft.failure is not None
    assert draft.failure.code == "room_refused_connection"
    assert gateway_stands(draft)
    assert draft.unknown["path_loss_ratio"] == "the room was not reached"
    assert draft.duration_s < 2


async def test_a_room_that_says_nothing() -> None:
    async with server(None, None) as port:
        draft = sound(await path.probe(errand(f"https://127.0.0.1:{port}", seconds=60, link=home())))
    assert draft.failure is not None
    assert draft.failure.code == "room_unreachable"
    assert gateway_stands(draft)


@pytest.mark.parametrize("silent", [True, False])
async def test_udp_to_the_room_is_blocked(silent: bool) -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"stamp://127.0.0.1:{taken.getsockname()[1]}"
        if not silent:
            taken.close()
        draft = sound(await path.probe(errand(url, seconds=0.6, link=home())))
    assert draft.failure is not None
    assert (draft.failure.code, draft.failure.detail) == ("no_reply", "" if silent else "its port is closed")
    assert gateway_stands(draft)
    assert {n for n in draft.unknown if n.startswith("path")} == {"path_loss_ratio", "path_hops", *mtu.NAMES}


async def test_a_session_that_ends_in_the_middle(far: TestRoom) -> None:
    ending = asyncio.create_task(end_sessions(far, 0.3))
    draft = sound(await path.probe(errand(far.url, seconds=0.8)))
    await ending
    assert draft.failure is not None
    assert draft.failure.code == "session_expired"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"addresses": ()}, "link_no_address"),
        ({"carrier": False}, "link_no_address"),
        ({"name": "nosuch0"}, "link_not_bound"),
        ({"addresses": ("192.0.2.7",)}, "link_not_bound"),
    ],
)
async def test_a_link_that_carries_nothing(far: TestRoom, changes: dict[str, object], code: str) -> None:
    session = errand(far.url, link=link(**changes), start=Start(2))
    draft = sound(await asyncio.wait_for(path.probe(session), 5))
    assert draft.failure is not None
    assert draft.failure.code == code
    assert await asyncio.wait_for(session.start.together(), 1), "nobody waits for it"


async def test_a_search_that_is_cut_short_says_so(far: TestRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mtu, "SPACING_NS", 10**9)
    draft = sound(await path.probe(errand(far.url, seconds=0.4)))
    assert mtu.UP in draft.unknown or "not finished" in draft.facts["mtu_search"]


async def test_interrupted(far: TestRoom) -> None:
    session = errand(far.url, seconds=30, link=home(), deadline=time.monotonic() + 60)
    running = asyncio.create_task(path.probe(session))
    await asyncio.sleep(0.8)
    session.stop.set()
    draft = sound(await asyncio.wait_for(running, 2))
    assert draft.failure is None
    assert draft.facts["interrupted"] is True
    assert draft.values["path_loss_ratio"] < 0.2
    assert len(far.sessions) == 0


async def test_the_deadline_ends_it(far: TestRoom) -> None:
    session = errand(far.url, seconds=30, deadline=time.monotonic() + 0.5)
    draft = sound(await asyncio.wait_for(path.probe(session), 3))
    assert draft.facts["interrupted"] is True


async def test_cancelled(far: TestRoom) -> None:
    running = asyncio.create_task(path.probe(errand(far.url, seconds=30, deadline=time.monotonic() + 60)))
    await asyncio.sleep(0.5)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(running, 2)


async def test_what_breaks_the_thread_is_a_defect(far: TestRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> Iterator[int]:
        raise ZeroDivisionError

    monkeypatch.setattr(walk, "_steady", broken)
    with pytest.raises(ZeroDivisionError):
        await path.probe(errand(far.url))


async def test_a_clock_that_is_set_meanwhile(far: TestRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "CLOCK_STEP_NS", -1)
    draft = sound(await path.probe(errand(far.url, seconds=0.5, link=home())))
    assert "clock" in draft.unknown["gateway_rtt_p50_seconds"]
    if draft.facts["gateway_asked_by"] == "icmp":
        assert draft.values["gateway_loss_ratio"] == 0


# ---- the data budget ----------------------------------------------------------------------------------------------

BUDGETS = {  # bytes, seconds, then packets a second and whether sizes are tried
    "plenty": (5e6, 6, 50, True),
    "a tethered link's": (3e5, 6, 50, True),
    "a tethered link's, for a minute": (3e5, 60, 5.03, True),
    "little": (1.5e5, 6, 43.1, False),
    "hardly any": (4e4, 6, 3.6, False),
}


def asked(budget: float, seconds: float) -> Session:
    return errand("stamp://127.0.0.1", budget_bytes=budget, seconds=seconds)


@pytest.mark.parametrize(("budget", "seconds", "rate", "sizes"), BUDGETS.values(), ids=BUDGETS)
def test_a_plan_within_the_budget(budget: float, seconds: float, rate: float, sizes: bool) -> None:
    plan = path.plan_for(asked(budget, seconds))
    assert (plan.per_second, plan.sizes) == (pytest.approx(rate, rel=0.02), sizes)


async def test_a_budget_of_nothing(far: TestRoom) -> None:
    with pytest.raises(ProbeFailure, match="budget_spent"):
        path.plan_for(asked(0, 6))
    draft = sound(await path.probe(errand(far.url, budget_bytes=0)))
    assert draft.failure is not None
    assert draft.failure.code == "budget_spent"


async def test_little_is_moved_on_a_little_budget(far: TestRoom) -> None:
    draft = sound(await path.probe(errand(far.url, seconds=1, budget_bytes=45_000, link=home())))
    assert 1_000 < draft.facts["moved_bytes"] < 45_000
    assert draft.unknown[mtu.UP] == "the data budget leaves no room for it"


# ---- control connections ------------------------------------------------------------------------------------------


async def test_control_connections_ask_for_small_segments(far: TestRoom) -> None:
    """Whether they survive a black hole, tests/netlab/test_path_probe.py shows."""
    made: list[socket.socket] = []
    async with room._http(room.parse_room(far.url), None, made) as http, http.get("/v1/sessions/none"):
        assert made[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG) <= room.SEGMENT_BYTES

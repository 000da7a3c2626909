"""The echo probe, whole: against a real room on loopback."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from probes import echo, sender
from probes.room import parse_room
from probes.session import Floor, Progress, Start
from testroom.server import TestRoom
from tests.probes.echoing import code_of, one_sided, sound
from tests.probes.relay import Pattern, relay
from tests.probes.rooms import errand

pytestmark = pytest.mark.usefixtures("quick")

# ---- a measurement ------------------------------------------------------------------------------------------------


async def test_a_meeting_on_loopback(far: TestRoom) -> None:
    seen: list[Progress] = []
    session = errand(far.url, seconds=0.6, progress=seen.append, floor=Floor(0.0001, 0.00001))
    draft = sound(await echo.probe(session))
    assert draft.failure is None
    sent = 30 + 2 * 18  # sound every 20 ms, and two packets for each of 18 frames
    values = draft.values
    assert values["packets_sent"] == values["packets_reflected"] == values["packets_received"] == sent
    zero = ("loss_up_ratio", "loss_down_ratio", "loss_ratio", "duplicate_up_ratio", "reordered_down_ratio")
    assert [values[name] for name in zero] == [0] * 5
    assert 0 <= values["rtt_min_seconds"] <= values["rtt_p50_seconds"] < 0.005
    assert values["rtt_floor_seconds"] == 0.0001
    assert values.keys() >= {
        "jitter_up_seconds", "ipdv_down_p95_seconds", "pdv_up_p99_seconds", "mos_up", "mos_down", "late_up_ratio",
        "burst_loss_down_ratio", "send_error_p99_seconds", "sends_missed_ratio",
    }  # fmt: skip
    assert values["mos_up"] > 4
    assert draft.unknown == {}
    assert (draft.facts["traffic"], draft.facts["room"], draft.facts["interrupted"]) == ("meeting", "test room", False)
    assert draft.facts["stamps"] == ("kernel" if sys.platform == "linux" else "program")
    assert len(session.traces["loopback"].trips) == sent
    assert [p.fraction for p in seen] == sorted(p.fraction for p in seen)
    assert seen[-1].sent > 0
    assert len(far.sessions) == 0


async def test_isochronous(far: TestRoom) -> None:
    draft = sound(await echo.probe(errand(far.url, seconds=0.3, isochronous_interval=0.01)))
    assert draft.facts["traffic"] == "isochronous"
    assert draft.values["packets_received"] == 30
    assert draft.unknown.keys() == {"rtt_floor_seconds", "jitter_floor_seconds"}


async def test_plain_stamp_knows_no_direction_of_copies(far: TestRoom) -> None:
    draft = sound(await echo.probe(errand(f"stamp://127.0.0.1:{far.stamp_port}")))
    assert draft.failure is None
    assert draft.facts["room"] == "plain STAMP"
    assert "room_clock_offset_seconds" not in draft.facts
    assert draft.values["loss_up_ratio"] == 0
    assert {"duplicate_up_ratio", "duplicate_down_ratio"} <= draft.unknown.keys()


@pytest.mark.parametrize(
    ("budget", "traffic", "more", "less"),
    [(1e6, "meeting", 65, 67), (40_000, "meeting, less video: data budget", 32, 60)],
)
async def test_a_budget_makes_less_video(far: TestRoom, budget: float, traffic: str, more: int, less: int) -> None:
    session = errand(far.url, seconds=0.6, budget_bytes=budget)
    draft = sound(await echo.probe(session))
    assert draft.facts["traffic"] == traffic
    assert more <= draft.values["packets_sent"] <= less
    sizes = [t.size for t in session.traces["loopback"].trips]
    assert sizes.count(172) == 30
    assert 2 * sum(sizes) <= budget
    assert draft.facts["moved_bytes"] == sum(2 * (size + 28) for size in sizes)


@pytest.mark.parametrize(("budget", "sent"), [(2 * 172 * 60, 60), (2 * 172 * 50, 50), (2 * 172 * 49, 0), (0, 0)])
async def test_a_smaller_budget_makes_less_sound_but_a_second(far: TestRoom, budget: float, sent: int) -> None:
    draft = await echo.probe(errand(far.url, seconds=1.2, budget_bytes=budget))
    assert draft.values.get("packets_sent", 0) == sent
    assert (draft.failure.code if draft.failure else None) == (None if sent else "budget_spent")


async def test_losses_stand_in_their_direction(far: TestRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    with relay(far.stamp_port, Pattern(drop={4, 5}), Pattern(drop={10})) as port:
        far.stamp_port = port  # what the room tells its callers
        draft = sound(await echo.probe(errand(far.url, seconds=0.3, isochronous_interval=0.01)))
    assert (draft.values["loss_up_ratio"], draft.values["loss_down_ratio"]) == (2 / 30, 1 / 28)
    assert draft.values["mos_up"] < 4.4


# ---- the clock ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step_ns", "stepped"), [(0, False), (1_000_000, False), (3_600_000_000_000, True), (-20_000_000, True)]
)
async def test_a_clock_that_is_set_spoils_times_but_not_counts(
    far: TestRoom, monkeypatch: pytest.MonkeyPatch, step_ns: int, stepped: bool
) -> None:
    real, calls = sender._clock_offset_ns, []

    def offset() -> int:
        calls.append(1)
        return real() + step_ns * (len(calls) > 1)

    monkeypatch.setattr(sender, "_clock_offset_ns", offset)
    draft = sound(await echo.probe(errand(far.url)))
    assert draft.failure is None
    assert draft.values["loss_ratio"] == 0
    assert draft.values["packets_received"] > 0
    for name in ("rtt_p95_seconds", "jitter_up_seconds", "mos_down", "late_up_ratio", "send_error_p99_seconds",
                 "sends_missed_ratio", "rtt_mean_seconds"):  # fmt: skip
        assert (name in draft.unknown) is stepped
        assert (name in draft.values) is not stepped


# ---- stopping -----------------------------------------------------------------------------------------------------


async def test_stop_in_the_middle_keeps_what_was_measured(far: TestRoom) -> None:
    stop = asyncio.Event()
    session = errand(far.url, seconds=30, stop=stop)
    asyncio.get_running_loop().call_later(0.4, stop.set)
    begun = time.monotonic()
    draft = sound(await echo.probe(session))
    assert time.monotonic() - begun < 2
    assert draft.facts["interrupted"] is True
    assert draft.failure is None
    assert draft.values["loss_ratio"] == 0
    assert draft.values["sends_missed_ratio"] < 0.9
    assert len(far.sessions) == 0


async def test_stop_before_the_first_packet(far: TestRoom) -> None:
    stop = asyncio.Event()
    stop.set()
    assert await code_of(far.url, stop=stop) == "interrupted"


async def test_the_deadline_stops_it(far: TestRoom) -> None:
    begun = time.monotonic()
    draft = sound(await echo.probe(errand(far.url, seconds=30, deadline=begun + 0.5)))
    assert time.monotonic() - begun < 2
    assert draft.values["packets_received"] > 5


async def test_cancelling_leaves_nothing_behind(far: TestRoom) -> None:
    def state() -> tuple[int, set[str]]:
        files = len(list(Path("/proc/self/fd").iterdir())) if sys.platform == "linux" else 0
        return files, {t.name for t in threading.enumerate() if not t.name.startswith("asyncio")}

    await echo.probe(errand(far.url, seconds=0.1))
    before = state()
    running = asyncio.create_task(echo.probe(errand(far.url, seconds=30)))
    await asyncio.sleep(0.4)
    assert {t.name for t in threading.enumerate()} >= {"sender"}
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await asyncio.sleep(0.2)  # the server's side of the connection
    assert state() == before
    assert len(far.sessions) == 0


async def test_a_defect_is_not_taken_for_the_networks(far: TestRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(echo.loss, "values", broken)
    with pytest.raises(ZeroDivisionError):
        await echo.probe(errand(far.url, seconds=0.1))


# ---- together -----------------------------------------------------------------------------------------------------


async def test_a_probe_that_fails_early_holds_up_no_other(far: TestRoom) -> None:
    start = Start(2, patience=30)
    failing = errand(f"https://127.0.0.1:{far.port}#sha256={'00' * 32}", start=start)
    working = errand(far.url, start=start)
    begun = time.monotonic()
    drafts = await asyncio.gather(echo.probe(failing), echo.probe(working))
    assert time.monotonic() - begun < 3
    assert drafts[0].failure is not None
    assert drafts[1].failure is None


async def test_two_links_share_their_seconds(far: TestRoom) -> None:
    start = Start(2)
    sessions = [errand(far.url, start=start), errand(replace(parse_room(far.url)), start=start)]
    await asyncio.gather(*(echo.probe(s) for s in sessions))
    one, other = (s.traces["loopback"].trips for s in sessions)
    assert abs(one[0].planned_ns - other[0].planned_ns) < 1_000_000


# ---- the floor ----------------------------------------------------------------------------------------------------


async def test_the_floor(far: TestRoom) -> None:
    session = errand(far.url, isochronous_interval=0.005)
    await echo.probe(session)
    floor = echo.floor_of(session.traces["loopback"])
    assert floor is not None
    assert 0 < floor.rtt_seconds < 0.005
    assert 0 <= floor.jitter_seconds < 0.01
    assert echo.floor_of(one_sided(5, 0)) is None

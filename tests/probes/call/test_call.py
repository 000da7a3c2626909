"""The call against a real room on loopback, and what becomes of it when one of its ends dies, hangs or is stopped."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import psutil
import pytest

from probes import call
from probes.call import NAMES
from probes.session import Draft, Progress, Session
from testroom import certificate
from testroom.calls import CallSettings
from testroom.certificate import Pair
from testroom.server import RoomSettings, TestRoom
from tests.probes.rooms import at, errand, granted, link, server

FACTS = {
    "media_path", "candidate_pair", "audio_codec", "video_codec", "frame_size", "frames_damaged", "call_carries",
    "computer_busy_ratio", "moved_bytes", "link_chosen_by", "stopped_early",
    "sound_alone_gap_ratio", "sound_alone_unknown",
}  # fmt: skip


@pytest.fixture
async def room() -> AsyncIterator[TestRoom]:
    async with TestRoom(RoomSettings(calls=CallSettings())) as made:
        yield made


async def called(session: Session) -> Draft:
    """Every quantity is known or it is said why not, and nothing tells where anybody is."""
    measurement = (draft := await call.probe(session)).measurement()
    assert set(measurement.values) | set(measurement.unknown) == set(NAMES)
    assert not set(measurement.values) & set(measurement.unknown)
    assert set(measurement.facts) <= FACTS
    assert "127.0.0." not in repr((measurement.facts, measurement.unknown, measurement.failure))
    return draft


def by(room: TestRoom, until: float = 12, **changes: object) -> Session:
    return errand(room.url, **({"seconds": 1.5, "deadline": time.monotonic() + until} | changes))


def failed(draft: Draft) -> tuple[str, str]:
    assert draft.failure is not None
    return draft.failure.code, draft.failure.step


async def test_a_call_on_a_clean_path(room: TestRoom) -> None:
    told: list[Progress] = []
    draft = await called(by(room, link=link(), progress=told.append))
    values, facts = draft.values, draft.facts
    assert draft.failure is None
    assert set(values) == set(NAMES)
    assert values["call_frames_per_second"] >= 24
    assert values["call_frames_sent_per_second"] >= 24
    assert values["call_setup_seconds"] < 1
    assert values["first_media_seconds"] < 1.8
    assert values["call_audio_gap_ratio"] < 0.02
    assert values["call_frozen_ratio"] < 0.05
    assert 0.001 < values["call_frame_rtt_p50_seconds"] < 0.15
    assert 0.01 < values["call_cpu_ratio"] < 0.9
    assert values["first_media_seconds"] == min(values["first_audio_seconds"], values["first_video_seconds"])
    assert facts["media_path"] == "direct"
    assert facts["candidate_pair"] == "host/host"
    assert (facts["audio_codec"], facts["video_codec"], facts["frame_size"]) == ("opus", "VP8", "640x480")
    assert facts["call_carries"] == "video"
    assert 50e3 < float(facts["moved_bytes"]) < 1e6  # type: ignore[arg-type]
    assert [p.fraction for p in told] == sorted(p.fraction for p in told)
    assert told[-1].fraction == 1
    assert room.calls.open_now == 0


@pytest.mark.parametrize(
    ("changes", "code", "step"),
    [
        ({"budget_bytes": 100e3}, "budget_spent", "call"),
        ({"deadline": 0.0}, "timeout", "call"),
        ({"link": link(carrier=False)}, "link_no_address", "call"),
        ({"room": "stamp://127.0.0.1"}, "room_test_not_offered", "signalling"),
        ({"room": at(9)}, "room_refused_connection", "signalling"),
    ],
)
async def test_without_means_it_does_not_begin(
    changes: dict[str, object], code: str, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call, "COMMAND", ("/nonexistent",))
    session = errand(**({"room": at(9), "deadline": time.monotonic() + 9} | changes))  # type: ignore[arg-type]
    assert failed(await called(session)) == (code, step)


@pytest.mark.parametrize(("settings", "code"), [(None, "room_test_not_offered"), (CallSettings(most=0), "room_busy")])
async def test_a_room_that_takes_no_call(settings: CallSettings | None, code: str) -> None:
    async with TestRoom(RoomSettings(calls=settings)) as room:
        begun = time.monotonic()
        draft = await called(by(room))
    assert failed(draft) == (code, "signalling")
    assert "media_path" not in draft.facts
    assert time.monotonic() - begun < 4


async def test_a_silent_room_is_not_waited_for_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that says nothing, until the deadline and until it is stopped; and one that falls silent."""
    monkeypatch.setattr(call, "COMMAND", ("sleep", "9"))
    monkeypatch.setattr(call, "LEAST_S", 0.2)
    pair, loop = certificate.make(), asyncio.get_running_loop()

    async def asked(port: int, seconds: float, *, pair: Pair | None = None, stop_after: float | None = None) -> Draft:
        begun = time.monotonic()
        session = errand(at(port, pair), deadline=begun + seconds)
        if stop_after is not None:
            loop.call_later(stop_after, session.stop.set)
        draft = await called(session)
        assert time.monotonic() - begun < (seconds if stop_after is None else stop_after) + 0.4
        return draft

    async with server(None, None) as silent, server(granted(), pair, closes=False) as falls_silent:
        drafts = await asyncio.gather(
            asked(silent, 0.4), asked(silent, 9, stop_after=0.3), asked(falls_silent, 1.3, pair=pair)
        )
    assert [failed(draft) for draft in drafts] == [
        ("room_unreachable", "signalling"), ("interrupted", "signalling"), ("timeout", "signalling"),
    ]  # fmt: skip


async def test_a_computer_that_cannot_make_calls(
    room: TestRoom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "aiortc.py").write_text("raise ImportError")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert failed(await called(by(room))) == ("call_not_possible", "signalling")


# ---- in the middle of the call --------------------------------------------------------------------------------------


def processes(module: str) -> set[int]:
    """Of those that this test has started."""
    return {p.pid for p in psutil.Process().children(recursive=True) if module in p.cmdline()}


async def in_the_middle(session: Session, then: Callable[[], None]) -> Draft:
    """Something happens when pictures come back."""
    begun = asyncio.Event()
    session.progress = lambda progress: begun.set() if progress.received > 5 else None
    running = asyncio.create_task(called(session))
    await asyncio.wait_for(begun.wait(), 9)
    then()
    return await running


async def the_room_dies(room: TestRoom, worker: int, way: signal.Signals) -> None:
    died: list[float] = []

    def kill() -> None:
        died.append(time.monotonic())
        os.kill(worker, way)

    draft = await in_the_middle(by(room, until=14, seconds=4), kill)
    assert failed(draft) == ("call_broken_off", "media")
    assert time.monotonic() - died[0] < 3
    assert draft.values["call_setup_seconds"] < 2
    assert draft.values["first_video_seconds"] < 4


async def it_is_stopped(room: TestRoom) -> None:
    session = by(room, seconds=4)
    stopped: list[float] = []

    def stop() -> None:
        stopped.append(time.monotonic())
        session.stop.set()

    draft = await in_the_middle(session, stop)
    assert failed(draft) == ("interrupted", "media")
    assert time.monotonic() - stopped[0] < 1


async def the_child_hangs(room: TestRoom, hangs: asyncio.Event) -> None:
    deadline = time.monotonic() + 3.4

    def hang() -> None:
        for child in processes("probes.call.child"):
            os.kill(child, signal.SIGSTOP)
        hangs.set()

    draft = await in_the_middle(by(room, deadline=deadline, seconds=4), hang)
    assert failed(draft) == ("timeout", "media")
    assert time.monotonic() < deadline + 0.5
    assert draft.values["first_video_seconds"] < 4


async def the_data_budget_is_spent(room: TestRoom) -> None:
    draft = await called(by(room, budget_bytes=120e3))
    assert draft.failure is None
    assert draft.facts["stopped_early"] == "data budget"
    assert 120e3 <= float(draft.facts["moved_bytes"]) < 350e3  # type: ignore[arg-type]
    assert draft.values["call_frames_per_second"] > 7


async def test_what_happens_in_the_middle(room: TestRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    """All at the same time. The child that hangs goes first, and is the only one then."""
    monkeypatch.setattr(call, "affordable", lambda budget, seconds: (4.0, 1_000_000))  # a sum that may be wrong
    hangs = asyncio.Event()
    async with asyncio.TaskGroup() as group, AsyncExitStack() as rooms:
        group.create_task(the_child_hangs(room, hangs))
        workers, dying = [processes("testroom.calls.worker")], []
        for _ in range(2):
            dying.append(await rooms.enter_async_context(TestRoom(RoomSettings(calls=CallSettings()))))
            workers.append(processes("testroom.calls.worker"))
        await asyncio.wait_for(hangs.wait(), 9)
        killed = [(workers[i + 1] - workers[i]).pop() for i in range(2)]
        await asyncio.gather(
            the_room_dies(dying[0], killed[0], signal.SIGKILL),
            the_room_dies(dying[1], killed[1], signal.SIGTERM),
            it_is_stopped(room),
            the_data_budget_is_spent(room),
        )


async def test_the_child_is_killed_by_the_system(room: TestRoom) -> None:
    def kill() -> None:
        [child] = processes("probes.call.child")
        os.kill(child, signal.SIGSEGV)

    draft = await in_the_middle(by(room, seconds=4), kill)
    assert failed(draft) == ("probe_broken", "media")
    assert draft.values["first_video_seconds"] < 4


async def test_a_child_that_cannot_start_is_a_defect(room: TestRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call, "COMMAND", ("/bin/true",))
    with pytest.raises(RuntimeError):
        await call.probe(by(room))

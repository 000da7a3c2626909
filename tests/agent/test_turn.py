"""Whose turn it is to test on this computer, by the real locks; and what `motesklar check` does beside others."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from agent import turn
from agent.service import state, testing
from agent.settings import Settings
from reports.advice import text
from reports.record import Measurement
from tests.agent.program import document, run, start
from tests.reports.store.rows import NOW
from tests.reports.store.rows import run as self_test
from tests.ui.serving import serving, visiting

LOCKS = Path(".local/share/motesklar")
BRIEF = ("check", "--room", "embedded", "--only", "local", "--seconds", 1, "--json")


# ---- the locks


def test_one_at_a_time(tmp_path: Path) -> None:
    with turn.turn(tmp_path, 0.0) as first, turn.turn(tmp_path, 0.0) as second:
        assert (first, second) == (True, False)
        assert state.is_held(tmp_path, state.TEST_LOCK)
    assert not state.is_held(tmp_path, state.TEST_LOCK)


def test_it_waits_for_one_that_gives_way(tmp_path: Path) -> None:
    with ExitStack() as other:
        other.enter_context(state.held(tmp_path, state.TEST_LOCK))
        threading.Timer(0.2, other.close).start()
        begun = time.monotonic()
        with turn.turn(tmp_path, 5.0) as ours:
            assert ours
        assert 0.1 < time.monotonic() - begun < 2


@pytest.mark.parametrize(
    ("held", "seconds", "who"),
    [
        ((), turn.GIVES_WAY_S, "check"),
        ((state.TEST_LOCK,), turn.GIVES_WAY_S, "check"),  # by the background
        ((state.PAGE_LOCK, state.TEST_LOCK), 0.0, "page"),
        ((state.CHECK_LOCK, state.TEST_LOCK), 0.0, "check"),
    ],
)
def test_only_the_background_gives_way(tmp_path: Path, held: tuple[str, ...], seconds: float, who: str) -> None:
    with ExitStack() as others:
        for lock in held:
            others.enter_context(state.held(tmp_path, lock))
        with turn.in_person(tmp_path) as patience:
            assert patience == seconds
            assert state.who_tests(tmp_path) == who
    assert state.who_tests(tmp_path) == ""


def test_a_look_at_the_lock_is_no_other_person(tmp_path: Path) -> None:
    with ExitStack() as looking:
        looking.enter_context(state.held(tmp_path, state.CHECK_LOCK))
        threading.Timer(0.05, looking.close).start()
        with turn.in_person(tmp_path) as patience:
            assert patience > 0


def test_where_the_folder_cannot_be_used_it_is_tested_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with turn.in_person(tmp_path / "file/below"), turn.turn(tmp_path / "file/below", 0.0) as ours:
        assert ours


def test_a_turn_for_each_run(tmp_path: Path) -> None:
    with ExitStack() as first:
        first.enter_context(turn.turn(tmp_path, 0.0))
        turns = turn.Turns(tmp_path, first)
        turns.end()
        with state.held(tmp_path, state.TEST_LOCK):
            assert not turns.take()
        assert turns.take()
        assert state.is_held(tmp_path, state.TEST_LOCK)
    assert not state.is_held(tmp_path, state.TEST_LOCK)


# ---- check beside others


def test_beside_another_it_says_so_once_and_goes_on(tmp_path: Path) -> None:
    with state.held(tmp_path / LOCKS, state.PAGE_LOCK), state.held(tmp_path / LOCKS, state.TEST_LOCK):
        done = run(tmp_path, *BRIEF, "--lang", "sv")
    assert done.stderr == f"motesklar: {text('progress.another', 'sv')}\n"
    assert [m["facts"][turn.BESIDE] for m in document(done)["measurements"] if m["name"] == "local"] == [True]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
async def test_while_it_tests_the_page_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn, "GIVES_WAY_S", 0.1)
    folder = tmp_path / LOCKS
    program = start(tmp_path, *BRIEF[:-3], "--seconds", 30, "--json")
    try:
        await _until(lambda: state.is_held(folder, state.TEST_LOCK))
        async with serving(folder) as page, visiting(page) as visitor:
            assert await visitor.post("start", {"company": "alone"}) == (409, "busy")
        assert await _put_off(folder) == "check"
        program.send_signal(signal.SIGINT)
        out, err = await asyncio.to_thread(program.communicate, timeout=5)
        assert err == ""
        assert turn.BESIDE not in out
    finally:
        program.kill()
        program.communicate()
    assert not state.is_held(folder, state.TEST_LOCK)


async def _put_off(folder: Path) -> str:
    """Why the background's child does not test just now."""
    said: list[dict[str, object]] = []
    await testing.test(Settings(), folder, {"ours": 0, "waited_s": 0.0}, asyncio.Event(), said.append)
    (line,) = said
    return str(line["put_off"])


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - it is in another process
            await asyncio.sleep(0.05)


def test_the_fact_is_noted_where_this_computer_is_watched() -> None:
    measured = (Measurement(name, "eth0", NOW, 1.0, facts={"vpn": False}) for name in ("echo", turn.WATCHER))
    found = turn.noted(self_test("r1", NOW, *measured))
    assert [dict(m.facts) for m in found.measurements] == [{"vpn": False}, {"vpn": False, turn.BESIDE: True}]

"""When the page's program ends, and when a run does whose page has gone."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest

from agent import turn
from agent.service import state as kept
from agent.ui import running
from agent.ui.life import Life, Limits
from tests.ui.serving import Visitor, serving, told, until, visiting

LIMITS = Limits()


def life(happened: list[tuple[float, str]]) -> Life:
    found = Life(LIMITS, 0.0)
    for now, what in happened:
        getattr(found, what)(now)
    return found


@pytest.mark.parametrize(
    ("happened", "now", "running", "due"),
    [
        ([], 599, False, None),  # nobody has opened it
        ([], 600, False, "end"),
        ([(0, "came")], 3600, False, None),  # a page is there
        ([(0, "came")], 4 * 3600, False, "end"),  # and forgotten
        ([(0, "came"), (3600, "used")], 4 * 3600, False, None),
        ([(0, "came")], 4 * 3600, True, None),
        ([(0, "came"), (10, "went")], 69, False, None),
        ([(0, "came"), (10, "went")], 70, False, "end"),
        ([(0, "came"), (10, "went"), (12, "came")], 100, False, None),  # loaded again
        ([(0, "came"), (5, "came"), (10, "went")], 100, False, None),  # two windows, one closed
        ([(0, "came"), (10, "went")], 24, True, None),
        ([(0, "came"), (10, "went")], 25, True, "stop"),
        ([(0, "came"), (10, "went")], 80, True, "stop"),  # it is not over before the run is
        ([(0, "came")], 500, True, None),
        ([(0, "used")], 20, True, "stop"),  # a run that no page ever watched
    ],
)
def test_what_is_due(happened: list[tuple[float, str]], now: float, running: bool, due: str | None):
    assert life(happened).due(now, running=running) == due


async def test_it_ends_by_itself_and_stops_a_run_whose_page_has_gone(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("agent.ui.server.TICK_S", 0.02)
    loop = asyncio.get_running_loop()
    async with serving(limits=Limits(unopened_s=0.3, gone_s=0.6, run_gone_s=0.3)) as page:
        begun = loop.time()
        await asyncio.wait_for(page.until(asyncio.Event()), 3)
        assert 0.25 < loop.time() - begun < 1
    async with serving(limits=Limits(unopened_s=5, gone_s=0.6, run_gone_s=0.3)) as page, visiting(page) as visitor:
        ending = asyncio.create_task(page.until(asyncio.Event()))
        async with visitor.events() as coming:
            await anext(coming)
            await visitor.post("start", {"company": "alone"})
            await asyncio.sleep(0.5)
            assert page.running.on
        begun = loop.time()
        while page.running.on:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert 0.25 < loop.time() - begun < 1
        assert page.flow.state.trouble == "stopped"
        await asyncio.wait_for(ending, 2)
        assert 0.55 < loop.time() - begun < 2


async def test_it_ends_at_once_when_told(monkeypatch: pytest.MonkeyPatch):
    stop = asyncio.Event()
    async with serving() as page:
        asyncio.get_running_loop().call_later(0.05, stop.set)
        await asyncio.wait_for(page.until(stop), 1)


async def test_the_end_ends_the_run_and_tells_the_page():
    async with contextlib.AsyncExitStack() as stack:
        page = await stack.enter_async_context(serving())
        visitor = await stack.enter_async_context(visiting(page))
        async with visitor.events() as coming:
            await visitor.post("start", {"company": "alone"})
            closing = asyncio.create_task(page.__aexit__())
            async with asyncio.timeout(2):
                seen = [(name, data) async for name, data in coming]
            await closing
        assert seen[-1] == ("end", {})
        assert seen[-2][1]["trouble"] == "stopped"
        assert not page.running.on


async def test_a_flow_that_does_not_stop_is_left_within_three_seconds(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(running, "GRACE_S", 0.2)
    async with serving() as page, visiting(page) as visitor:
        await visitor.post("start", {"company": "alone"})
        told(page).stop = lambda: None  # type: ignore[method-assign]
        begun = asyncio.get_running_loop().time()
        await page.running.close()
        assert asyncio.get_running_loop().time() - begun < 0.6
        assert not page.running.on
        assert await visitor.post("start", {"company": "alone"}) == (409, "running")


async def test_one_run_at_a_time_also_against_other_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(turn, "GIVES_WAY_S", 0.3)
    async with serving(tmp_path) as page, visiting(page) as visitor:
        with kept.held(tmp_path, kept.TEST_LOCK):
            assert await visitor.post("start", {"company": "alone"}) == (409, "busy")
            assert (page.flow.state.trouble, page.flow.state.phase) == ("busy", "start")
            asked = asyncio.create_task(visitor.post("start", {"company": "alone"}))
            await asyncio.sleep(0.1)
            assert await visitor.post("start", {"company": "alone"}) == (409, "running")
        assert await asked == (204, "")  # it was let go meanwhile
        assert kept.is_held(tmp_path, kept.TEST_LOCK)
        await visitor.post("stop", {})
        while page.running.on:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert not kept.is_held(tmp_path, kept.TEST_LOCK)


async def test_one_that_waits_for_another_program_can_be_stopped(tmp_path: Path):
    async with serving(tmp_path) as page, visiting(page) as visitor:
        with kept.held(tmp_path, kept.TEST_LOCK):
            asked = asyncio.create_task(visitor.post("start", {"company": "alone"}))
            await until(lambda: page.running.on)
            await visitor.post("stop", {})
            assert await asyncio.wait_for(asked, 1) == (204, "")
            while page.running.on:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert (told(page).asked, page.flow.state.trouble, page.flow.state.phase) == ([], "stopped", "start")
        assert await visitor.post("start", {"company": "alone"}) == (204, "")
        assert await visitor.post("stop", {}) == (204, "")


async def test_none_begins_once_it_ends(tmp_path: Path):
    """Also one that has waited for another program's to end."""
    async with serving(tmp_path) as page, visiting(page) as visitor:
        with kept.held(tmp_path, kept.TEST_LOCK):
            asked = asyncio.create_task(visitor.post("start", {"company": "alone"}))
            await until(lambda: page.running.on)
            await page.running.close()
        assert await asked == (409, "running")
        assert (page.running.on, told(page).asked) == (False, [])
        assert not kept.is_held(tmp_path, kept.TEST_LOCK)


async def test_each_self_test_is_handed_in_once():
    handed = list[str]()
    async with serving(hand_in=lambda test: handed.append(test.run_id)) as page, visiting(page) as visitor:
        for name in ("r1", "r1", "r2"):
            await _run(visitor, page, name)
        assert handed == ["r1", "r2"]


async def _run(visitor: Visitor, page: object, name: str) -> None:
    flow = told(page)  # type: ignore[arg-type]
    await visitor.post("start", {"company": "alone"})
    flow.ended(name)
    await visitor.post("stop", {})
    await asyncio.sleep(0.1)

"""In each step of the staff page its tab is closed, or the program is killed; and how a person sees it."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.page_rooms import ARGUMENTS, CHROMIUM, needs_chromium
from tests.e2e.ui_hindered import ENDS_S, GONE_S, followed
from tests.e2e.ui_hindered_desk import Desk, alone_with_a_camera, ended, on_linux, when_all
from tests.e2e.ui_hindered_program import GONE
from tests.media_check.camera_double import FOLDER, cameras
from tests.media_check.test_microphone import needs_voice

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = on_linux
SOONER = "const later = setTimeout; window.setTimeout = (then, ms) => later(then, ms / 8);"


# ---- the page goes away

MOMENTS = ("tone", "heard", "speak", "listening", "own_voice", "picture", "connection", "computer")


@when_all
@needs_voice
@pytest.mark.parametrize("moment", MOMENTS)
async def test_the_tab_is_closed(moment: str, desk: Desk, tmp_path: Path) -> None:
    async with followed(tmp_path, desk.environment) as it:
        await it.start()
        await it.to(moment)
        await it.close_tab()
        await it.stopped(GONE_S + ENDS_S)
        await it.alone()
        await it.open_tab()
        assert (it.state["phase"], it.state["trouble"], it.state["question"]) == ("start", "stopped", None)
        await it.start()
        await ended(it)


@when_all
async def test_the_tab_is_closed_and_comes_back_in_time(tmp_path: Path) -> None:
    """By its own clock: after ten seconds the run goes on, after fifteen it is stopped."""
    with alone_with_a_camera() as environment:
        async with followed(tmp_path, {GONE: "15", **environment}) as it:
            await it.start()
            await it.to("picture")
            for away in (10.0, 17.5):
                await it.close_tab()
                await asyncio.sleep(away)
                await it.open_tab()
                assert it.state["trouble"] == ("" if away < 15 else "stopped")
            await it.alone()


# ---- the program is killed


@when_all
@needs_voice
@pytest.mark.parametrize("moment", MOMENTS)
async def test_the_program_is_killed(moment: str, desk: Desk, tmp_path: Path) -> None:
    async with followed(tmp_path, desk.environment) as it:
        await it.start()
        await it.to(moment)
        assert it.children() or moment in ("heard", "speak", "connection")
        assert await it.program.end(signal.SIGKILL) == -signal.SIGKILL
        await it.alone()
    async with followed(tmp_path, desk.environment) as it:  # what it left is in nobody's way
        await it.start()


# ---- as a person sees it


async def _heading(page: Page, words: str) -> None:
    await page.get_by_role("heading", name=words).wait_for(timeout=15_000)


async def _all_again(page: Page) -> None:
    await page.get_by_role("button", name="Gör om hela testet").click()
    await page.get_by_role("button", name="Jag är ensam").click()


@needs_chromium
async def test_a_person_sees_what_happened_and_what_to_do(tmp_path: Path) -> None:
    """The camera is unplugged, the tab closed, the program killed: in the middle of the picture's step each time."""
    from playwright.async_api import async_playwright

    with cameras("USB-kamera") as (camera,):
        environment = {FOLDER: str(camera.node.parent), "PULSE_SERVER": "unix:/nowhere"}
        async with followed(tmp_path, environment, tab=False) as it, async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            context = await browser.new_context()
            await context.add_init_script(SOONER)
            page = await context.new_page()
            await page.goto(it.url)
            await page.get_by_role("button", name="Jag är ensam").click()
            await _heading(page, "Syns du bra?")
            camera.vanishes()
            await page.get_by_text("Kameran kopplades ur under testet. Dra ut").first.wait_for()
            await _heading(page, "Gör så här")
            await it.alone()
            camera.shows()
            await _all_again(page)
            await _heading(page, "Syns du bra?")
            assert it.left()
            await page.close()
            await it.alone(GONE_S + ENDS_S)
            page = await context.new_page()
            await page.goto(it.base)
            await _heading(page, "Testet är avbrutet")
            await page.get_by_text("Kamera och mikrofon är avstängda. Testa igen").wait_for()
            await _all_again(page)
            await _heading(page, "Syns du bra?")
            await it.program.end(signal.SIGKILL)
            await it.alone()
            await _heading(page, "Mötesklar är avslutat")
            assert "starta Mötesklar från startmenyn" in await page.locator(".trouble").inner_text()
            assert await page.get_by_role("button", name="Gå vidare").count() == 0
            await browser.close()

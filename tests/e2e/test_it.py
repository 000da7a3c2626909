"""The pages for IT support in the system's Chromium: from the login to one self-test, by keyboard, at both widths."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.page_rooms import TOKEN, Rooms, axe_source, needs_chromium, violations, visiting
from tests.testroom.it.fleets import names, records

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [needs_chromium, pytest.mark.slow]
MACHINES = 30
WIDTHS: dict[str, Any] = {
    "phone": {"viewport": {"width": 390, "height": 844}, "locale": "sv-SE"},
    "laptop": {"viewport": {"width": 1280, "height": 800}, "locale": "en-GB", "color_scheme": "dark"},
}


@pytest.fixture(scope="module")
def place(rooms: Rooms, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Of a room with a municipality in its store."""
    room = rooms.with_store(tmp_path_factory.mktemp("it") / "fleet.db")
    store = room.fleet.store
    assert store is not None
    store.take(records(MACHINES, time.time(), 4))
    store.name_machines("habo", names(MACHINES))
    return f"https://127.0.0.1:{room.port}"


def is_fine(page: Page, axe: str, shot: Path) -> None:
    """Nothing for axe to find; nothing wider than the window, not even a small phone's."""
    page.screenshot(path=shot, full_page=True)
    assert violations(page, axe) == []
    size = page.viewport_size
    assert size is not None
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    page.set_viewport_size(size)


def unfold(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true })")


@pytest.mark.parametrize("width", WIDTHS)
def test_from_the_login_to_one_self_test(place: str, chromium: Browser, tmp_path: Path, width: str) -> None:
    axe = axe_source()
    with visiting(chromium, f"{place}/it/network", (), **WIDTHS[width]) as page:
        assert "/it/login" in page.url
        is_fine(page, axe, tmp_path / "login.png")
        page.keyboard.type("wrong")  # the field has the focus
        page.keyboard.press("Enter")
        page.locator("[role=alert]").wait_for()
        is_fine(page, axe, tmp_path / "refused.png")
        page.keyboard.type(TOKEN)
        page.keyboard.press("Enter")
        page.locator(".views").wait_for()
        assert page.url == f"{place}/it/network"  # where the link led
        for n, view in enumerate(("overview", "network", "equipment", "room")):
            page.locator(".views a").nth(n).click()
            assert page.locator(".views [aria-current=page]").count() == 1
            unfold(page)
            is_fine(page, axe, tmp_path / f"{view}.png")
        page.locator(".views a").first.click()
        page.locator("select[name=unit]").select_option("=Elevhälsan")
        page.locator("select[name=days]").select_option("90")
        page.locator(".filter button").click()
        assert "days=90" in page.url
        page.locator(".tile a").nth(1).click()
        is_fine(page, axe, tmp_path / "machines.png")
        page.locator(".machines a").first.click()
        is_fine(page, axe, tmp_path / "machine.png")
        page.locator("table a").first.click()
        page.locator(".findings, .nothing").first.wait_for()
        unfold(page)
        is_fine(page, axe, tmp_path / "selftest.png")
        cookie = next(c for c in page.context.cookies() if c["name"].startswith("__Host-"))
        assert (cookie["httpOnly"], cookie["secure"], cookie["sameSite"]) == (True, True, "Strict")
        page.locator("header form[method=post] button").click()
        page.locator("#token").wait_for()
        page.goto(f"{place}/it")
        assert "/it/login" in page.url


def test_without_script_and_by_keyboard_alone(place: str, chromium: Browser) -> None:
    with visiting(chromium, f"{place}/it?lang=en", (), java_script_enabled=False) as page:
        page.locator("#token").fill(TOKEN)
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Overview").wait_for()
        page.keyboard.press("Tab")
        assert page.locator(":focus").inner_text() == "Skip to the content"
        page.keyboard.press("Enter")
        for _ in range(20):
            page.keyboard.press("Tab")
            if page.locator(":focus").inner_text() == "Show":
                break
        assert page.locator(":focus").evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Overview").wait_for()

"""The readiness page and the receipt in a real browser: both widths, both languages, keyboard, print, axe-core."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reports.receipt import html as receipt
from reports.store.incoming import record_of
from reports.store.store import Store
from testroom import certificate
from testroom.server import RoomSettings, TestRoom
from testroom.tokens import Tokens
from tests.e2e.page_rooms import TOKEN, needs_chromium, violations
from tests.reports.make import good
from tests.reports.readiness.made import BAD, DAY, a_fleet, machine, self_test

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = needs_chromium
WIDTHS = (390, 1280)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running room whose store has one machine of each standing."""
    address = f"sqlite:///{tmp_path_factory.mktemp('store') / 'fleet.db'}"
    fill(address)
    loop, started, ports = asyncio.new_event_loop(), threading.Event(), list[int]()
    stop = asyncio.Event()

    async def serve() -> None:
        settings = RoomSettings(certificate=certificate.make(), tokens=Tokens({"habo": TOKEN}), store=address)
        async with TestRoom(settings) as room:
            ports.append(room.port)
            started.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert started.wait(20)
    yield f"https://127.0.0.1:{ports[0]}"
    loop.call_soon_threadsafe(stop.set)
    thread.join(20)
    loop.close()


def fill(address: str) -> None:
    store, now = Store.open(address), time.time()
    for n, days in ((1, 1.0), (2, 26.0), (3, 31.0)):
        test = self_test(good(**BAD) if n == 2 else good(), run_id=f"r{n}")
        store.take([record_of("habo", machine(n), replace(test, started_at=now - days * DAY), now)])
    names = "".join(f"{m.machine};{m.name};{m.unit};{m.room}\n" for m in a_fleet())
    store.name_machines("habo", f"machine;name;unit;room\n{names}")
    store.close()


def enter(page: Page, room: str, path: str) -> None:
    """By the form, which leads back to the page that was asked for."""
    page.goto(room + path)
    page.fill("#token", TOKEN)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{path}")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    ("lang", "head"), [("sv", "Redo för videomöten: habo"), ("en", "Ready for video meetings: habo")]
)
def test_the_page(chromium: Browser, room: str, width: int, lang: str, head: str) -> None:
    context = chromium.new_context(ignore_https_errors=True, viewport={"width": width, "height": 900})
    page, complaints = context.new_page(), list[str]()
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    enter(page, room, f"/readiness?lang={lang}")
    assert page.locator("h1").inner_text() == head
    assert page.locator(".machines tbody tr").count() == 6
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")  # tables scroll, the page does not
    assert page.evaluate("getComputedStyle(document.querySelector('table')).borderCollapse") == "collapse"  # styled
    assert complaints == []
    context.close()


def test_axe_keyboard_and_files(chromium: Browser, axe: str, room: str) -> None:
    context = chromium.new_context(ignore_https_errors=True, bypass_csp=True, accept_downloads=True)  # axe is a script
    page = context.new_page()
    enter(page, room, "/readiness?lang=sv")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            assert violations(page, axe) == []
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "/it"
    page.locator(".machines").first.locator("..").focus()
    assert page.evaluate("document.activeElement.className") == "scroll"  # reached, so that the keyboard can scroll it
    page.get_by_role("link", name="Norr").click()
    assert page.locator(".machines tbody tr").count() == 2
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert Path(download.value.path()).read_bytes().startswith(b"\xef\xbb\xbf")
    context.close()


def test_the_receipt(chromium: Browser, axe: str, tmp_path: Path) -> None:
    path = tmp_path / "receipt.html"
    path.write_text(receipt.render(self_test(good(**BAD)), "sv", 30 * DAY), "utf-8")
    context = chromium.new_context(bypass_csp=True)
    page = context.new_page()
    page.goto(path.as_uri())
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            assert violations(page, axe) == []
    context.close()

"""The staff page hands over, and says what to do when the program is busy, has ended or was killed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.page_rooms import needs_chromium, violations, visiting
from tests.e2e.ui_pages import TABLE, pictured, shown
from tests.ui import states
from tests.ui.page_server import REPORT, PageServer

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [needs_chromium, pytest.mark.slow]
SOONER = "const later = setTimeout; window.setTimeout = (then, ms) => later(then, ms / 8);"

# ---- handing over


def test_the_report_is_copied(server: PageServer, chromium: Browser):
    with visiting(chromium, server.url, ("clipboard-read", "clipboard-write")) as page:
        shown(page, server, TABLE["not_ready"])
        page.get_by_role("button", name="Kopiera rapporten").click()
        page.get_by_role("button", name="Kopierad").wait_for()
        assert page.evaluate("navigator.clipboard.readText()") == REPORT["sv"]
        page.get_by_role("button", name="English").click()
        page.get_by_role("button", name="Copy the report").click()
        page.get_by_role("button", name="Copied").wait_for()
        assert page.evaluate("navigator.clipboard.readText()") == REPORT["en"]
        assert page.get_by_role("link", name="The report as PDF").get_attribute("href") == "/v1/report.pdf?lang=en"
        assert page.get_by_role("link", name="010-123 45 67").first.get_attribute("href") == "tel:0101234567"


def test_where_the_clipboard_is_closed_the_report_can_be_marked(server: PageServer, chromium: Browser):
    closed = "navigator.clipboard.writeText = () => Promise.reject(new Error('no')); document.execCommand = () => false"
    with visiting(chromium, server.url, ()) as page:
        shown(page, server, TABLE["not_ready"])
        page.evaluate(f"() => {{ {closed} }}")
        page.get_by_role("button", name="Kopiera rapporten").click()
        area = page.get_by_label("Markera texten")
        area.wait_for()
        assert area.input_value() == REPORT["sv"]
        assert page.evaluate("document.getSelection().toString()") == REPORT["sv"]


# ---- when things go wrong


def test_another_test_is_on(server: PageServer, chromium: Browser):
    server.refused["/v1/start"] = (409, "busy")
    with visiting(chromium, f"{server.url}?lang=en", ()) as page:
        page.get_by_role("button", name="I am alone").click()
        page.get_by_role("heading", name="Another test is on in this computer").wait_for()
        assert "Another test is on" in page.locator("#told").inner_text()


@pytest.mark.parametrize("name", ["own_voice", "degraded"])
def test_the_program_has_ended(server: PageServer, chromium: Browser, axe: str, shots: Path, name: str):
    with visiting(chromium, server.url, (), viewport={"width": 390, "height": 844}) as page:
        shown(page, server, TABLE[name])
        server.end()
        page.get_by_text("Mötesklar är avslutat").first.wait_for()
        assert "starta Mötesklar" in page.locator(".trouble").inner_text()
        assert violations(page, axe) == []
        assert page.locator("#foot a").is_visible()
        assert page.get_by_role("button", name="Kopiera").count() == 0  # nobody would answer
        assert page.get_by_text(states.DEGRADED.reference).count() == (name == "degraded")
        pictured(page, shots / f"lost-{name}.png")


def test_the_program_was_killed(chromium: Browser):
    server = PageServer()
    try:
        with visiting(chromium, f"{server.url}?lang=en", (), script=SOONER) as page:
            shown(page, server, TABLE["tone"])
            server.close()
            page.get_by_text("Mötesklar has ended").first.wait_for(timeout=15_000)
    finally:
        server.close()


def test_a_browser_that_knows_no_modules(server: PageServer, chromium: Browser, axe: str, shots: Path):
    with visiting(chromium, "about:blank", ()) as page:
        page.route("**/ui/page.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
        page.goto(server.url)
        assert page.locator('script[nomodule][src="/ui/old.js"]').count() == 1
        page.evaluate(
            "() => { const s = document.createElement('script'); s.src = '/ui/old.js'; document.head.append(s) }"
        )
        page.get_by_role("heading", name="Webbläsaren är för gammal").wait_for()
        assert violations(page, axe) == []
        pictured(page, shots / "old.png")

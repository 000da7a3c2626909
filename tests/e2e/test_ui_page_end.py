"""The staff page hands over, and says what to do when the program is busy, has ended or was killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
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
HELD = f"{SOONER} const now = performance.now; performance.now = () => 20 * now.call(performance);"  # each comes late
BEAT_S = 0.7
PROGRAM = f"""
import pathlib, sys
from agent.ui import events, opening
from tests.ui.serving import Told, options
events.HEARTBEAT_S = {BEAT_S}
opening.run(opening.Asked(options(), browser=False), pathlib.Path(sys.argv[1]), Told)
"""

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


@pytest.mark.parametrize("name", ["speak_now", "degraded"])
def test_the_program_has_ended(server: PageServer, chromium: Browser, axe: str, shots: Path, name: str):
    with visiting(chromium, server.url, (), viewport={"width": 390, "height": 844}) as page:
        shown(page, server, TABLE[name])
        server.end()
        page.get_by_text("Mötesklar är avslutat").first.wait_for()
        assert "starta Mötesklar" in page.locator(".trouble").inner_text()
        assert "Mötesklar är avslutat" in page.locator("#told").inner_text()  # even where it listened to a voice
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


@contextmanager
def program(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The real server in a process of its own, and the page's address."""
    with subprocess.Popen([sys.executable, "-c", PROGRAM, folder], stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            yield process, next(line.strip() for line in process.stderr if "/open/" in line)
        finally:
            process.kill()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_program_that_hangs_is_told_and_taken_back(chromium: Browser, axe: str, shots: Path, tmp_path: Path):
    with program(tmp_path) as (process, url), visiting(chromium, url, ()) as page:
        page.get_by_role("button", name="Jag är ensam").click()
        page.get_by_role("heading", name="Testet pågår").wait_for()
        page.wait_for_timeout(1000 * (BEAT_S + 0.5))  # it has said how often it is heard from
        process.send_signal(signal.SIGSTOP)
        begun = time.monotonic()
        page.get_by_role("heading", name="Mötesklar svarar inte just nu").wait_for(timeout=20_000)
        assert 2 * BEAT_S < time.monotonic() - begun < 4 * BEAT_S + 2
        assert "starta om datorn" in page.locator(".trouble").inner_text()
        assert "svarar inte just nu" in page.locator("#told").inner_text()
        assert page.title().startswith("Mötesklar svarar inte")
        assert page.get_by_role("heading", name="Testet pågår").is_visible()  # the place is kept
        assert violations(page, axe) == []
        pictured(page, shots / "silent.png")
        process.send_signal(signal.SIGCONT)
        page.locator(".trouble").wait_for(state="detached")
        assert "Mötesklar svarar igen." in page.locator("#told").inner_text()
        page.get_by_role("button", name="Avbryt").click()
        page.get_by_role("heading", name="Testet är avbrutet").wait_for()


@pytest.mark.parametrize(("script", "told"), [(SOONER, 1), (HELD, 0)], ids=["silent", "asleep or throttled"])
def test_a_page_whose_timers_were_held_back_says_nothing_of_it(
    server: PageServer, chromium: Browser, script: str, told: int
):
    with visiting(chromium, server.url, (), script=script) as page:
        shown(page, server, TABLE["heard"])
        page.wait_for_timeout(2300)  # more than three beats of it, and less than one of the server's
        assert page.locator(".trouble").count() == told


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

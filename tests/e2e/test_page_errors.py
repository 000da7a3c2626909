"""What the page says when something is not there: each trouble has its own words, one thing to do, and "test again"."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.e2e.page_rooms import (
    ARGUMENTS,
    CHROMIUM,
    DONE,
    Rooms,
    browser,
    needs_chromium,
    violations,
    visiting,
)

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

pytestmark = [needs_chromium, pytest.mark.slow]
# What no headless browser does by itself: the error as the standard names it, from getUserMedia.
REFUSES = "() => {{ navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('{1}', '{0}')); }}"
REFUSED = [
    ("NotAllowedError", "Permission denied by system", "privacy settings"),
    ("NotAllowedError", "Permission dismissed", "left unanswered"),
    ("NotReadableError", "Device in use", "in use by another program"),
    ("OverconstrainedError", "", "cannot give a picture that fits"),
    ("AbortError", "Starting failed", "could not be started"),
]


@pytest.fixture(scope="module")
def hearing() -> Iterator[Browser]:
    """With a microphone and no camera."""
    with browser("--use-fake-device-for-media-stream=device-count=0") as started:
        yield started


def said(page: Page, axe: str) -> str:
    """What is said in the end; it is checked that it can be read by all, and that one can go on from it."""
    page.wait_for_selector(DONE, timeout=20_000)
    assert violations(page, axe) == []
    assert page.evaluate("document.activeElement.closest('section').id") == "trouble"
    assert page.get_by_role("button", name=re.compile("Test again|Testa igen")).is_visible()
    assert page.get_by_text(re.compile("Nothing is recorded|Inget spelas in")).is_visible()
    return page.locator("#trouble").inner_text()


@pytest.mark.parametrize(
    ("room", "english", "swedish"),
    [
        ("full", "The test room is full just now", "Testrummet är fullt just nu"),
        ("off", "The test room takes no test calls", "Testrummet tar inte emot provsamtal"),
    ],
)
def test_the_room_takes_no_call(rooms: Rooms, hearing: Browser, axe: str, room: str, english: str, swedish: str):
    with visiting(hearing, rooms.url(room)) as page:
        page.locator("#go").click()
        text = said(page, axe)
        page.get_by_role("link", name="Svenska").click()
        page.get_by_role("heading", name=swedish).wait_for()
        more = page.locator("#trouble-do").inner_text()
    assert english in text
    assert "nothing about your connection" in text
    assert "inget om din uppkoppling" in more
    if room == "full":
        assert re.search(r"in [1-9]\d* seconds", text)
        assert re.search(r"om [1-9]\d* sekunder", more)


def test_an_answer_that_stops_in_the_middle(rooms: Rooms, hearing: Browser, axe: str):
    sooner = "const later = setTimeout; window.setTimeout = (then, ms) => later(then, ms / 8);"
    with visiting(hearing, rooms.stalling(), script=sooner) as page:
        page.locator("#go").click()
        assert "The test room cannot be reached" in said(page, axe)


PAIRS = """async () => {
    const { Samples } = await import("/test/stats.js"), samples = new Samples();
    for (const [id, responsesReceived, totalRoundTripTime] of [["a", 4, 8], ["a", 5, 10], ["b", 6, 1.5], ["b", 7, 2]])
      samples.add({ pair: { id, responsesReceived, totalRoundTripTime } }, 0);
    return samples.roundTrips;
}"""


def test_a_call_that_changes_its_way_keeps_the_round_trips_apart(rooms: Rooms, hearing: Browser):
    with visiting(hearing, rooms.url("off")) as page:
        assert page.evaluate(PAIRS) == [2, 2, 0.25, 0.5]


def test_each_error_of_the_devices_has_its_own_words(rooms: Rooms, hearing: Browser, axe: str):
    texts = []
    with visiting(hearing, rooms.url("off")) as page:
        page.locator("#go").wait_for()
        for name, message, words in REFUSED:
            page.evaluate(REFUSES.format(name, message))
            page.locator("button:visible").click()
            page.get_by_text(words).wait_for()
            texts.append(said(page, axe))
    assert len(set(texts)) == len(REFUSED)


def test_denied_by_the_person(rooms: Rooms, hearing: Browser, axe: str):
    with visiting(hearing, rooms.url("off"), grant=()) as page:
        page.locator("#go").click()
        assert "The browser may not use the camera and the microphone" in said(page, axe)


def test_neither_is_there(rooms: Rooms, hearing: Browser, axe: str):
    bare = hearing.browser_type.launch(executable_path=CHROMIUM, args=ARGUMENTS[1:])
    with contextlib.closing(bare), visiting(bare, rooms.url("off")) as page:
        page.locator("#go").click()
        assert "Neither camera nor microphone was found" in said(page, axe)


def test_a_browser_that_is_too_old_hears_it_at_once(rooms: Rooms, hearing: Browser, axe: str):
    with visiting(hearing, rooms.url("off"), script="delete window.RTCPeerConnection;") as page:
        assert "The browser is too old" in said(page, axe)


def test_an_insecure_page_says_so_at_once(rooms: Rooms, hearing: Browser, axe: str):
    with visiting(hearing, rooms.plain(), grant=()) as page:
        assert page.evaluate("window.isSecureContext") is False
        assert "https://" in said(page, axe)


def test_the_one_that_is_there_is_used(rooms: Rooms, hearing: Browser, axe: str, tmp_path: Path):
    with visiting(hearing, rooms.url("open"), viewport={"width": 390, "height": 844}) as page:
        page.locator("#go").click()
        page.get_by_text("Camera: not found.").wait_for()
        assert violations(page, axe) == []
        page.screenshot(path=tmp_path / "running.png", full_page=True)
        page.wait_for_selector(DONE, timeout=20_000)
        page.screenshot(path=tmp_path / "verdict.png", full_page=True)
        assert page.locator("#headline").inner_text() == "Works, but …"
        assert page.locator("#means").inner_text() == "The others cannot see you."
        assert page.locator("#action").inner_text().startswith("Connect a camera")
        assert violations(page, axe) == []

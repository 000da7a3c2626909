"""The whole way in the system's Chromium: from the page /test to the verdict and the reference code."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reports.reference import read_code
from reports.serial import from_json
from tests.e2e.page_rooms import DONE, TOKEN, Rooms, needs_chromium, violations, visiting

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [needs_chromium, pytest.mark.slow]
COUNT_ANNOUNCEMENTS = """
document.addEventListener("DOMContentLoaded", () => {
  window.announced = [];
  new MutationObserver(() => {
    const text = document.getElementById("told").textContent;
    if (text && announced[announced.length - 1] !== text) announced.push(text);
  }).observe(document.getElementById("told"), { childList: true, characterData: true, subtree: true });
});
"""


def look_up(rooms: Rooms, code: str, token: str | None) -> tuple[int, Any]:
    """What support gets for the code."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    asked = urllib.request.Request(f"https://127.0.0.1:{rooms['open'].port}/v1/records/{code}", headers=headers)
    try:
        with urllib.request.urlopen(asked, context=context, timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


def overflow(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def no_wider_than_a_small_phone(page: Page) -> None:
    size = page.viewport_size
    page.set_viewport_size({"width": 320, "height": 640})
    assert overflow(page) == 0
    assert size is not None
    page.set_viewport_size(size)


def test_a_phone_in_swedish_from_the_button_to_the_code(rooms: Rooms, chromium: Browser, axe: str, tmp_path: Path):
    options: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "locale": "sv-SE"}
    with visiting(chromium, rooms.url("open").partition("?")[0], script=COUNT_ANNOUNCEMENTS, **options) as page:
        assert page.locator("html").get_attribute("lang") == "sv"
        no_wider_than_a_small_phone(page)
        assert violations(page, axe) == []
        page.screenshot(path=tmp_path / "start.png", full_page=True)
        page.get_by_role("button", name="Testa").click()
        page.wait_for_selector("#returned:not(.none)")
        assert violations(page, axe) == []
        assert page.get_by_text("Inget spelas in").is_visible()
        page.screenshot(path=tmp_path / "running.png", full_page=True)
        page.wait_for_selector(DONE, timeout=20_000)
        page.screenshot(path=tmp_path / "verdict.png", full_page=True)
        assert page.locator("#headline").inner_text() == "Klart"
        assert page.evaluate("document.activeElement.id") == "headline"
        assert page.evaluate("announced") == ["Ringer upp testrummet", "Provsamtalet pågår", "Räknar ut svaret"]
        page.get_by_text("Visa alla mätvärden").click()
        no_wider_than_a_small_phone(page)
        assert violations(page, axe) == []
        assert page.get_by_text("Inget spelas in").is_visible()
        code = page.locator("#code").inner_text()
        page.get_by_role("link", name="English").click()  # the answer stays, in other words
        page.get_by_role("heading", name="Ready").wait_for()
        assert page.locator("#code").inner_text() == code
        assert page.evaluate("document.getElementById('mine').srcObject") is None  # the camera is off
    assert read_code(code) == code
    assert look_up(rooms, code, None)[0] == 401
    assert look_up(rooms, code, "another secret of 24 octets")[0] == 401
    status, found = look_up(rooms, code.lower().replace("-", ""), TOKEN)
    assert (status, found["reference"], found["verdict"]["level"]) == (200, code, "ready")
    call = next(m for m in from_json(found).measurements if m.name == "call")
    assert call.failure is None
    assert call.values["call_frames_per_second"] > 24
    assert call.values["call_setup_seconds"] < 1
    assert call.values["rtt_p95_seconds"] < 0.1
    assert call.values["loss_up_ratio"] == call.values["loss_down_ratio"] == 0
    assert (call.facts["media_path"], call.facts["call_carries"]) == ("direct", "video")
    assert (call.facts["audio_codec"], call.facts["video_codec"]) == ("opus", "VP8")


def test_a_laptop_in_english_by_keyboard_and_the_network_goes_away(
    rooms: Rooms, chromium: Browser, axe: str, tmp_path: Path
):
    options: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"}
    with visiting(chromium, rooms.url("open"), reduced_motion="reduce", **options) as page:
        page.locator("#go").wait_for()
        assert violations(page, axe) == []
        for _ in range(3):  # two languages, and the button
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_selector("#returned:not(.none)")
        assert page.evaluate("document.activeElement.id") == "step"
        assert violations(page, axe) == []
        page.screenshot(path=tmp_path / "running.png", full_page=True)
        page.context.set_offline(offline=True)
        page.wait_for_selector(DONE, timeout=20_000)
        assert page.evaluate("document.activeElement.id") == "trouble-title"
        assert page.locator("#trouble").inner_text().split("\n")[-1] == "Test again"
        assert "lost in the middle" in page.locator("#trouble").inner_text()
        assert violations(page, axe) == []
        page.context.set_offline(offline=False)
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_selector("#returned:not(.none)")
        page.get_by_role("button", name="Stop").click()
        page.wait_for_selector("#start:not([hidden])")
        assert page.evaluate("document.activeElement.id") == "go"
        assert page.locator("#told").inner_text().startswith("The test was stopped")


def test_a_blocked_microphone_is_named_and_the_camera_used(rooms: Rooms, chromium: Browser, axe: str, tmp_path: Path):
    with visiting(chromium, rooms.url("open", "sv"), ("camera",), viewport={"width": 390, "height": 844}) as page:
        page.locator("#go").click()
        page.get_by_text("Mikrofon: får inte användas. Tillåt mikrofonen").wait_for()
        page.wait_for_selector("#returned:not(.none)")
        assert violations(page, axe) == []
        page.screenshot(path=tmp_path / "running.png", full_page=True)


def test_a_call_that_finds_no_way_gets_its_verdict_and_code(rooms: Rooms, chromium: Browser, axe: str, tmp_path: Path):
    keys: list[str | None] = []
    address = rooms.url("nowhere", "sv") + "#org=habo-2027"
    with visiting(chromium, address, viewport={"width": 390, "height": 844}) as page:
        page.on("request", lambda r: keys.append(r.headers.get("motesklar-guest-key")) if r.method == "POST" else None)
        page.get_by_role("link", name="English").click()  # the address keeps whose guest this is
        page.wait_for_url("**/test?lang=en#org=habo-2027")
        assert "kept by the organisation" in page.locator("#kept").inner_text()
        page.locator("#go").click()
        page.wait_for_selector(DONE, timeout=30_000)
        page.screenshot(path=tmp_path / "verdict.png", full_page=True)
        assert page.locator("#headline").inner_text() == "Call support"
        assert page.locator("#means").inner_text() == "Sound and picture do not get through."
        assert page.locator("#action").inner_text().startswith("Call ")
        assert read_code(page.locator("#code").inner_text())
        assert "for a day" in page.locator("#code-more").inner_text()  # this room has no store
        assert violations(page, axe) == []
    assert [key for key in keys if key] == ["habo-2027"]  # with the record only

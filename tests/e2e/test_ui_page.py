"""The staff page in the system's Chromium: every state of the table can be read by all, at every size.

Two looks in a usual run; MOTESKLAR_UI_SCENARIOS=all: every one. The states come from a server of the tests
(tests/ui/page_server.py); the program's own server and flow have their own tests. MOTESKLAR_SHOTS names a folder for
pictures of every state.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.page_rooms import needs_chromium, violations, visiting
from tests.e2e.ui_pages import LOST, TABLE, fold, pictured, shown, unfold
from tests.ui.page_server import PageServer

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [needs_chromium, pytest.mark.slow]
LOOKS: dict[str, tuple[str, dict[str, Any]]] = {
    "sv-390": ("sv", {"viewport": {"width": 390, "height": 844}}),
    "en-1280-dark": ("en", {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"}),
    "sv-1280": ("sv", {"viewport": {"width": 1280, "height": 800}}),
    "en-390-dark": ("en", {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}),
}
USUAL = list(LOOKS)[:2]  # each language, each width, light and dark


@pytest.mark.parametrize("look", LOOKS if os.environ.get("MOTESKLAR_UI_SCENARIOS") == "all" else USUAL)
def test_each_state_can_be_read_by_all(server: PageServer, chromium: Browser, axe: str, shots: Path, look: str):
    lang, options = LOOKS[look]
    wrong = {}
    with visiting(chromium, f"{server.url}?lang={lang}", (), reduced_motion="reduce", **options) as page:
        page.locator("main[data-revision]").wait_for()
        for name, state in TABLE.items():
            shown(page, server, state)
            if page.locator("ms-preview").count():
                page.locator("ms-preview canvas:not(.none)").wait_for()
            pictured(page, shots / f"{name}-{look}.png")
            unfold(page)
            wrong[name] = violations(page, axe) + page.evaluate(LOST)
            assert page.locator("h1").count() == 1, name
            assert page.get_by_text("Inget spelas in" if lang == "sv" else "Nothing is recorded").is_visible(), name
            if name in ("degraded", "not_ready", "unknown"):
                pictured(page, shots / f"{name}-unfolded-{look}.png")
            fold(page)
    assert {name: found for name, found in wrong.items() if found} == {}


SIZES: dict[str, tuple[dict[str, int], str]] = {
    "zoom-200": ({"width": 640, "height": 400}, "100%"),
    "text-200": ({"width": 1280, "height": 800}, "200%"),
    "text-200-phone": ({"width": 390, "height": 844}, "200%"),
    "reflow-320": ({"width": 320, "height": 256}, "100%"),
}


@pytest.mark.parametrize("size", SIZES)
def test_enlarged_nothing_is_lost(server: PageServer, chromium: Browser, shots: Path, size: str):
    window, text = SIZES[size]
    wrong = {}
    with visiting(chromium, server.url, (), viewport=window) as page:
        page.locator("main[data-revision]").wait_for()
        page.evaluate("size => { document.documentElement.style.fontSize = size }", text)
        for name, state in TABLE.items():
            shown(page, server, state)
            unfold(page)
            wrong[name] = page.evaluate(LOST)
            if name in ("start", "heard", "picture_hint", "not_ready"):
                pictured(page, shots / f"{name}-{size}.png")
    assert {name: found for name, found in wrong.items() if found} == {}


def test_what_can_be_pressed_is_large_enough(server: PageServer, chromium: Browser):
    """24 pixels (WCAG 2.2, 2.5.8), and 44 for what leads on."""
    sizes = """() => [...document.querySelectorAll("button, a, summary")].filter(e => e.checkVisibility()).map(e => {
      const box = e.getBoundingClientRect(); return [e.textContent, Math.min(box.width, box.height), e.tagName] })"""
    with visiting(chromium, server.url, (), viewport={"width": 390, "height": 844}) as page:
        for name in ("start", "own_voice", "picture_hint", "connection_better", "not_ready"):
            shown(page, server, TABLE[name])
            unfold(page)
            found = page.evaluate(sizes)
            assert [text for text, size, _ in found if size < 24] == [], name
            assert [text for text, size, tag in found if tag == "BUTTON" and size < 44] == [], name


def test_in_forced_colours_and_with_less_motion(server: PageServer, chromium: Browser, shots: Path):
    options: dict[str, Any] = {
        "forced_colors": "active",
        "reduced_motion": "reduce",
        "viewport": {"width": 1280, "height": 800},
    }
    with visiting(chromium, server.url, (), **options) as page:
        for name in ("start", "connection_better", "speak_now", "degraded"):
            shown(page, server, TABLE[name])
            moving = "document.getAnimations().filter(a => a.playState === 'running').length"
            assert page.evaluate(moving) == 0
            pictured(page, shots / f"{name}-forced.png")

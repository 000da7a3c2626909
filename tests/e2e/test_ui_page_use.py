"""The staff page is used: by keyboard alone, with a screen reader, in both languages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from agent.ui.state import State
from tests.e2e.page_rooms import needs_chromium, visiting
from tests.e2e.ui_pages import TABLE, shown, unfold
from tests.ui import states
from tests.ui.page_server import PageServer

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [needs_chromium, pytest.mark.slow]

# ---- how it is used


def flow() -> Callable[[str, Mapping[str, Any]], State | None]:
    """A run that goes on as the answers come."""
    after: dict[tuple[str, str], State] = {
        ("heard", "again"): states.asking("speaker", "heard", number=2),
        ("heard", "yes"): states.asking("microphone", "speak", number=3),
        ("speak", "go"): states.asking("microphone", "own_voice", states.VOICE, number=4),
        ("own_voice", "play"): states.asking("microphone", "own_voice", states.VOICE, number=5),
        ("own_voice", "next"): states.asking("picture", "picture", states.PICTURE, number=6),
        ("picture", "good"): states.answered(states.DEGRADED, links=(states.WIFI_LINK, states.CABLE_LINK)),
    }
    kinds = {1: "heard", 2: "heard", 3: "speak", 4: "own_voice", 5: "own_voice", 6: "picture"}

    def then(path: str, body: Mapping[str, Any]) -> State | None:
        if path == "/v1/start":
            return states.asking("speaker", "heard")
        return after.get((kinds[body["question"]], body["answer"])) if path == "/v1/answer" else None

    return then


def tab_to(page: Page, name: str, most: int = 25) -> None:
    """By the keyboard alone. What has the focus is seen to have it, and is not hidden under the bar at the foot."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("name => document.activeElement.textContent.trim().startsWith(name)", name):
            break
    else:
        pytest.fail(f"no way by the keyboard to {name}")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    assert page.evaluate("""() => {
      const e = document.activeElement, box = e.getBoundingClientRect();
      return e.contains(document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2)) }""")


def arrived(page: Page, server: PageServer, count: int) -> None:
    """So many things have been asked of the program."""
    for _ in range(100):
        if len(server.asked) >= count:
            break
        page.wait_for_timeout(20)
    assert len(server.asked) == count


def test_the_whole_way_by_keyboard_alone(server: PageServer, chromium: Browser):
    server.then = flow()
    with visiting(chromium, server.url, (), viewport={"width": 1280, "height": 640}) as page:
        page.locator("main[data-revision]").wait_for()
        tab_to(page, "Jag är ensam")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Hördes tonen?").wait_for()
        assert page.evaluate("document.activeElement.textContent") == "Hördes tonen?"
        tab_to(page, "Spela igen")
        page.keyboard.press("Enter")
        page.wait_for_function("() => document.querySelectorAll('#told p').length === 2")  # it is asked once more
        assert page.evaluate("document.activeElement.textContent") == "Spela igen"  # the focus is where it was
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Läs meningen högt").wait_for()
        assert page.evaluate("document.activeElement.textContent") == "Läs meningen högt"
        tab_to(page, "Börja")
        page.keyboard.press("Space")
        page.get_by_role("heading", name="Lyssna på dig själv").wait_for()
        tab_to(page, "Spela upp")
        page.keyboard.press("Enter")
        assert page.locator(".answers .main").inner_text() == "Gå vidare"  # that comes next now
        arrived(page, server, 5)
        page.wait_for_function("() => !document.querySelector('.answers [aria-disabled]')")
        tab_to(page, "Gå vidare", 1)
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Syns du bra?").wait_for()
        tab_to(page, "Ja, gå vidare")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Fungerar, men").wait_for()
        assert page.evaluate("document.activeElement.textContent") == "Fungerar, men …"
        tab_to(page, "Gör om testet av uppkopplingen")
        page.keyboard.press("Enter")
        tab_to(page, "Alla mätvärden")
        page.keyboard.press("Enter")
        assert page.get_by_role("table", name="Mätvärden").is_visible()
    assert [body for path, body in server.asked if path == "/v1/answer"] == [
        {"question": 1, "answer": "again"},
        {"question": 2, "answer": "yes"},
        {"question": 3, "answer": "go"},
        {"question": 4, "answer": "play"},
        {"question": 5, "answer": "next"},
        {"question": 6, "answer": "good"},
    ]
    assert server.asked[0] == ("/v1/start", {"company": "alone"})
    assert server.asked[-1] == ("/v1/redo", {"steps": ["connection", "joining"]})


PRESSES: list[tuple[str, str, list[tuple[str, dict[str, Any]]]]] = [
    ("start", "Several of us", [("/v1/start", {"company": "several"})]),
    ("heard", "No", [("/v1/answer", {"question": 1, "answer": "no"})]),
    ("heard", "Stop", [("/v1/stop", {})]),
    ("heard", "Change to Jabra Evolve2 30", [("/v1/choose", {"kind": "speaker", "number": 2})]),
    ("picture_hint", "Change to Logitech C920", [("/v1/choose", {"kind": "camera", "number": 10})]),
    ("degraded", "Compare my connections", [("/v1/compare", {})]),
    ("unknown", "Test again", [("/v1/start", {"company": "alone"})]),
    (
        "degraded",
        "Change to Logitech C920",
        [("/v1/choose", {"kind": "camera", "number": 10}), ("/v1/redo", {"steps": ["picture"]})],
    ),
]


@pytest.fixture(scope="module")
def english(running: PageServer, chromium: Browser) -> Iterator[Page]:
    """A page that stays open over the table of presses."""
    with visiting(chromium, f"{running.url}?lang=en", (), viewport={"width": 1280, "height": 800}) as page:
        page.locator("main[data-revision]").wait_for()
        yield page


@pytest.mark.parametrize(("state", "name", "asked"), PRESSES, ids=[f"{s}: {n}" for s, n, _ in PRESSES])
def test_one_press_asks_the_program(server: PageServer, english: Page, state: str, name: str, asked: list[Any]):
    shown(english, server, TABLE[state])
    unfold(english)
    english.get_by_role("button", name=name).first.click()
    arrived(english, server, len(asked))
    assert server.asked == asked


def test_the_whole_test_again_begins_with_the_first_question(server: PageServer, english: Page):
    shown(english, server, TABLE["degraded"])
    english.get_by_role("button", name="Do the whole test again").click()
    english.get_by_role("button", name="I am alone").wait_for()
    assert english.evaluate("document.activeElement.textContent") == "Test before the meeting"
    english.get_by_role("button", name="Back to the answer").click()
    english.get_by_role("heading", name="Works, but …").wait_for()
    assert english.evaluate("document.activeElement.textContent") == "Works, but …"
    assert server.asked == []


def test_the_way_to_the_meeting_is_never_blocked(server: PageServer, english: Page):
    for name, state in TABLE.items():
        shown(english, server, state)
        if state.portal:
            link = english.locator("#foot").get_by_role("link", name="Go to meeting")
            assert link.get_attribute("href") == states.PORTAL, name
            assert (link.get_attribute("target"), link.get_attribute("rel")) == ("_blank", "noopener noreferrer")
            assert link.is_visible(), name


def test_going_to_the_meeting_in_the_middle_lets_go_of_the_camera(server: PageServer, english: Page):
    shown(english, server, TABLE["picture_good"])
    link = english.locator("#foot a")
    link.evaluate("a => { a.href = '/ui/icon.svg' }")  # nothing is fetched from anywhere else
    with english.context.expect_page() as opened:
        link.click()
    opened.value.close()
    assert server.asked == [("/v1/stop", {})]


# ---- what stays and what is said


def test_a_state_that_says_the_same_touches_nothing(server: PageServer, english: Page):
    watch = """() => { window.touched = 0;
      const watcher = new MutationObserver(all => { window.touched += all.length; });
      watcher.observe(document.body, { childList: true, subtree: true, characterData: true, attributes: true });
      window.unwatch = () => watcher.disconnect(); }"""
    for name in ("heard", "connection_better", "degraded"):
        shown(english, server, TABLE[name])
        english.evaluate(watch)
        shown(english, server, states.table()[name])
        assert english.evaluate("() => { window.unwatch(); return window.touched; }") == 1, name  # the revision


def test_the_languages_change_without_losing_the_place(server: PageServer, english: Page):
    shown(english, server, TABLE["degraded"])
    english.locator("details.all").evaluate("fold => { fold.open = true }")
    english.get_by_role("button", name="Svenska").click()
    english.get_by_role("heading", name="Fungerar, men …").wait_for()
    assert english.locator("html").get_attribute("lang") == "sv"
    assert english.title() == "Fungerar, men … – Mötesklar"
    assert english.locator("details.all").get_attribute("open") == ""
    assert english.evaluate("document.activeElement.textContent") == "Svenska"
    english.get_by_role("button", name="English").click()
    english.get_by_role("heading", name="Works, but …").wait_for()


def test_each_thing_is_said_once_and_nothing_while_the_microphone_listens(server: PageServer, chromium: Browser):
    told = "[...document.querySelectorAll('#told p')].map(p => p.textContent)"
    with visiting(chromium, f"{server.url}?lang=en", ()) as page:
        page.locator("main[data-revision]").wait_for()
        shown(page, server, TABLE["heard"])
        shown(page, server, states.table()["heard"])
        assert page.evaluate(told) == ["Did you hear the tone?"]
        shown(page, server, TABLE["speak_now"])
        assert page.evaluate(told) == ["Did you hear the tone?"]
        shown(page, server, TABLE["own_voice"])
        assert page.evaluate(told)[1:] == ["Speaker: Good. The tone was heard.", "Listen to yourself"]
        server.level(0.5)
        shown(page, server, TABLE["degraded"])
        assert page.evaluate(told)[-1].startswith("Works, but … The picture may freeze at times. A network cable")


def test_the_meter_has_words_that_change_rarely(server: PageServer, english: Page):
    shown(english, server, TABLE["speak_now"])
    meter = english.get_by_role("meter", name="How loud you are")
    assert meter.get_attribute("aria-valuetext") == "I hear no voice yet"
    for n in range(14):
        server.level(0.1 if n % 5 == 4 else 0.6)
        english.wait_for_timeout(90)
    english.locator("ms-meter .lit").first.wait_for()
    assert meter.get_attribute("aria-valuetext") == "I hear you well"
    assert english.locator("ms-meter .word").inner_text() == "I hear you well"


def test_the_preview_is_a_mirror_and_ends_with_its_step(server: PageServer, english: Page):
    shown(english, server, TABLE["picture_good"])
    canvas = english.locator("ms-preview canvas:not(.none)")
    canvas.wait_for()
    size = canvas.evaluate("c => [c.width, c.height, getComputedStyle(c).transform]")
    assert size == [640, 360, "matrix(-1, 0, 0, 1, 0, 0)"]
    left, right = canvas.evaluate("c => [220, 535].map(x => [...c.getContext('2d').getImageData(x, 150, 1, 1).data])")
    assert left[2] < 200 < right[2]  # the face, and the window
    shown(english, server, TABLE["connection"])
    english.wait_for_timeout(200)
    assert english.locator("ms-preview").count() == 0
    assert server.watching == 0

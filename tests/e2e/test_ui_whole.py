"""The staff page from the first question to the answer: the real program and page, real sound, a real network.

One of the cases in a usual run; MOTESKLAR_UI_SCENARIOS=all: every one of them in both languages, and what the person
mends is tested again. MOTESKLAR_SHOTS names a folder for pictures of each step. Figures are printed (pytest -rP).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.ui.state import STEPS
from tests.e2e.page_rooms import needs_chromium, visiting
from tests.e2e.ui_whole import Whole, whole
from tests.e2e.ui_whole_cases import CASES, HEADLINES, LEVELS, Case
from tests.e2e.ui_whole_person import TEXTS, Album, Person, Shown, answer_on
from tests.media_check.overheard import overheard
from tests.media_check.pulse import PROGRAM
from tests.media_check.test_microphone import needs_voice
from tests.netlab.fixtures import why_no_routers
from tests.turn_server import PROGRAM as COTURN

if TYPE_CHECKING:
    from playwright.sync_api import Page

LANGUAGES = ("sv", "en")
USUAL = [("all_good", "sv")]
EVERY = os.environ.get("MOTESKLAR_UI_SCENARIOS") == "all"
RUNS = [(name, lang) for name in CASES for lang in LANGUAGES] if EVERY else USUAL
MOST_S = 45.0  # asked for; a computer that does other things meanwhile gets twice that

pytestmark = [
    needs_chromium, needs_voice, pytest.mark.netlab, pytest.mark.slow, pytest.mark.timeout(240),
    pytest.mark.skipif(PROGRAM is None, reason="pulseaudio is not installed"),
    pytest.mark.skipif(COTURN is None, reason="turnserver is not installed (Debian: coturn)"),
]  # fmt: skip


@pytest.fixture(scope="module")
def computer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    if reason := why_no_routers():
        pytest.skip(reason)
    with whole(tmp_path_factory.mktemp("whole")) as it:
        yield it


@pytest.fixture
def it(computer: Whole) -> Iterator[Whole]:
    """Nothing is the matter, before and after."""
    yield computer
    computer.heal()


@pytest.mark.parametrize(("name", "lang"), RUNS)
def test_from_the_first_question_to_the_answer(it: Whole, shots: Path, name: str, lang: str) -> None:
    case = CASES[name]
    case.make(it)
    kept = shots if "MOTESKLAR_SHOTS" in os.environ else None
    with it.program(lang) as program, overheard("phones") as heard, visiting(it.chromium, program.url, ()) as page:
        page.set_viewport_size({"width": 1280, "height": 800})
        listens = case.listens and (EVERY or lang == "sv")  # to one's own voice: five seconds
        person = Person(page, lang, it.sound, heard, Album(page, kept, f"{name}-{lang}"), listens)
        person.begins()
        figures = person.attends()
        found = answer_on(page)
        print(f"{name} {lang}: first {figures.first:.1f} s, whole {figures.whole:.1f} s, of which the person")
        print(f"  {figures.waited:.1f} s, alone {figures.alone:.1f} s; {found}")
        assert figures.alone < 2 * MOST_S
        person.album.take("answer")
        says_what_it_must(case, lang, found)
        assert tuple(person.asked) == case.asked
        assert person.likeness is None or person.likeness > 0.9
        agrees(page, case, lang, found)
        in_the_other_language(page, case, lang)
        person.album.take_unfolded()
        if EVERY and case.mend is not None:
            case.mend(it)
            mended(person, case, found)


def says_what_it_must(case: Case, lang: str, found: Shown) -> None:
    at = LANGUAGES.index(lang)
    assert found.headline == HEADLINES[case.level][at]
    assert case.action[at] in found.action
    assert list(found.steps) == [TEXTS[lang][f"step_{step}"] for step in STEPS]
    for step in STEPS:
        if (must := case.says(step)) is not None:
            shown, says = found.steps[TEXTS[lang][f"step_{step}"]]
            assert (shown, must[1][at] in says) == (LEVELS[must[0]][at], True), f"{step}: {says}"


def agrees(page: Page, case: Case, lang: str, found: Shown) -> None:
    """The program's own document, and the report that is handed over."""
    state = page.evaluate("fetch('/v1/state').then(answer => answer.json())")
    answer = state["answer"]
    assert (state["phase"], answer["level"]) == ("done", case.level)
    assert (answer["headline"][lang], answer["reference"]) == (found.headline, found.code)
    for step in state["steps"]:
        must = case.says(step["name"])
        assert must is None or step["level"] == must[0]
    report = page.evaluate("lang => fetch(`/v1/report?lang=${lang}`).then(answer => answer.text())", lang)
    for words in (found.headline, found.action, found.code):
        assert words in " ".join(report.split())


def in_the_other_language(page: Page, case: Case, lang: str) -> None:
    other = LANGUAGES[1 - LANGUAGES.index(lang)]
    page.get_by_role("button", name=TEXTS[lang][f"language_{other}"]).click()
    says_what_it_must(case, other, answer_on(page))
    page.get_by_role("button", name=TEXTS[lang][f"language_{lang}"]).click()


def mended(person: Person, case: Case, before: Shown) -> None:
    """Only what the action concerned is tested again; the answer is another."""
    person.tests_again(before.code)
    figures = person.attends(before.code)
    after = answer_on(person.page)
    print(f"  mended, after {figures.whole:.1f} s: {after}")
    person.album.take("mended")
    assert after.headline == HEADLINES[case.mended][LANGUAGES.index(person.lang)]

"""The page's own words: both languages have each, nothing is without words, and no words are for nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from agent.ui import step_shared
from agent.ui.state import ANSWERS, STEPS, QuestionKind
from reports.advice import LANGUAGES
from reports.record import DEVICE_KINDS, FORMS, LEVELS

WEB = Path(step_shared.__file__).with_name("web")
TEXTS = {lang: json.loads((WEB / f"texts.{lang}.json").read_text("utf-8")) for lang in LANGUAGES}
SCRIPTS = {path.name: path.read_text("utf-8") for path in WEB.glob("*.js")}
TROUBLES = ("stopped", "busy", "broken", "silent", "lost")
METER = ("silent", "weak", "good", "loud")


def what_goes_on() -> set[str]:
    """The keys that the flow's own list names (step_shared.py)."""
    rows = re.findall(r"^\| [\w ]+ \| (.+?) *\|$", step_shared.__doc__ or "", re.MULTILINE)
    return {
        word for row in rows[1:] for word in re.findall(r"[a-z_]+(?=[,(]|$| \()", re.sub(r"\(.*?\)", "", row).strip())
    }


def made() -> Iterator[str]:
    """Keys that are put together by a script."""
    for step in STEPS:
        yield from (f"step_{step}", f"doing_{step}", f"redo_{step}")
    for kind, answers in ANSWERS.items():
        yield f"ask_{kind}"
        yield from (f"answer_{kind}_{answer}" for answer in answers)
    yield from (f"ask_{kind}_how" for kind in get_args(QuestionKind) if kind != "picture")
    yield from (f"{head}_{kind}" for kind in DEVICE_KINDS for head in ("other", "suggested"))
    yield from (f"form_{form}" for form in FORMS)
    yield from (f"level_{level}" for level in LEVELS)
    yield from (f"trouble_{kind}{more}" for kind in TROUBLES for more in ("", "_do"))
    yield from (f"meter_{word}" for word in METER)
    yield from (f"language_{lang}" for lang in LANGUAGES)
    yield from (f"line_{part}" for part in ("what", "value", "limit", "means", "source"))
    yield from ("company_alone", "company_several", "course_at")


def named() -> set[str]:
    """Keys that stand in a script as they are."""
    return {key for text in SCRIPTS.values() for key in re.findall(r'"([a-z]+(?:_[a-z]+)*)"', text)} & set(TEXTS["sv"])


def test_both_languages_have_the_same_keys_in_the_same_order():
    assert list(TEXTS["sv"]) == list(TEXTS["en"])


@pytest.mark.parametrize("key", TEXTS["sv"])
def test_a_sentence_has_the_same_places_in_both(key: str):
    places = [sorted(re.findall(r"{\w+}", TEXTS[lang][key])) for lang in LANGUAGES]
    assert places[0] == places[1]
    assert all(TEXTS[lang][key] for lang in LANGUAGES) or key == "form_unknown"


def test_everything_has_words():
    assert set(made()) - set(TEXTS["sv"]) == set()


def test_no_words_are_for_nothing():
    doing = {key for key in TEXTS["sv"] if key.startswith("what_")}
    assert set(TEXTS["sv"]) - set(made()) - named() - doing == set()


def test_what_the_flow_does_has_words_or_those_of_its_step():
    known = {key.removeprefix("what_") for key in TEXTS["sv"] if key.startswith("what_")}
    assert what_goes_on() - known == set()


def test_the_sentence_to_read_aloud_is_as_long_as_it_is_said_to_take():
    assert {lang: len(TEXTS[lang]["sentence"].split()) for lang in LANGUAGES} == {"sv": 13, "en": 13}


def test_nothing_is_loaded_from_anywhere_else():
    everything = "".join(path.read_text("utf-8") for path in WEB.iterdir())
    addresses = set(re.findall(r"https?://[^\s\"'`]+", everything))
    assert addresses == {"http://www.w3.org/2000/svg"}  # a name


def test_no_words_become_markup():
    for name, text in SCRIPTS.items():
        assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", text) == [], (
            name
        )

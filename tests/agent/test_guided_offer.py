"""What `motesklar check --guided` offers after its answer: in words, and in a real terminal, with a quick flow."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from agent.guided_offer import ENDS, NEXT, chosen, offered, steps_of
from agent.guided_words import Choice, choices
from agent.service import state as kept
from agent.ui.state import STEPS, Answer
from reports.advice import LANGUAGES, Lang, text
from tests.agent.guided_states import CABLE, WIFI, state
from tests.agent.program import VALIDATOR, VERDICTS

if sys.platform == "win32":
    pytest.skip("pseudo-terminals", allow_module_level=True)

from tests.agent.terminal import Terminal, quick

WORDS = {"sv": "x", "en": "x"}
NEXT_SAID = text("guided.next", "en")
HUM = {"microphone": [{"microphone_sound": "hum"}, {"microphone_sound": "good"}]}
LOCKS = ".local/share/motesklar"


def answer(*redo: str) -> Answer:
    return Answer("degraded", WORDS, WORDS, WORDS, "ABC", redo=redo)  # type: ignore[arg-type]


# ---- in words


OFFERED = {
    "all is well": ((), (WIFI,), ["do the [w]hole test again", "[e]nd"]),
    "one step": (("picture",), (), ["[t]est the picture again", "do the [w]hole test again", "[e]nd"]),
    "two": (("speaker", "microphone"), (), ["[t]est the speaker and the microphone again", ..., ...]),
    "three": (STEPS[:3], (), ["[t]est the speaker, the microphone and the picture again", ..., ...]),
    "the network": (("connection", "joining"), (), ["[t]est the connection again", ..., ...]),
    "many": (STEPS, (), ["[t]est again where it is needed", ..., ...]),
    "two links": ((), (WIFI, CABLE), ["[c]ompare my connections", ..., ...]),
}


@pytest.mark.parametrize(("redo", "links", "labels"), OFFERED.values(), ids=OFFERED.keys())
def test_what_is_offered(redo: tuple[str, ...], links: tuple[Any, ...], labels: list[str]) -> None:
    found = [choice.label for choice in offered(state(links=links), answer(*redo), "en")]
    assert len(found) == len(labels)
    assert found == [label if wanted is ... else wanted for label, wanted in zip(found, labels, strict=True)]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_each_has_a_key_of_its_own_that_its_words_show(lang: Lang) -> None:
    for left_out in ("again", "needed"):  # never both
        each = choices("next", (name for name in NEXT if name != left_out), lang, what="x")
        assert len({choice.key for choice in each}) == len(each)
        assert all(re.fullmatch(r"[^\[]*\[[a-zåäö]\][^\[]*", choice.label) for choice in each)


@pytest.mark.parametrize("key", [*ENDS, "e"])
def test_to_end_is_the_default(key: str) -> None:
    found = chosen(key, offered(state(), answer("speaker"), "en"))
    assert found is not None
    assert found.answer == "end"


@pytest.mark.parametrize("key", ["x", " ", "1", "c"])
def test_other_keys_mean_nothing(key: str) -> None:
    assert chosen(key, offered(state(), answer("speaker"), "en")) is None


@pytest.mark.parametrize(
    ("name", "steps"),
    [("again", ("picture",)), ("needed", ("picture",)), ("compare", ("connection", "joining")), ("whole", STEPS)],
)
def test_what_is_done_again(name: str, steps: tuple[str, ...]) -> None:
    assert steps_of(Choice(name, "x", ""), answer("picture")) == steps


# ---- in a terminal


def read(program: Terminal) -> None:
    program.wait_for("[s]tart")
    program.press("s")
    program.wait_for("[g]o on")
    program.press("g")


def answered(program: Terminal) -> None:
    """Every question of a run; then it is asked what to do next."""
    program.wait_for("[y]es   [n]o")
    program.press("y")
    read(program)
    program.wait_for("[y]es, go on")
    program.press("y")
    program.wait_for(NEXT_SAID)


def test_only_what_the_answer_concerns_is_tested_again(tmp_path: Path) -> None:
    with quick(tmp_path, {"says": HUM}, "--html", "receipt.html") as program:
        answered(program)
        program.wait_for("[e]nd")
        program.press("\x1b[Ax")  # an arrow key begins as Esc does
        program.press("t")
        read(program)
        program.wait_for(NEXT_SAID)
        program.press("\x1b")
        assert program.end(5) == 0
        assert program.is_as_before()
    first, second = (program.shown.split(NEXT_SAID)[at] for at in (0, 1))
    assert text("headline.degraded", "en") in first
    assert "Step 1 of 6" in first
    assert text("headline.ready", "en") in second
    assert re.findall(r"Step \d of 6: \w+", second) == ["Step 2 of 6: Microphone"]
    assert text("headline.ready", "en") in (tmp_path / "receipt.html").read_text("utf-8")
    assert text("table.next", "en") not in program.shown.split(NEXT_SAID)[2], "the answer is shown once"


def test_the_links_are_compared_and_the_last_record_is_the_document(tmp_path: Path) -> None:
    with quick(tmp_path, {"wifi": True}, "--json", redirected=True) as program:
        answered(program)
        program.press("c")
        program.wait_for("Step 4 of 6: Connection")
        program.wait_for(NEXT_SAID)
        program.press("\r")
        code = program.end(5)
    found = json.loads(program.answer)
    VALIDATOR.validate(found)
    assert {m["subject"] for m in found["measurements"] if m["name"] == "echo"} == {"eth0", "wlan0"}
    assert VERDICTS[code] == found["verdict"]["level"]
    assert program.shown.count(text("table.not_recorded", "en")) == 2, "each answer is shown where it can be read"


def test_beside_the_page_it_waits_and_an_interrupt_ends_with_the_answers_code(tmp_path: Path) -> None:
    folder = tmp_path / LOCKS
    with quick(tmp_path, {"says": HUM}) as program:
        program.wait_for("[y]es   [n]o")
        assert kept.is_held(folder, kept.TEST_LOCK)
        program.press("y")
        read(program)
        program.wait_for("[y]es, go on")
        program.press("y")
        program.wait_for(NEXT_SAID)
        assert kept.who_tests(folder) == "check"
        with kept.held(folder, kept.TEST_LOCK):  # the page's, while the answer is read
            program.press("w")
            program.wait_for(text("guided.busy", "en"))
            program.wait_for(NEXT_SAID)
        program.interrupt()
        assert program.end(5) == 10
        assert program.is_as_before()
    assert "stopped" not in program.shown


def test_one_that_is_stopped_leaves_the_answer_before_it(tmp_path: Path) -> None:
    with quick(tmp_path, {"says": HUM, "lasts": {"microphone": 2}}, "--json", redirected=True) as program:
        answered(program)
        program.press("t")
        program.wait_for("[s]tart")
        program.press("s")
        program.wait_for("Answer: start")
        program.interrupt()
        assert program.end(8) == 10
        assert program.is_as_before()
    assert text("guided.stands", "en") in program.shown
    found = json.loads(program.answer)
    assert (found["interrupted"], found["verdict"]["level"]) == (False, "degraded")


def test_the_window_is_closed_when_the_answer_has_been_read(tmp_path: Path) -> None:
    with quick(tmp_path, {}, "--html", "receipt.html") as program:
        answered(program)
        program.wait_for("[e]nd")
        program.close()
        assert program.process.wait(5) == 0
    assert text("headline.ready", "en") in (tmp_path / "receipt.html").read_text("utf-8")

"""What the terminal says of a guided self-test, line by line."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from agent.guided_words import COMPANIES, Transcript, choices, devices, meter
from agent.ui.state import ANSWERS, STEPS, Answer, Contact
from reports.advice import LANGUAGES, Lang, ids, text
from tests.agent.guided_states import CABLE, SPEAKERS, WIFI, asking, at, result, state

QUESTIONS = {"company": COMPANIES, **ANSWERS}


def lines(transcript: Transcript, now: object) -> list[str]:
    return [said.line for said in transcript.news(now) if said.line]  # type: ignore[arg-type]


# ---- keys and words


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("kind", QUESTIONS)
def test_each_answer_has_a_key_of_its_own_that_its_words_show(kind: str, lang: Lang) -> None:
    offered = choices(kind, QUESTIONS[kind], lang)
    assert [choice.answer for choice in offered] == [*QUESTIONS[kind]]
    assert len({choice.key for choice in offered}) == len(offered)
    for choice in offered:
        assert re.fullmatch(r"[^\[]*\[[a-zåäö]\][^\[]*", choice.label), choice
        assert f"[{choice.key}]" in choice.label
        assert choice.plain == choice.label.replace("[", "").replace("]", "")


@pytest.mark.parametrize(("lang", "keys"), [("sv", "jni"), ("en", "yna")])
def test_yes_and_no_are_the_languages_own_letters(lang: Lang, keys: str) -> None:
    assert "".join(choice.key for choice in choices("heard", ANSWERS["heard"], lang)) == keys


def test_every_step_has_words() -> None:
    assert {f"{head}_{name}" for name in STEPS for head in ("step", "doing")} <= ids("guided")


@pytest.mark.parametrize(
    ("level", "full"), [(-1.0, 0), (0.0, 0), (0.5, 15), (1.0, 30), (7.0, 30)]
)  # fmt: skip
def test_the_meter(level: float, full: int) -> None:
    assert meter(level) == "█" * full + "░" * (30 - full)


# ---- what is new


def test_the_links_come_first_and_once() -> None:
    script, now = Transcript("en"), state(links=(WIFI, CABLE))
    assert lines(script, now) == ["You are using: wifi", "Better, and already here: cable"]
    assert lines(script, now) == []
    now.links = (replace(CABLE, in_use=True, better=False),)  # it was plugged in: told anew
    assert lines(script, now) == ["You are using: cable"]


def test_a_link_is_not_told_again_because_it_is_tested_now() -> None:
    script, now = Transcript("en"), state(links=(replace(WIFI, tested=False),))
    lines(script, now)
    now.links = (WIFI,)
    assert lines(script, now) == []


def test_a_step_from_its_beginning_to_its_end() -> None:
    script, now = Transcript("en"), state(devices=SPEAKERS)
    assert lines(script, at(now, "speaker", "running", what="looking")) == []
    assert lines(script, at(now, "speaker", "running", what="playing")) == ["Step 1 of 6: Speaker"]
    assert lines(script, asking(now, "speaker", "heard")) == [
        "Did you hear the tone?",
        "  Högtalare (dockan) is used.",
        "  Or change by its number: [2] Headset 45 (fits better)",
        "  [y]es   [n]o   play [a]gain",
    ]
    assert lines(script, now) == []
    now.question = None
    assert lines(script, at(now, "speaker", "done", result("It is heard"))) == ["  ✔ It is heard"]
    assert lines(script, at(now, "microphone", "running")) == ["Step 2 of 6: Microphone"]


def test_the_same_question_again_is_only_offered_again() -> None:
    script, now = Transcript("en"), state(devices=SPEAKERS)
    lines(script, asking(now, "speaker", "heard", 1))
    assert lines(script, asking(now, "speaker", "heard", 2)) == ["  [y]es   [n]o   play [a]gain"]
    now.devices = tuple(replace(device, chosen=not device.chosen) for device in SPEAKERS)
    assert "  Headset 45 is used." in lines(script, asking(now, "speaker", "heard", 3))


def test_a_step_that_is_done_once_more_is_told_and_asked_in_whole() -> None:
    script, now = Transcript("en"), state(devices=SPEAKERS)
    first = lines(script, asking(now, "speaker", "heard", 1))
    script.begins_again(["speaker"])
    assert lines(script, asking(now, "speaker", "heard", 2)) == first
    assert first[:2] == ["Step 1 of 6: Speaker", "Did you hear the tone?"]


def test_the_sentence_to_read_is_there_before_the_microphone_opens() -> None:
    said = lines(Transcript("sv"), asking(state(), "microphone", "speak"))
    assert "  " + text("guided.sentence", "sv") in said


def test_answers_that_are_not_offered_are_not_shown() -> None:
    said = lines(Transcript("en"), asking(state(), "microphone", "own_voice", answers=("next", "again")))
    assert said[-1] == "  [g]o on   read [a]gain"


def test_a_step_that_begins_again_is_told_again() -> None:
    script, now = Transcript("en"), state()
    first = lines(script, at(now, "microphone", "done", result("Not heard", "not_ready")))
    assert lines(script, at(now, "microphone", "waiting")) == []
    assert lines(script, at(now, "microphone", "running")) == []
    assert lines(script, at(now, "microphone", "done", result("Not heard", "not_ready"))) == first[1:]
    assert first == ["Step 2 of 6: Microphone", "  ✖ Not heard"]


@pytest.mark.parametrize(
    ("level", "line"),
    [("ready", "✔"), ("degraded", "!"), ("not_ready", "✖"), ("unknown", "?"), (None, "–")],
)
def test_colour_never_stands_alone(level: str, line: str) -> None:
    said = lines(Transcript("en"), at(state(), "computer", "done", result("So it is", level)))  # type: ignore[arg-type]
    assert said[-1] == f"  {line} So it is"


def test_what_is_left_out_is_said() -> None:
    said = lines(Transcript("en"), at(state(), "picture", "skipped"))
    assert said == ["Step 3 of 6: Picture", "  – Left out."]


def test_what_is_known_of_a_step_to_come_stands_before_all_steps() -> None:
    now = at(at(state(links=(WIFI,)), "computer", "waiting", result("It fits")), "speaker", "running")
    assert lines(Transcript("en"), now) == ["You are using: wifi", "  ✔ It fits", "Step 1 of 6: Speaker"]


def test_what_may_still_change_is_not_said_for_good() -> None:
    script, now = Transcript("en"), asking(state(), "picture", "picture")
    lines(script, at(now, "picture", "asking", result("It is dark", "degraded")))
    assert script.status(now, None) == ("The picture just now: It is dark", "")
    now.question = None
    assert lines(script, at(now, "picture", "done", result("It is good"))) == ["  ✔ It is good"]
    at(now, "connection", "running", result("The room answers", None), result("Good so far"))
    assert lines(script, now) == ["Step 4 of 6: Connection", "  – The room answers"]


def test_steps_side_by_side_are_told_one_after_the_other() -> None:
    script, now = Transcript("en"), at(at(state(), "connection", "running"), "joining", "done", result("You get in"))
    assert lines(script, now) == ["Step 4 of 6: Connection"]
    assert lines(script, at(now, "connection", "done", result("It holds"))) == [
        "  ✔ It holds", "Step 5 of 6: The way into the meeting", "  ✔ You get in",
    ]  # fmt: skip


# ---- what goes on


@pytest.mark.parametrize(
    ("doing", "level", "shown"),
    [
        ({"what": "speak_now", "fraction": 0.2}, 0.5, ("Read aloud now", "Level " + meter(0.5))),
        ({"what": "speak_now", "fraction": 0.2}, None, ("Read aloud now", meter(0.2))),
        ({"what": "opening", "fraction": 0.0}, 0.5, ("One moment", meter(0.0))),
        ({"what": "", "fraction": None}, None, ("Trying the microphone", "about 3 seconds")),
        ({"what": "of_a_newer_program", "fraction": None}, None, ("Trying the microphone", "about 3 seconds")),
    ],
)
def test_the_moving_line(doing: dict[str, object], level: float | None, shown: tuple[str, str]) -> None:
    now = at(state(), "microphone", "running", **doing)  # type: ignore[arg-type]
    assert Transcript("en").status(now, level) == shown


def test_nothing_moves_while_a_question_waits_or_nothing_goes_on() -> None:
    assert Transcript("en").status(asking(state(), "speaker", "heard"), None) == ("", "")
    assert Transcript("en").status(state(), None) == ("", "")


# ---- the end


def test_the_numbers_are_those_of_the_steps_own_devices() -> None:
    camera = replace(SPEAKERS[0], kind="camera", number=7)
    now = state(devices=(camera, *SPEAKERS))
    assert [device.number for device in devices(now, "speaker")] == [11, 12]
    assert devices(now, "connection") == ()


def test_handing_over() -> None:
    words = {"sv": "x", "en": "x"}
    people = (Contact("you", words, "", ""), Contact("municipal_it", {"sv": "IT", "en": "IT"}, "0100", ""))
    answer = Answer("unknown", words, words, words, "ABC", dial_in={"sv": "Ring", "en": "Dial"}, contacts=people,
                    untested=({"sv": "rum", "en": "the room"},))  # fmt: skip
    said = [each.line for each in Transcript("en").handover(answer)]
    assert said == ["Not tested: the room", "Dial", "If you need help, call first: IT 0100"]

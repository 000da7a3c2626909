"""States as the flow would show them, for the tests of what the terminal says of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from agent.ui.state import (
    ANSWERS,
    STEPS,
    DeviceChoice,
    LinkShown,
    Question,
    QuestionKind,
    Result,
    State,
    Step,
    StepName,
)
from reports.record import Level

SPEAKERS = (
    DeviceChoice(11, "speaker", "Högtalare (dockan)", "usb", chosen=True),
    DeviceChoice(12, "speaker", "Headset 45", "headset", chosen=False, suggested=True),
)
WIFI = LinkShown("wifi", in_use=True, tested=True, better=False, says={"sv": "trådlöst nät", "en": "wifi"})
CABLE = LinkShown("wired", in_use=False, tested=False, better=True, says={"sv": "nätverkskabel", "en": "cable"})


def result(words: str, level: Level | None = "ready") -> Result:
    return Result(level, {"sv": f"{words} (sv)", "en": words})


def state(**changes: Any) -> State:
    """Nothing has begun."""
    return replace(State("en", steps=tuple(Step(name, 3.0) for name in STEPS)), phase="running", **changes)


def at(of: State, name: StepName, doing: str, *results: Result, what: str = "", fraction: float | None = None) -> State:
    """The same flow a little later; the state is changed in place, as the flow does."""
    step = of.step(name)
    step.doing, step.results, step.what, step.fraction = doing, results, what, fraction  # type: ignore[assignment]
    return of


def asking(of: State, step: StepName, kind: QuestionKind, number: int = 1, answers: tuple[str, ...] = ()) -> State:
    of.question = Question(number, step, kind, answers or ANSWERS[kind])
    return at(of, step, "asking", *of.step(step).results)

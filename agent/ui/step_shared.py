"""What every step of the flow is given: the board that it writes on, the person, the devices, and its checks' errands.

What goes on is a key (`Step.what`), for which the page and the terminal have the words:

| step                | keys                                                                                     |
|---------------------|------------------------------------------------------------------------------------------|
| the first of a run  | looking (for devices and links)                                                          |
| speaker             | opening, playing                                                                         |
| microphone          | opening, speak_now (read aloud now), playing_back (one's own voice)                      |
| picture             | opening, watching (the preview is shown)                                                 |
| connection          | measuring, capacity, throughput, internet_speed                                          |
| joining             | join (the way to the meeting), call (a call for a trial)                                 |
| computer            | looking, encoding                                                                        |
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from agent.checks import GRACE_S, answer, errand
from agent.selftest import measurements_of
from agent.ui.state import Question, QuestionKind, Result, State, StepName
from media_check.errand import Step as CheckStep
from reports.draft import Draft
from reports.record import Failure, Level

if TYPE_CHECKING:
    from agent.options import Options
    from agent.ui.questions import Questions
    from agent.ui.step_devices import Devices
    from media_check.errand import Errand

DAY_S = 86400.0
CONTINUES = {
    "begun": "opening",
    "starting": "opening",
    "frames": "watching",
    "done": "",
}  # own keys for a check's words
OWN_VOICE = ("microphone", "playing")

Drafts = dict[str, Draft]  # by check; empty: the person left it out
Patient = Callable[["Errand", asyncio.Timeout], Awaitable[Draft]]


class Board:
    """The state, and who is told that it has changed."""

    def __init__(self, state: State, changed: Callable[[], None]) -> None:
        self.state, self._changed = state, changed

    def touch(self, **changes: Any) -> None:
        """Set fields of the state."""
        for name, value in changes.items():
            setattr(self.state, name, value)
        self.state.revision += 1
        self._changed()

    def step(self, name: StepName, **changes: Any) -> None:
        """Set fields of a step."""
        step = self.state.step(name)
        for field, value in changes.items():
            setattr(step, field, value)
        self.touch()

    def begins(self, name: StepName, what: str = "") -> None:
        """It is this step's turn: what it found before is gone."""
        self.step(name, doing="running", what=what, fraction=0.0, level=None, results=())

    def ends(self, name: StepName, level: Level | None, results: Sequence[Result] = ()) -> None:
        """`level` None: it was skipped."""
        doing = "skipped" if level is None else "done"
        self.step(name, doing=doing, what="", fraction=None, level=level, results=tuple(results))

    def asks(self, question: Question) -> None:
        """From now on this is asked."""
        step = self.state.step(question.step)
        step.doing, step.what, step.fraction = "asking", "", None
        self.touch(question=question)

    def asked(self, question: Question) -> None:
        """It is asked no more."""
        step = self.state.step(question.step)
        if step.doing == "asking":
            step.doing = "running"
        self.touch(question=None)


@dataclass(slots=True)
class Talk:
    """One run of the flow, as its steps know it."""

    options: Options
    board: Board
    questions: Questions
    devices: Devices
    level: Callable[[float], None]
    frame: Callable[[bytes], None]
    stop: asyncio.Event

    async def ask(self, step: StepName, kind: QuestionKind, answers: Sequence[str] = ()) -> str | None:
        """The person's answer; None: the run ends."""
        return await self.questions.ask(step, kind, self.stop, answers)

    def errand(self, name: str, step: StepName | None = None) -> Errand:
        """What a check is given. `step`: where it is shown how far it is."""
        show = (lambda at: self._progress(step, at)) if step else (lambda _: None)
        asked = errand(name, self.options, self.devices.found, self.stop, show)
        asked.attended, asked.chosen = True, dict(self.devices.chosen)
        return asked

    async def check(self, name: str, step: StepName | None = None) -> Draft:
        """A check's draft, whatever happens."""
        return sound(await answer(name, self.errand(name, step)))

    async def patient(self, name: str, step: StepName, work: Patient) -> Draft:
        """The draft of a check that waits for a person in between.

        `work` is given up like any other check, but it may move the moment when that is (`asyncio.Timeout`).
        """
        mine, at, begun = self.errand(name, step), time.time(), time.monotonic()

        async def timed(_: Errand) -> Draft:
            left = mine.deadline - time.monotonic() + GRACE_S
            try:
                async with asyncio.timeout(left) as net:
                    return await work(mine, net)
            except TimeoutError:
                return Draft(name, name, at, time.monotonic() - begun, failure=Failure(name, "timeout"))

        return sound(await answer(name, replace(mine, deadline=mine.deadline + DAY_S), timed))

    def _progress(self, name: StepName, at: CheckStep) -> None:
        step = self.board.state.step(name)
        if step.doing == "running":
            what = "playing_back" if (name, at.what) == OWN_VOICE else CONTINUES.get(at.what, at.what)
            self.board.step(name, what=what, fraction=max(at.fraction, step.fraction or 0.0) if what else None)
        if at.level is not None:
            self.level(min(1.0, max(0.0, at.level)))


def sound(draft: Draft) -> Draft:
    """Itself; in the place of one that no record can hold (a defect of its check), one that says so."""
    try:
        measurements_of((draft,))
    except ValueError:
        return broken(draft.name)
    return draft


def broken(name: str) -> Draft:
    """Of a check that this program could not make, by a defect."""
    return Draft(name, name, time.time(), failure=Failure(name, "probe_broken"))


def later(net: asyncio.Timeout, seconds: float | None) -> None:
    """What hangs is given up in so many seconds from now; None: not while a person is asked."""
    net.reschedule(None if seconds is None else asyncio.get_running_loop().time() + seconds)

"""What the terminal says of a guided self-test: what is new since it last looked, as lines. No terminal is touched."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from agent.ui.state import STEPS, Answer, DeviceChoice, LinkShown, Result, State, Step, StepName
from reports.advice import Lang, ids, text
from reports.record import DeviceKind
from reports.table import COLOURS, ICONS

DEVICE: Mapping[StepName, DeviceKind] = {"speaker": "speaker", "microphone": "microphone", "picture": "camera"}
CHANGING: tuple[StepName, ...] = ("picture", "connection", "joining")  # what they show is final only at their end
COMPANIES: tuple[Literal["alone", "several"], ...] = ("alone", "several")
METER = 30
_KEY = re.compile(r"\[(\w)\]")


class Said(NamedTuple):
    """A line, and how it looks; the words alone say it all."""

    line: str
    style: str = ""


class Choice(NamedTuple):
    """An answer, its key, and its words with the key in brackets."""

    answer: str
    key: str
    label: str

    @property
    def plain(self) -> str:
        """The words as they are said afterwards."""
        return _KEY.sub(r"\1", self.label)


def choices(kind: str, answers: Iterable[str], lang: Lang, **params: str) -> tuple[Choice, ...]:
    """Of a question of that kind. A sentence without a key in brackets is known by its first letter."""
    labels = [(answer, text(f"guided.{kind}_{answer}", lang, **params)) for answer in answers]
    return tuple(Choice(answer, _key(label), label) for answer, label in labels)


def _key(label: str) -> str:
    found = _KEY.search(label)
    return (found[1] if found else label[:1]).lower()


def devices(state: State, step: StepName) -> tuple[DeviceChoice, ...]:
    """Those to choose among for a step; the first is number 1 for whoever presses a key."""
    return tuple(each for each in state.devices if each.kind == DEVICE.get(step))[:9]


def _looking(step: Step) -> bool:
    """At the devices and links, before the first step."""
    return step.what == "looking" and step.name in DEVICE


def meter(level: float) -> str:
    """A bar of a live level, 0..1."""
    full = round(min(1.0, max(0.0, level)) * METER)
    return "█" * full + "░" * (METER - full)


@dataclass(slots=True)
class Transcript:
    """All that has been said. `news` gives what the state holds beyond it."""

    lang: Lang
    _links: tuple[str, ...] = ()
    _section: StepName | None = None
    _begun: set[StepName] = field(default_factory=set)
    _told: dict[StepName, list[Result]] = field(default_factory=dict)
    _asked: int | None = None
    _about: tuple[str, tuple[DeviceChoice, ...]] | None = None

    def beginning(self, state: State) -> list[Said]:
        """Before anything is asked."""
        seconds = round(sum(step.seconds for step in state.steps)) or 45
        return [
            *([Said(state.title, "bold")] if state.title else []),
            Said(self._text("intro", seconds=seconds)),
            Said(self._text("private")),
            Said(self._text("keys")),
        ]

    def company(self) -> list[Said]:
        """The first question."""
        return [Said(""), Said(self._text("company"), "bold"), self._offer(choices("company", COMPANIES, self.lang))]

    def answered(self, choice: Choice) -> Said:
        """What was just answered."""
        return Said("  " + self._text("answered", answer=choice.plain), "dim")

    def news(self, state: State) -> list[Said]:
        """In the order of the steps, the question last. What comes side by side waits for the one before it."""
        said = [*self._of_links(state.links)]
        for step in state.steps:
            if step.doing == "waiting":
                said += self._early(step)
        for step in state.steps:
            if step.doing != "waiting" and not _looking(step):
                said += self._of_step(step)
            if step.doing in ("running", "asking"):
                break
        return [*said, *self._of_question(state)]

    def status(self, state: State, level: float | None) -> tuple[str, str]:
        """What goes on just now, and how far it is; empty when nothing does. `level`: of the open microphone."""
        asked = state.question
        if asked is not None:
            return (self._hint(state) if asked.kind == "picture" else ""), ""
        step = next((each for each in state.steps if each.doing == "running"), None)
        if step is None:
            return "", ""
        if level is not None and step.what == "speak_now":
            return self._doing(step), f"{self._text('level')} {meter(level)}"
        if step.fraction is not None:
            return self._doing(step), meter(step.fraction)
        return self._doing(step), self._text("about", seconds=round(step.seconds))

    def begins_again(self, steps: Iterable[StepName]) -> None:
        """These are to be told from their beginning, and their questions asked in whole."""
        self._section = self._about = None
        for name in steps:
            self._begun.discard(name)
            self._told.pop(name, None)

    def stopping(self) -> Said:
        """It was interrupted."""
        return Said(self._text("stopping"))

    def stands(self) -> Said:
        """What was begun after an answer came to none."""
        return Said(self._text("stands"))

    def busy(self) -> Said:
        """Another self-test goes on."""
        return Said(self._text("busy"))

    def handover(self, answer: Answer) -> list[Said]:
        """What follows on the table: what was not tested, another way into the meeting, and whom to call."""
        lines = [self._text("untested", what=what[self.lang]) for what in answer.untested]
        if answer.dial_in is not None:
            lines.append(answer.dial_in[self.lang])
        first = next((contact for contact in answer.contacts if contact.phone or contact.url), None)
        if first is not None:
            lines.append(self._text("call", name=first.name[self.lang], phone=first.phone or first.url))
        return [Said(line) for line in lines]

    def _of_links(self, links: Sequence[LinkShown]) -> Iterator[Said]:
        shown = [
            ("link_better" if link.better else "link_in_use", link) for link in links if link.in_use or link.better
        ]
        lines = tuple(self._text(what, link=link.says[self.lang]) for what, link in shown)
        if lines != self._links:
            self._links, self._section = lines, None
            yield from (Said(line) for line in ("", *lines))

    def _early(self, step: Step) -> Iterator[Said]:
        """A step that is to come, or to be done again. Something may be known of it already."""
        self._begun.discard(step.name)
        told = self._told.setdefault(step.name, [])
        for result in step.results:
            if result not in told:
                told.append(result)
                self._section = None
                yield self._result(result)

    def _of_step(self, step: Step) -> Iterator[Said]:
        told = self._told.setdefault(step.name, [])
        if not step.results:
            told.clear()  # it begins, or begins again
        if step.name not in self._begun:
            self._begun.add(step.name)
            yield from self._head(step.name)
        for result in self._ripe(step):
            if result not in told:
                told.append(result)
                yield from self._head(step.name)
                yield self._result(result)

    def _ripe(self, step: Step) -> tuple[Result, ...]:
        """What will not change any more: hints about the picture come and go, and so does what half a network shows."""
        if step.doing == "skipped" and not step.results:
            return (Result(None, {self.lang: self._text("skipped")}),)
        if step.doing in ("running", "asking") and step.name in CHANGING:
            return tuple(result for result in step.results if result.level is None)
        return step.results

    def _head(self, name: StepName) -> Iterator[Said]:
        """Results may come from steps that go on side by side."""
        if self._section != name:
            self._section = name
            yield Said("")
            number = STEPS.index(name) + 1
            name_ = self._text(f"step_{name}")
            yield Said(self._text("step", number=number, count=len(STEPS), name=name_), "bold")

    def _result(self, result: Result) -> Said:
        icon, style = ("–", "") if result.level is None else (ICONS[result.level], COLOURS[result.level])
        return Said(f"  {icon} {result.says[self.lang]}", style)

    def _of_question(self, state: State) -> Iterator[Said]:
        question = state.question
        if question is None or question.number == self._asked:
            return
        self._asked = question.number
        yield from self._head(question.step)
        mine = devices(state, question.step)
        if (about := (question.kind, mine)) != self._about:
            self._about = about
            yield Said(self._text(question.kind), "bold")
            if question.kind == "speak":
                yield Said("  " + self._text("sentence"))
            yield from self._of_devices(mine)
        yield self._offer(choices(question.kind, question.answers, self.lang))

    def _of_devices(self, mine: Sequence[DeviceChoice]) -> Iterator[Said]:
        for device in mine:
            if device.chosen:
                yield Said("  " + self._text("device", name=device.name), "dim")
        if len(mine) > 1:
            others = [(n, each) for n, each in enumerate(mine, 1) if not each.chosen]
            yield Said("  " + self._text("choose") + " " + "  ".join(self._other(n, each) for n, each in others), "dim")

    def _other(self, number: int, device: DeviceChoice) -> str:
        return f"[{number}] {device.name}" + (f" ({self._text('suggested')})" if device.suggested else "")

    def _hint(self, state: State) -> str:
        """The first thing to mend in the picture, or that it is well."""
        hints = state.step("picture").results
        return self._text("picture_is", says=hints[0].says[self.lang]) if hints else ""

    def _offer(self, offered: Sequence[Choice]) -> Said:
        return Said("  " + "   ".join(choice.label for choice in offered))

    def _doing(self, step: Step) -> str:
        return self._text(f"what_{step.what}" if f"what_{step.what}" in ids("guided") else f"doing_{step.name}")

    def _text(self, msgid: str, **params: str | float) -> str:
        return text(f"guided.{msgid}", self.lang, **params)

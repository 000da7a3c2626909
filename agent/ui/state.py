"""What a guided self-test shows while it goes on: steps, a question, devices, links, and the verdict at its end.

Sentences that hold what was found are here in every language (`Said`), so that whoever shows them can change languages
at once. What is always the same (a step's name, what it is doing, a question) is a key; the page and the terminal
have the words for it. `as_json` is the document that the page gets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from media_check.errand import Company
from reports.advice import LANGUAGES, Lang
from reports.record import DeviceKind, Form, Kind, Level, Owner

Said = Mapping[str, str]  # language -> sentence
StepName = Literal["speaker", "microphone", "picture", "connection", "joining", "computer"]
Phase = Literal["start", "running", "done"]
Doing = Literal["waiting", "running", "asking", "done", "skipped"]
QuestionKind = Literal["heard", "speak", "own_voice", "picture"]

# In the order in which they are shown and done (requirements: sound, picture, connection, join path).
STEPS: tuple[StepName, ...] = ("speaker", "microphone", "picture", "connection", "joining", "computer")
# What may be answered. "again": the same once more. "choose" is no answer: choosing a device is a message of its own.
ANSWERS: Mapping[QuestionKind, tuple[str, ...]] = {
    "heard": ("yes", "no", "again"),  # the tone was played
    "speak": ("go", "skip"),  # the microphone opens at "go", and a sentence is to be read aloud
    "own_voice": ("play", "next", "again"),  # play: hear yourself; next: the sound is wiped; again: speak once more
    "picture": ("good", "skip"),  # the preview is shown; hints come and go until this is answered
}


def said(make: Any, *args: Any, **params: Any) -> Said:
    """`make(*args, lang, **params)` in each language; the languages' own sentences where it is reports.advice.text."""
    return {lang: make(*args, lang, **params) for lang in LANGUAGES}


@dataclass(frozen=True, slots=True)
class Result:
    """One thing that a step found. `level` None: neither good nor bad ("you are on wifi")."""

    level: Level | None
    says: Said


@dataclass(slots=True)
class Step:
    """`what`: a key for what goes on ("playing", "speak_now", "measuring", …), "" when nothing does.

    `seconds`: how long it takes as a rule, without the person's pauses. `fraction`: of it, None when it is not known.
    `level`: the worst of what was found, once it is done; None before, and for what was skipped.
    """

    name: StepName
    seconds: float
    doing: Doing = "waiting"
    what: str = ""
    fraction: float | None = None
    level: Level | None = None
    results: tuple[Result, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """`number`: answers name it, so that a late one answers nothing else. `answers`: of ANSWERS."""

    number: int
    step: StepName
    kind: QuestionKind
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DeviceChoice:
    """`number`: by which it is chosen; stable while the page is open. `name`: as its user knows it; never reported."""

    number: int
    kind: DeviceKind
    name: str
    form: Form
    chosen: bool
    suggested: bool = False  # a better one than the chosen: it hears the person speak, or fits the company


@dataclass(frozen=True, slots=True)
class LinkShown:
    """`says`: in plain words, with the signal where it is weak. `better`: it should rather be used."""

    kind: Kind
    in_use: bool
    tested: bool
    better: bool
    says: Said


@dataclass(frozen=True, slots=True)
class Point:
    """Half a second of the run on one link. `rtt_seconds` None: nothing came back."""

    seconds: float  # since the run's first packet
    rtt_seconds: float | None
    loss_ratio: float


@dataclass(frozen=True, slots=True)
class Course:
    """A link's run, for the small chart. `says`: the link in words."""

    kind: Kind
    says: Said
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One measurement for IT, in words. `source`: of the limit. `evidence`: more than the value. Each may be ""."""

    level: Level
    what: Said
    value: Said
    limit: Said
    means: Said
    source: Said
    evidence: Said


@dataclass(frozen=True, slots=True)
class Value:
    """What was measured beside what the policy judges, for IT. `standard`: where the quantity is defined, or "".

    `name`: of the quantity in reports.vocabulary, as it is in JSON, metrics and the store.
    """

    what: Said
    value: Said
    standard: str
    name: str


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom to call, the first of the list first."""

    owner: Owner
    name: Said
    phone: str
    url: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The verdict, with its one next action and what belongs to handing over.

    `redo`: the steps that the action concerns, to be done again. `sound_only`: the call carries sound, not video.
    `dial_in`: what to do when the browser will not do, None when the verdict needs none. `portal`: the meeting's own
    login page, None when no service is configured. `untested`: what was not tested, and how IT turns it on.
    """

    level: Level
    headline: Said
    means: Said
    action: Said
    reference: str
    redo: tuple[StepName, ...] = ()
    sound_only: bool = False
    dial_in: Said | None = None
    portal: str | None = None
    contacts: tuple[Contact, ...] = ()
    untested: tuple[Said, ...] = ()
    lines: tuple[Line, ...] = ()
    values: tuple[Value, ...] = ()
    courses: tuple[Course, ...] = ()


@dataclass(slots=True)
class State:
    """All that is shown. `lang`: of the settings or this computer; the page may show another.

    `trouble`: why it ended early, as a key: "stopped", "busy" (another window or program tests just now), "broken".
    """

    lang: Lang
    title: str = ""  # of the meeting service
    portal: str | None = None  # its own login page: going to the meeting is never blocked, not even in the middle
    room: Literal["configured", "embedded"] = "embedded"
    phase: Phase = "start"
    company: Company | None = None
    steps: tuple[Step, ...] = ()
    question: Question | None = None
    devices: tuple[DeviceChoice, ...] = ()
    links: tuple[LinkShown, ...] = ()
    comparing: bool = False  # the run compares all links
    answer: Answer | None = None
    trouble: str = ""
    started_at: float | None = None
    revision: int = field(default=0)

    def step(self, name: StepName) -> Step:
        """KeyError: there is none of that name."""
        return {step.name: step for step in self.steps}[name]


def as_json(state: State) -> dict[str, Any]:
    """The same as a document of plain lists and dictionaries."""
    return asdict(state)

"""What a probe is given (Session), and how it says what it saw (measuring)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from probes.profile import GENERIC, Profile
from reports.record import Fact, Failure, Link, Measurement
from reports.rules import Traffic
from reports.vocabulary import FAILURES, NAMES

if TYPE_CHECKING:
    import asyncio

    from probes.room import Room
    from probes.roundtrip import Trace

Failures = Mapping[type[BaseException], str]


class ProbeFailure(Exception):  # noqa: N818 - a network that does not answer is data, not an error
    """Ends a probe with a failure code of the vocabulary. `step`: where in the probe, when it has several."""

    def __init__(self, code: str, detail: str = "", step: str = "") -> None:
        super().__init__(code)
        self.code, self.detail, self.step = code, detail, step


@dataclass(frozen=True, slots=True)
class Floor:
    """What this computer and program add, measured against the reflector in this computer."""

    rtt_seconds: float
    jitter_seconds: float


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a probe on one link is: `fraction` 0–1 of its packets, `received` of `sent` so far."""

    probe: str
    link: str
    fraction: float
    sent: int
    received: int


@dataclass(slots=True)
class Session:
    """One probe's errand: by which link, against which room, for how long, at what cost.

    `start` gives the moment (time.monotonic_ns) at which probes on several links begin together.
    `traces` receives the raw round trips under the link's name. `budget_bytes` may pass both ways together; a probe
    that moves much says how much in its fact "moved_bytes" (IP packets). `settled(name, low, high)`: would every value
    between the two lead to the same verdict? `profile`: the meeting service.
    `frugal`: a metered or shared link, and nobody asked for more.
    `named`: asked for by name. `deep`: take the time it needs. `links`: all of this computer's, as found at the start.
    """

    link: Link | None  # None: this computer's own loopback
    room: Room
    seconds: float
    deadline: float  # time.monotonic()
    budget_bytes: float
    stop: asyncio.Event
    start: Start | Place
    traffic: Traffic
    settled: Callable[[str, float, float], bool] = lambda _name, low, high: low == high
    frugal: bool = False
    named: bool = False
    deep: bool = False
    links: tuple[Link, ...] = ()
    profile: Profile = GENERIC
    isochronous_interval: float | None = None
    floor: Floor | None = None
    traces: dict[str, Trace] = field(default_factory=dict)
    progress: Callable[[Progress], None] = lambda _: None

    @property
    def subject(self) -> str:
        """The link's name."""
        return self.link.name if self.link else "loopback"


class Start:
    """The common moment of several probes: when all are ready, or at the latest after `patience` seconds."""

    LEAD_NS = 60_000_000

    def __init__(self, runners: int = 1, patience: float = 9.0) -> None:
        import asyncio

        self._missing = runners
        self._patience = patience
        self._all_here = asyncio.Event()
        self._at_ns = 0

    def leave(self) -> None:
        """A probe that failed before it was ready is not waited for."""
        self._missing -= 1
        if self._missing <= 0:
            self._all_here.set()

    async def together(self) -> int:
        """Wait for the others; the common start, shortly ahead."""
        self.leave()
        return await self.moment()

    async def moment(self) -> int:
        """The common start, for one that is counted already."""
        import asyncio

        try:
            await asyncio.wait_for(self._all_here.wait(), self._patience)
        except TimeoutError:
            self._all_here.set()
        now = time.monotonic_ns()
        if self._at_ns < now:  # the first to ask; or one so late that the others have begun: it begins on its own
            self._at_ns = now + self.LEAD_NS
        return self._at_ns


class Place:
    """One probe's place among those that start together: it is counted once, however often it leaves."""

    def __init__(self, common: Start) -> None:
        self._common, self._counted = common, False

    def leave(self) -> None:
        """This one is not waited for (any more)."""
        if not self._counted:
            self._counted = True
            self._common.leave()

    async def together(self) -> int:
        """Wait for the others; the common start (time.monotonic_ns), shortly ahead."""
        self.leave()
        return await self._common.moment()


@dataclass(slots=True)
class Draft:
    """A Measurement being filled. `parts`: those of a probe that goes in several steps, each a Measurement itself."""

    name: str
    subject: str
    started_at: float
    duration_s: float = 0.0
    values: dict[str, float] = field(default_factory=dict)
    facts: dict[str, Fact] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)
    failure: Failure | None = None
    parts: list[Draft] = field(default_factory=list)

    def measurement(self) -> Measurement:
        """The finished record. ValueError: a name that the vocabulary does not have (a defect)."""
        if strange := {*self.values, *self.unknown} - NAMES:
            raise ValueError(f"not in the vocabulary: {sorted(strange)}")
        if self.failure is not None and self.failure.code not in FAILURES:
            raise ValueError(f"not a failure code of the vocabulary: {self.failure.code}")
        return Measurement(
            self.name, self.subject, self.started_at, self.duration_s,
            self.values, self.facts, self.unknown, self.failure,
        )  # fmt: skip


@contextmanager
def measuring(name: str, session: Session, failures: Failures) -> Iterator[Draft]:
    """Time a step. Of exceptions only ProbeFailure and the listed kinds become a failure; others are defects."""
    draft = Draft(name, session.subject, time.time())
    begun = time.monotonic()
    try:
        yield draft
    except ProbeFailure as failure:
        draft.failure = Failure(failure.step or name, failure.code, failure.detail)
    except tuple(failures) as error:
        code = next(code for kind, code in failures.items() if isinstance(error, kind))
        draft.failure = Failure(name, code)
    finally:
        draft.duration_s = time.monotonic() - begun

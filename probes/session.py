"""What a probe is given (Session), and how it says what it saw (measuring)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from probes.profile import GENERIC, Profile
from reports.draft import Draft, Failures, ProbeFailure, drafting
from reports.record import Link
from reports.rules import Traffic

if TYPE_CHECKING:
    import asyncio

    from probes.room import Room
    from probes.roundtrip import Trace

__all__ = ["Draft", "Failures", "Floor", "Place", "ProbeFailure", "Progress", "Session", "Start", "measuring"]


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


def measuring(
    name: str, session: Session, failures: Failures, values: Iterable[str] = ()
) -> AbstractContextManager[Draft]:
    """Time a step of this errand, as reports.draft.drafting does."""
    return drafting(name, session.subject, failures, values)

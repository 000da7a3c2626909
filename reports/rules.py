"""The shapes of a policy: a rule's row and how it judges one value, and what else turns measurements into a verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from reports.record import Kind, Level, Owner

Band = tuple[float, float]
ANY: Band = (-math.inf, math.inf)
Better = Literal["lower", "higher", "within", "words"]
Per = Literal["link", "computer"]
Judge = Literal["value", "low"]


@dataclass(frozen=True, slots=True)
class Row:
    """One rule. `ready` and `acceptable` are intervals of the value, in its SI base unit.

    Outside `acceptable` is not ready, between the two is degraded.
    `consequence` is the stem of two messages, …_degraded and …_not_ready. `explained_by`: a rule that,
    when it is not ready in the same measurement, says whose fault this is. `words` is set for a fact, not for a number.
    """

    rule: str
    value: str
    better: Better
    owner: Owner
    advice: str
    consequence: str
    source: str
    per: Per
    ready: Band = ANY
    acceptable: Band = ANY
    words: Mapping[str, Level] = field(default_factory=dict)
    ready_when_tested: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()  # words of which other rows speak, by their numbers
    judge: Judge = "value"
    needs: str | None = None
    floor: str | None = None
    required: bool = False
    by_kind: bool = False
    advice_high: str | None = None
    consequence_high: str | None = None
    explained_by: str | None = None
    advices: Mapping[str, str] = field(default_factory=dict)  # words only: another advice for a word

    def level(self, value: float | str) -> Level:
        """The level of a value. NaN, and a word that the row does not list, is unknown."""
        if isinstance(value, str):
            return self.words.get(value, "unknown")
        if math.isnan(value):
            return "unknown"
        if not self.acceptable[0] <= value <= self.acceptable[1]:
            return "not_ready"
        return "ready" if self._good(value) else "degraded"

    def _good(self, value: float) -> bool:
        low, high = self.ready
        if self.better == "lower" and high > 0:  # "under 100 ms"; but a limit of 0 means "none at all"
            return value < high
        return low <= value <= high

    def limit(self, value: float, level: Level) -> float | None:
        """The limit that decided `level`; of two, the one on the value's side."""
        low, high = self.acceptable if level == "not_ready" else self.ready
        finite = [bound for bound in (low, high) if math.isfinite(bound)]
        return min(finite, key=lambda bound: abs(value - bound), default=None)

    def too_high(self, value: float | str) -> bool:
        """Above a two-sided row's upper end: other words are needed there."""
        return self.better == "within" and not isinstance(value, str) and value > self.ready[1]


@dataclass(frozen=True, slots=True)
class Situation:
    """What to make of a failure code, or of a situation that is no value: its level, who can act, what to say."""

    level: Level
    owner: Owner
    advice: str


@dataclass(frozen=True, slots=True)
class Threshold:
    """A limit of the diagnosis: in the unit that its name ends in, and where it comes from."""

    value: float
    source: str


@dataclass(frozen=True, slots=True)
class ByKind:
    """Who can act, and how, when a row with `by_kind` speaks about a link of this kind."""

    owner: Owner
    advice: str


@dataclass(frozen=True, slots=True)
class Traffic:
    """The meeting-shaped traffic that the echo probe sends: bytes, bytes per second, seconds."""

    video_bytes_per_second: float
    video_frame_interval_seconds: float
    audio_interval_seconds: float
    audio_payload_bytes: int
    video_packet_max_bytes: int
    playout_buffer_seconds: float


@dataclass(frozen=True, slots=True)
class Readiness:
    """How long a self-test counts, in seconds from its start, and how long before its end that is said."""

    valid_seconds: float
    soon_seconds: float


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything that turns measurements into a verdict, and verdicts into readiness."""

    rows: Mapping[str, Row]
    failures: Mapping[str, Situation]
    situations: Mapping[str, Situation]
    kinds: Mapping[Kind, ByKind]
    traffic: Traffic
    diagnosis: Mapping[str, Threshold]
    faults: Mapping[str, Situation]
    readiness: Readiness

    def limit(self, name: str) -> float:
        """A threshold of the diagnosis."""
        return self.diagnosis[name].value

    def settled(self, value: str, low: float, high: float) -> bool:
        """Would every value from `low` to `high` get the same level from each row about it?"""
        rows = [row for row in self.rows.values() if row.value == value]
        return all(row.level(low) == row.level(high) for row in rows if not row.words)

    def failure(self, code: str) -> Situation:
        """A code that this table does not know comes from a newer program: treated as a defect of this one."""
        return self.failures.get(code, self.failures["probe_broken"])

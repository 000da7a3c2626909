"""What goes into the store and comes out of it. Times are seconds since 1970-01-01 UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from reports.record import Finding, Level

Outcome = Literal["stored", "known"]
Source = Literal["agent", "browser"]

NO_LINK = "none"  # the link kind of a self-test without links, and of a browser that does not tell
LONGEST_NAME = 100  # of an organisation, machine, unit or room
# the quantities whose distribution is kept for each organisation, unit and link kind, with the upper ends of buckets
BUCKETS: dict[str, tuple[float, ...]] = {
    "rtt_p95_seconds": (0.02, 0.05, 0.1, 0.2, 0.3, 1.0),
    "jitter_up_seconds": (0.005, 0.01, 0.015, 0.03, 0.06, 0.2),
    "jitter_down_seconds": (0.005, 0.01, 0.015, 0.03, 0.06, 0.2),
    "loss_up_ratio": (0.0, 0.001, 0.01, 0.03, 0.1, 0.3),
    "loss_down_ratio": (0.0, 0.001, 0.01, 0.03, 0.1, 0.3),
    "throughput_up_bytes_per_second": (62_500.0, 125_000.0, 250_000.0, 500_000.0, 1_250_000.0, 12_500_000.0),
    "throughput_down_bytes_per_second": (62_500.0, 125_000.0, 250_000.0, 500_000.0, 1_250_000.0, 12_500_000.0),
}


class StoreError(RuntimeError):
    """The store cannot be reached or used. One line, without the URL's password."""


class NamesError(ValueError):
    """The CSV of machines cannot be used; one line says which line and why."""


@dataclass(frozen=True, slots=True)
class Record:
    """A self-test as it is kept. `document`: its JSON, compressed. `machine`: "" when nobody said which."""

    organisation: str
    machine: str
    run_id: str
    started_at: float
    received_at: float
    level: Level
    link_kind: str
    source: Source
    version: str
    document: bytes
    action: str = ""
    action_params: Mapping[str, str | float] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()  # those that are not ready; `subject` is a kind, never a name
    passed: tuple[str, ...] = ()  # rules that were met on the link in use and this computer
    values: Mapping[str, float] = field(default_factory=dict)  # of BUCKETS


@dataclass(frozen=True, slots=True)
class Past:
    """One self-test among a machine's."""

    run_id: str
    started_at: float
    received_at: float
    level: Level
    link_kind: str
    source: Source
    version: str
    values: Mapping[str, float] = field(default_factory=dict)  # of BUCKETS


@dataclass(frozen=True, slots=True)
class Latest:
    """A machine, and its latest self-test if it has made any."""

    machine: str
    name: str
    unit: str
    room: str
    first_seen: float | None  # None: named, and never heard of
    last_seen: float | None
    test: Past | None = None
    findings: tuple[Finding, ...] = ()  # those that are not ready
    passed: tuple[str, ...] = ()
    action: str = ""
    action_params: Mapping[str, str | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Count:
    """One counted thing: of self-tests or findings by level, or of values in a bucket. Never falls.

    `name`: "self_tests" (label: level), "findings" (label: rule/level), "faults" (label: owner of the first
    finding/level of the verdict; not when ready), a quantity of BUCKETS (label: the number
    of its bucket, the last being all above), or a quantity + ":sum" (label "").
    """

    name: str
    organisation: str
    unit: str
    link_kind: str
    label: str
    value: float


@dataclass(frozen=True, slots=True)
class Machines:
    """How many machines have a latest self-test like that."""

    organisation: str
    unit: str
    link_kind: str
    level: str
    count: int


@dataclass(frozen=True, slots=True)
class Aggregates:
    """What there is to say of all organisations without naming a machine."""

    machines: tuple[Machines, ...]
    counts: tuple[Count, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """What became of a CSV: machines that had sent something, and machines that had not yet."""

    known: int
    new: int

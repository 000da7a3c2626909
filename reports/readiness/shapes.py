"""What is known of an organisation's machines at one moment. Times are seconds since 1970-01-01 UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from reports.record import Finding, Level, Owner

Standing = Literal["ready", "degraded", "not_ready", "unknown", "expired", "untested"]
STANDINGS: tuple[Standing, ...] = ("ready", "degraded", "not_ready", "unknown", "expired", "untested")


@dataclass(frozen=True, slots=True)
class Fix:
    """What to do and who can. `advice`: a message id; `findings`: what it would mend, none when a test is missing."""

    owner: Owner
    advice: str
    params: Mapping[str, str | float] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One machine. `requirements`: the level of each that was tested; one that is not there was not.

    `level`: of the latest self-test, however old. `soon`: it counts still, and not for long.
    """

    machine: str
    name: str
    unit: str
    room: str
    standing: Standing
    soon: bool = False
    level: Level | None = None
    tested_at: float | None = None
    valid_until: float | None = None
    link_kind: str | None = None
    run_id: str | None = None
    reference: str | None = None
    requirements: Mapping[str, Level] = field(default_factory=dict)
    fixes: tuple[Fix, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """The whole table. `unit`: None: all units; "": machines that belong to none."""

    organisation: str
    unit: str | None
    made_at: float
    valid_seconds: float
    soon_seconds: float
    machines: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Total:
    """How many machines of a unit there are, and how many of each standing."""

    unit: str
    machines: int
    soon: int
    standings: Mapping[Standing, int]


@dataclass(frozen=True, slots=True)
class Work:
    """One thing to do, by whom, and on how many machines."""

    owner: Owner
    advice: str
    machines: int

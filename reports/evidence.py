"""What the probes saw of one link, side by side; and how strongly the losses speak for the first hop or against it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from reports.findings import SEVERITY, Judged, Subjects, effective
from reports.record import Fact, Finding, Kind, Link, Measurement

# After these a link's values say nothing about where on the way a fault is.
VOID = frozenset({"link_vanished", "link_no_address", "link_not_bound", "link_bypassed", "clock_stepped", "no_reply"})
_Z2 = 1.959964**2


@dataclass(frozen=True, slots=True)
class Evidence:
    """One subject: its finite values, its probes' facts by "probe.fact", the worst bad finding on each quantity.

    What was not measured is in none of them. `failures`: the codes of its probes' failures.
    """

    subject: str
    kind: Kind | None
    link: Link | None
    values: Mapping[str, float]
    facts: Mapping[str, Fact]
    bad: Mapping[str, Finding]
    failures: frozenset[str]

    def at_least(self, name: str, limit: float) -> bool:
        """Measured, and not below the limit."""
        return self.values.get(name, -math.inf) >= limit

    def ends(self, name: str) -> tuple[float, float] | None:
        """The 95 % interval, None when it was not given."""
        low, high = self.values.get(f"{name}_ci95_low"), self.values.get(f"{name}_ci95_high")
        return None if low is None or high is None else (low, high)

    def counts(self, *names: str) -> Counts | None:
        """The events and trials of these ratios together; None when none of them was measured."""
        known = [c for c in (self._counts(name) for name in names) if c is not None]
        return Counts(sum(c.events for c in known), sum(c.trials for c in known)) if known else None

    def first_hop_odds(self, silent: float) -> float | None:
        """As log_odds_of_first_hop; None also when one of the two losses was not measured, or there was none."""
        gateway, whole = self.counts("gateway_loss_ratio"), self.counts("loss_ratio", "path_loss_ratio")
        if gateway is None or whole is None or whole.events <= 0:
            return None
        return log_odds_of_first_hop(gateway, whole, silent)

    def _counts(self, name: str) -> Counts | None:
        ratio, ends = self.values.get(name), self.ends(name)
        return None if ratio is None or ends is None else counts(ratio, *ends)


def per_link(subjects: Subjects, measurements: Sequence[Measurement], found: Sequence[Judged]) -> Iterator[Evidence]:
    """The evidence about each link that carried packets; none within this computer."""
    for subject in dict.fromkeys(m.subject for m in measurements if m.subject in subjects.links):
        mine = [m for m in measurements if m.subject == subject]
        if not subjects.embedded and not any(m.failure and m.failure.code in VOID for m in mine):
            bad = [j.finding for j in found if j.network and j.finding.subject == subject]
            yield gather(subject, subjects, mine, bad)


def gather(subject: str, subjects: Subjects, measurements: Sequence[Measurement], found: Sequence[Finding]) -> Evidence:
    """All that these measurements hold; where two hold the same quantity, the first one counts."""
    values: dict[str, float] = {}
    facts: dict[str, Fact] = {}
    for m in reversed(measurements):
        values |= {name: value for name, value in m.values.items() if math.isfinite(value)}
        facts |= {f"{m.name}.{key}": fact for key, fact in m.facts.items()}
    failures = frozenset(m.failure.code for m in measurements if m.failure)
    link = subjects.links.get(subject)
    return Evidence(subject, subjects.kind(subject), link, values, facts, _bad(found), failures)


def _bad(found: Sequence[Finding]) -> dict[str, Finding]:
    wrong = [f for f in found if f.level in ("degraded", "not_ready")]
    return {str(f.params.get("quantity")): f for f in sorted(wrong, key=lambda f: SEVERITY[effective(f)])}


class Counts(NamedTuple):
    """So many of so many; not whole numbers when they were worked out from a ratio and its interval."""

    events: float
    trials: float


def counts(ratio: float, low: float, high: float) -> Counts | None:
    """How many of how many have this Wilson interval (E. B. Wilson, 1927), solved for the number of trials."""
    if not 0 <= low <= ratio <= high <= 1 or not 0 < high - low < 1:
        return None
    middle, width = (low + high) / 2, high - low
    central = abs(middle - 0.5) < 0.01  # else the middle lies between the ratio and one half, as z² / trials says
    spread = width**2 / (1 - width**2) if central else (ratio - middle) / (middle - 0.5)
    trials = min(1e7, _Z2 / max(spread, 1e-9))
    return Counts(ratio * trials, trials)


def log_odds_of_first_hop(gateway: Counts, whole: Counts, silent: float) -> float | None:
    """Log likelihood ratio of "the first hop loses it all" to "it loses nothing".

    In the one case the first router's probes and the round trips share one loss ratio; in the other the router leaves
    only `silent` of the probes unanswered. None when it leaves so many unanswered that what passes it cannot share
    them: a router that rations its answers tells nothing.
    """
    if _low(gateway) > _high(whole):
        return None
    shared = (gateway.events + whole.events) / (gateway.trials + whole.trials)
    here = _log_likelihood(gateway, shared) + _log_likelihood(whole, shared)
    beyond = _log_likelihood(gateway, silent) + _log_likelihood(whole, whole.events / whole.trials)
    return here - beyond


def _log_likelihood(seen: Counts, ratio: float) -> float:
    p = min(max(ratio, 1e-9), 1 - 1e-9)
    return seen.events * math.log(p) + (seen.trials - seen.events) * math.log1p(-p)


def _low(seen: Counts) -> float:
    return _wilson(seen, -1)


def _high(seen: Counts) -> float:
    return _wilson(seen, 1)


def _wilson(seen: Counts, sign: int) -> float:
    p, n = seen.events / seen.trials, seen.trials
    half = math.sqrt(_Z2 * (p * (1 - p) / n + _Z2 / (4 * n * n)))
    return (p + _Z2 / (2 * n) + sign * half) / (1 + _Z2 / n)

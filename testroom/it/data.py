"""What the pages count, of the machines' latest self-tests. Pure.

Every machine counts once, by its latest self-test, if that was begun within the period; else it is `untested`. So a
machine that tests itself every hour weighs no more than one that does so once a month.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from reports.record import KINDS, OWNERS, Finding
from reports.store.shapes import NO_LINK, Latest

UNTESTED = "untested"
STATES = ("ready", "degraded", "not_ready", "unknown", UNTESTED)
WRONG = ("not_ready", "degraded")
WORST = ("not_ready", "degraded", "unknown", "ready", UNTESTED)
AGES = (1, 7, 30, 90)  # days
Tally = Counter[str]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table, and of the bars beside it."""

    name: str
    tally: Tally


@dataclass(frozen=True, slots=True)
class Spread:
    """Values of one quantity on one kind of link; the ends are the 5th and the 95th percentile."""

    kind: str
    count: int
    low: float
    quarter: float
    median: float
    three_quarters: float
    high: float
    good: int | None  # how many were good enough; None: no rule says


def state(machine: Latest, since: float) -> str:
    """One of STATES."""
    return machine.test.level if machine.test is not None and machine.test.started_at >= since else UNTESTED


def tested(machines: Iterable[Latest], since: float) -> list[Latest]:
    """Those that are not untested."""
    return [m for m in machines if m.test is not None and m.test.started_at >= since]


def by_unit(machines: Iterable[Latest], since: float) -> list[Line]:
    """The units with most that is wrong first."""
    lines = _lines(machines, lambda m: m.unit, since)
    return sorted(lines, key=lambda line: (*(-line.tally[level] for level in WRONG), line.name))


def by_kind(machines: Iterable[Latest], since: float) -> list[Line]:
    """Kinds of links in the record's order; browsers, which do not tell, last."""
    order = {kind: i for i, kind in enumerate((*KINDS, NO_LINK))}
    lines = _lines(tested(machines, since), lambda m: m.test.link_kind if m.test else NO_LINK, since)
    return sorted(lines, key=lambda line: order.get(line.name, len(order)))


def total(machines: Iterable[Latest], since: float) -> Tally:
    """All of them."""
    return Counter(state(m, since) for m in machines)


def _lines(machines: Iterable[Latest], key: Callable[[Latest], str], since: float) -> list[Line]:
    tallies: dict[str, Tally] = defaultdict(Counter)
    for m in machines:
        tallies[key(m)][state(m, since)] += 1
    return [Line(name, tally) for name, tally in tallies.items()]


def subject_of(finding: Finding) -> str:
    """What a finding is about: a failure's code, or a quantity, or the situation that the rule names."""
    return str(finding.params.get("code", finding.params.get("quantity", finding.rule)))


def failing(machines: Iterable[Latest]) -> list[Line]:
    """Quantities and failures by the machines that have them, each machine once by its worst level."""
    lines = _worst(machines, lambda f: None if subject_of(f) == "fault" else subject_of(f))
    return sorted((ln for ln in lines if _wrong(ln.tally)), key=lambda ln: (-_wrong(ln.tally), ln.name))


def faults(machines: Iterable[Latest]) -> list[tuple[str, str, int]]:
    """(rule, owner, machines): the faults whose place was found, the most frequent first."""
    found: Counter[tuple[str, str]] = Counter()
    for m in machines:
        found.update({(f.rule, f.owner) for f in m.findings if subject_of(f) == "fault"})
    return [(rule, owner, n) for (rule, owner), n in sorted(found.items(), key=lambda item: (-item[1], item))]


def owners(machines: Iterable[Latest]) -> list[Line]:
    """Who can mend what is wrong: each machine once for each owner, by its worst level."""
    lines = _worst(machines, lambda f: f.owner)
    known = {line.name: line for line in lines if _wrong(line.tally)}
    return [known[owner] for owner in OWNERS if owner in known]


def _worst(machines: Iterable[Latest], key: Callable[[Finding], str | None]) -> list[Line]:
    tallies: dict[str, Tally] = defaultdict(Counter)
    for m in machines:
        worst: dict[str, str] = {}
        for f in m.findings:
            name = key(f)
            if name is not None:
                worst[name] = min(worst.get(name, f.level), f.level, key=WORST.index)
        for name, level in worst.items():
            tallies[name][level] += 1
    return [Line(name, tally) for name, tally in tallies.items()]


def _wrong(tally: Tally) -> int:
    return sum(tally[level] for level in WRONG)


def wrong_first(machines: Iterable[Latest], since: float) -> list[Latest]:
    """Those that are not ready, then the others that something is wrong with; of each the newest first."""
    wrong = [m for m in tested(machines, since) if state(m, since) in WRONG]
    return sorted(wrong, key=lambda m: (WORST.index(state(m, since)), -(m.test.started_at if m.test else 0.0)))


def has(machine: Latest, since: float, level: str, subject: str, owner: str) -> bool:
    """Is the machine one of those that the list was asked for? "" asks for nothing."""
    if level and state(machine, since) != level:
        return False
    if not subject and not owner:
        return True
    if state(machine, since) == UNTESTED:
        return False
    wrong = [f for f in machine.findings if f.level in WRONG]
    return any(subject in ("", subject_of(f)) and owner in ("", f.owner) for f in wrong)


def called(machine: Latest, find: str) -> bool:
    """Is it in the machine's name or room, or the beginning of its pseudonym? "" is in all."""
    sought = find.strip().casefold()
    names = (machine.name, machine.room)
    return any(sought in name.casefold() for name in names) or machine.machine.startswith(sought)


def spreads(quantity: str, machines: Iterable[Latest], good: Callable[[float], bool] | None = None) -> Iterator[Spread]:
    """How a quantity lies, for each kind of link on which it was measured."""
    values: dict[str, list[float]] = defaultdict(list)
    for m in machines:
        if m.test is not None and quantity in m.test.values:
            values[m.test.link_kind].append(m.test.values[quantity])
    for kind in (*KINDS, NO_LINK):
        if kind in values:
            ordered = sorted(values[kind])
            low, quarter, median, three, high = (quantile(ordered, q) for q in (0.05, 0.25, 0.5, 0.75, 0.95))
            fine = sum(map(good, ordered)) if good else None
            yield Spread(kind, len(ordered), low, quarter, median, three, high, fine)


def quantile(ordered: Sequence[float], q: float) -> float:
    """The smallest value that at least that share of the values does not exceed: always one that was measured."""
    return ordered[max(0, math.ceil(q * len(ordered)) - 1)]


def ages(machines: Iterable[Latest], now: float) -> Tally:
    """Machines by the age of their latest self-test: a number of AGES in which it fits, "older" or "never"."""
    found: Tally = Counter()
    for m in machines:
        found["never" if m.test is None else _age((now - m.test.started_at) / 86400)] += 1
    return found


def _age(days: float) -> str:
    return next((str(most) for most in AGES if days <= most), "older")


def versions(machines: Iterable[Latest]) -> list[tuple[str, int]]:
    """The program's versions, the most frequent first."""
    return Counter(m.test.version for m in machines if m.test).most_common()

"""From each machine's latest self-test to its row, and from the rows to totals and a list of what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from reports.findings import SEVERITY, effective
from reports.policy import Policy, Readiness
from reports.readiness.requirements import NAMES, of_finding, of_rule
from reports.readiness.shapes import STANDINGS, Fix, Report, Row, Standing, Total, Work
from reports.record import KINDS, Finding, Level, Owner
from reports.reference import code_of
from reports.store.shapes import Latest, Past

FIRST_TEST, NEW_TEST = "readiness.first_test", "readiness.new_test"
_SWEDISH = str.maketrans("åä", "äå")  # å comes before ä, and their numbers in Unicode do not
_NOT_ASKED = "not_asked"  # how many sit there, nobody said: then no test was made of what they need
_LINKS = ("use_cable", "use_link")  # actions that no finding asks for


def report(organisation: str, unit: str | None, machines: Sequence[Latest], policy: Policy, now: float) -> Report:
    """The table of these machines as it is `now`."""
    lasting = policy.readiness
    found = tuple(rows(machines, policy, now))
    return Report(organisation, unit, now, lasting.valid_seconds, lasting.soon_seconds, found)


def rows(machines: Sequence[Latest], policy: Policy, now: float) -> list[Row]:
    """A row for each machine, in the same order."""
    return [_row(machine, machine.test, policy.readiness, now) for machine in machines]


def totals(machines: Iterable[Row]) -> list[Total]:
    """One for each unit, by its name; machines without a unit last."""
    by_unit: dict[str, list[Row]] = {}
    for row in machines:
        by_unit.setdefault(row.unit, []).append(row)
    return [total(unit, by_unit[unit]) for unit in sorted(by_unit, key=in_order)]


def in_order(unit: str) -> tuple[bool, str]:
    """The key that sorts units as in Swedish; machines without one come last."""
    return not unit, unit.casefold().translate(_SWEDISH)


def total(unit: str, machines: Sequence[Row]) -> Total:
    """The sums of these rows."""
    counted = Counter(row.standing for row in machines)
    return Total(unit, len(machines), sum(row.soon for row in machines), {s: counted[s] for s in STANDINGS})


def work(machines: Iterable[Row]) -> list[Work]:
    """What is to be done, that which helps most machines first."""
    counted: Counter[tuple[Owner, str]] = Counter()
    for row in machines:
        counted.update({(fix.owner, fix.advice) for fix in row.fixes})
    ordered = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    return [Work(owner, advice, count) for (owner, advice), count in ordered]


def _row(machine: Latest, test: Past | None, lasting: Readiness, now: float) -> Row:
    if test is None:
        fixes: tuple[Fix, ...] = (Fix("you", FIRST_TEST),)
        return Row(machine.machine, machine.name, machine.unit, machine.room, "untested", fixes=fixes)
    counted = [f for f in machine.findings if _counts(f, machine, test)]
    until = test.started_at + lasting.valid_seconds
    standing: Standing = "expired" if until <= now else test.level
    return Row(
        machine=machine.machine,
        name=machine.name,
        unit=machine.unit,
        room=machine.room,
        standing=standing,
        soon=standing != "expired" and until - now <= lasting.soon_seconds,
        level=test.level,
        tested_at=test.started_at,
        valid_until=until,
        link_kind=test.link_kind,
        run_id=test.run_id,
        reference=code_of(test.run_id),
        requirements=_requirements(machine.passed, counted),
        fixes=tuple(_fixes(machine, counted, test.level, expired=standing == "expired")),
    )


def _counts(finding: Finding, machine: Latest, test: Past) -> bool:
    """Is it about the link in use, this computer or its devices? What another link lacks is no fault of the machine."""
    elsewhere = finding.subject in KINDS and finding.subject not in (test.link_kind, "other")
    return not elsewhere and finding.rule not in machine.passed


def _requirements(passed: Iterable[str], counted: Iterable[Finding]) -> dict[str, Level]:
    """The worst that was found of each. Something unknown leaves the requirement unknown: it is no pass."""
    found: dict[str, Level] = {of_rule(rule): "ready" for rule in passed}
    for finding in counted:
        if finding.value == _NOT_ASKED:
            continue
        name, level = of_finding(finding), effective(finding)
        if SEVERITY[level] >= SEVERITY[found.get(name, "ready")]:
            found[name] = level
    return {name: found[name] for name in NAMES if name in found}


def _fixes(machine: Latest, counted: Sequence[Finding], level: Level, *, expired: bool) -> Iterator[Fix]:
    if expired:
        yield Fix("you", NEW_TEST)
    if machine.action in _LINKS:
        kind = {"kind": machine.action_params["kind"]} if "kind" in machine.action_params else {}
        yield Fix("you", machine.action, kind)
    grouped: dict[tuple[Owner, str], list[Finding]] = {}
    for finding in counted:
        if _to_mend(finding, level):
            grouped.setdefault((finding.owner, finding.advice), []).append(finding)
    for (owner, advice), findings in grouped.items():
        yield Fix(owner, advice, findings[0].params, tuple(findings))
    if level == "unknown" and not grouped and not expired:
        yield Fix("you", "test_again")


def _to_mend(finding: Finding, level: Level) -> bool:
    """What is wrong; when there is no verdict also why there is none."""
    return effective(finding) in ("degraded", "not_ready") or (level == "unknown" and "consequence" in finding.params)

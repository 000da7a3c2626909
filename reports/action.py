"""The one next action: what this person can do now that helps most."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from reports.compare import KIND_ORDER, Comparison
from reports.diagnosis import SOURCE
from reports.findings import SEVERITY, Judged, Subjects, effective
from reports.record import Finding, Level, Link

OWN_FAULTS = ("own_upload", "own_download", "cpu_starved")
Action = tuple[str, dict[str, str | float]]


def next_action(subjects: Subjects, found: Sequence[Judged], level: Level, comparison: Comparison | None) -> Action:
    """A better link that is there, the fault that was named, what the person can do, the support; in that order.

    A fault of this computer comes first: it would go along to the other link.
    """
    findings = [j.finding for j in found]
    named = _named(subjects, findings, level)
    if named is not None and named.rule in OWN_FAULTS:
        return named.advice, {}
    better = better_link(subjects, findings, level, comparison)
    if better is not None:
        return _use(better, subjects)
    if level == "ready":
        return "ready_go", {}
    wrong = [f for f in findings if f.level != "ready" and not subjects.other(f.subject)]
    why = [j.finding for j in found if j.blocks and j.finding in wrong]
    first = _first_unknown(why, wrong) if level == "unknown" else named or _first_of_mine(wrong, level)
    if first is not None:
        return first.advice, {}
    if level == "unknown":
        return "test_again", {}
    owner = next((f.owner for f in wrong if f.owner != "you"), "municipal_it")
    return ("call_support" if level == "not_ready" else "report_fault"), {"owner": owner}


def _first_of_mine(wrong: Sequence[Finding], level: Level) -> Finding | None:
    """What the person can do about the verdict itself: a remark is no answer to "not ready"."""
    enough = ("not_ready",) if level == "not_ready" else ("degraded", "not_ready")
    return next((f for f in wrong if f.owner == "you" and f.level in enough), None)


def _named(subjects: Subjects, findings: Sequence[Finding], level: Level) -> Finding | None:
    """The first sure fault that accounts for the verdict."""
    of_mine = [f for f in findings if f.source == SOURCE and f.sure and not subjects.other(f.subject)]
    return next((f for f in of_mine if effective(f) == level), None)


def _first_unknown(why: Sequence[Finding], wrong: Sequence[Finding]) -> Finding | None:
    """Why there is no answer, when the person can mend that; then a fault of theirs; then what others must mend.

    The remark on the kind of link would not help a test that failed, so it is passed over.
    """
    why = [f for f in why if f.level == "unknown" and "consequence" in f.params]
    mine = [f for f in wrong if f.owner == "you" and f.level != "unknown" and not _kind_remark(f)]
    return next(iter([*(f for f in why if f.owner == "you"), *mine, *why]), None)


def _kind_remark(finding: Finding) -> bool:
    return finding.params.get("quantity") == "link_kind"


def _use(link: Link, subjects: Subjects) -> Action:
    kind = subjects.kind(link.name) or link.kind
    used = subjects.kind(subjects.chosen or "")
    return ("use_cable" if kind == "wired" and used != "wired" else "use_link"), {"link": link.name, "kind": kind}


def better_link(
    subjects: Subjects, findings: Sequence[Finding], level: Level, comparison: Comparison | None
) -> Link | None:
    """A connected link that the meeting should rather use, or None.

    A measured comparison outweighs the routine's order of kinds, except that a link which is good enough is not left
    for a kind that the routine advises against.
    """
    chosen = subjects.links.get(subjects.chosen or "")
    if chosen is None:
        return None
    rank, tested = _rank(subjects, chosen), {f.subject for f in findings}
    rivals = [link for link in subjects.links.values() if _rank(subjects, link) < rank]
    if level == "ready":
        rivals = [link for link in rivals if subjects.kind(link.name) == "wired"]
    if comparison is not None:
        rivals = [link for link in rivals if link.name not in tested or link.name == comparison.best]
        best = subjects.links.get(comparison.best or "")
        if best is not None and comparison.told_apart and _wanting(chosen, findings):
            rivals = [best]
    fit = [r for r in rivals if _fit(r, chosen, findings)]
    return min(fit, key=lambda link: _rank(subjects, link), default=None)


def _wanting(chosen: Link, findings: Sequence[Finding]) -> bool:
    return any(f.subject == chosen.name and f.level != "ready" and not _kind_remark(f) for f in findings)


def _rank(subjects: Subjects, link: Link) -> int:
    return KIND_ORDER.index(subjects.kind(link.name) or "other")


def _fit(rival: Link, chosen: Link, findings: Sequence[Finding]) -> bool:
    """Surely connected, not the same way out as the chosen one, and not measured to be no good."""
    same = rival.name == chosen.name or chosen.beneath == rival.name or rival.beneath == chosen.name
    levels = [SEVERITY[f.level] for f in findings if f.subject == rival.name]
    connected = rival.carrier is True and any(not _link_local(address) for address in rival.addresses)
    return connected and not same and max(levels, default=0) < SEVERITY["not_ready"]


def _link_local(address: str) -> bool:
    """An address that the computer gave itself: nothing answered on that link."""
    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_link_local
    except ValueError:
        return False

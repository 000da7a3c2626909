"""From measurements to findings: each policy row applied to each subject, each failure, each situation."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from reports.policy import Policy
from reports.record import Finding, Kind, Level, Link, Measurement
from reports.rules import Row, Situation

_WAYS = ("up", "down")
# Probes that give none of what the policy requires: it is not for their failure that it is missing.
BESIDE = frozenset({"path", "local", "dns", "join", "call", "capacity", "throughput", "internet_speed"})
BESIDE |= {"camera", "microphone", "speaker", "equipment", "computer"}  # checks of devices
SERVICE = "join"  # what this probe and its parts see is the way to the meeting service, not that to the room
SEVERITY: dict[Level, int] = {"ready": 0, "unknown": 1, "degraded": 2, "not_ready": 3}


def effective(finding: Finding) -> Level:
    """A not_ready that is not sure counts as degraded."""
    return "degraded" if finding.level == "not_ready" and not finding.sure else finding.level


@dataclass(frozen=True, slots=True)
class Judged:
    """A finding with what the verdict needs to know of it.

    `network`: it speaks about the way to the room. `blocks`: without it there is no answer.
    """

    finding: Finding
    network: bool
    blocks: bool = False


@dataclass(frozen=True, slots=True)
class Subjects:
    """Which link carries the meeting, and what each subject is."""

    links: Mapping[str, Link]
    chosen: str | None
    embedded: bool

    def kind(self, subject: str) -> Kind | None:
        """The kind of a link; a VPN's is that of the link beneath it, None when that is not known."""
        seen: set[str] = set()
        link = self.links.get(subject)
        while link is not None and link.kind == "vpn" and link.name not in seen:
            seen.add(link.name)
            link = self.links.get(link.beneath or "")
        return None if link is None or link.kind in ("vpn", "other") else link.kind

    def other(self, subject: str) -> bool:
        """A link that the meeting would not use."""
        return subject in self.links and subject != self.chosen


def find(policy: Policy, subjects: Subjects, measurements: Sequence[Measurement]) -> list[Judged]:
    """Every finding, in the policy's order; the one on the kind of link last, because it looks at the others."""
    found = [
        judged
        for row in policy.rows.values()
        if row.value != "link_kind"
        for judged in _worst_per_subject(row, policy, subjects, measurements)
    ]
    found += _failures(policy, subjects, measurements, found)
    found += _situations(policy, subjects, found, _detours(measurements))
    return found + list(_link_kind(policy, subjects, found))


def _worst_per_subject(
    row: Row, policy: Policy, subjects: Subjects, measurements: Sequence[Measurement]
) -> Iterator[Judged]:
    worst: dict[str, Finding] = {}
    for m in measurements:
        finding = _finding(row, policy, subjects, m) if row.needs in (None, m.name) else None
        before = worst.get(finding.subject) if finding else None
        if finding and (before is None or SEVERITY[finding.level] > SEVERITY[before.level]):
            worst[finding.subject] = finding
    for finding in worst.values():
        yield Judged(finding, row.per == "link", row.required and finding.level == "unknown")


def _finding(row: Row, policy: Policy, subjects: Subjects, m: Measurement) -> Finding | None:
    """The row's word on one measurement; None when that one does not concern it."""
    subject = "computer" if row.per == "computer" and m.subject in subjects.links else m.subject
    kind, value = subjects.kind(subject), _value(row, m)
    if value is None and (bound := _enough(row, m)) is not None:
        return _described(row, policy, kind, subject, bound, "ready")
    if value is None or (isinstance(value, float) and math.isnan(value)):
        reason = m.unknown.get(row.value)
        if m.failure is not None or (reason is None and value is None):  # the failure is a finding by itself
            return None
        return replace(_described(row, policy, kind, subject, None, "unknown"), owner="you", advice="test_again")
    if value in row.elsewhere and value not in row.words:
        return None
    finding = _described(row, policy, kind, subject, value, row.level(value))
    if finding.level != "ready" and _lower_bound(row, m):
        return _open(finding)
    finding = _laid_to(policy.rows.get(row.explained_by or ""), m, finding)
    if subjects.embedded and row.per == "link" and finding.level == "ready":
        finding = replace(finding, params={**finding.params, "consequence": "means.within_computer"})
    return finding if isinstance(value, str) else replace(finding, sure=_sure(row, m, value, finding.limit))


def _laid_to(other: Row | None, m: Measurement, finding: Finding) -> Finding:
    """When the value that explains this one is bad as well, its owner and advice are what helps here."""
    value = _value(other, m) if other is not None else None
    if other is None or value is None or finding.level == "ready" or other.level(value) in ("ready", "unknown"):
        return finding
    return replace(finding, owner=other.owner, advice=other.advice)


def _enough(row: Row, m: Measurement) -> float | None:
    """It is not known how much, but at least so much, and that is good."""
    bound = m.facts.get(f"at_least_{row.value}")
    good = isinstance(bound, float) and row.better == "higher" and row.level(bound) == "ready"
    return float(bound) if good and isinstance(bound, float) else None


def _lower_bound(row: Row, m: Measurement) -> bool:
    """The transfer ended before the line was full: the link carries at least so much."""
    return any(row.value.startswith(f"throughput_{w}_") and m.facts.get(f"saturated_{w}") is False for w in _WAYS)


def _open(finding: Finding) -> Finding:
    """A lower bound below the limit is no answer, neither a good one nor a bad one."""
    params = {key: value for key, value in finding.params.items() if key != "consequence"}
    return replace(finding, level="unknown", sure=False, owner="you", advice="test_again", params=params)


def _value(row: Row, m: Measurement) -> float | str | None:
    if row.words:
        fact = m.facts.get(row.value)
        return str(fact).lower() if isinstance(fact, str | bool) else None
    low = m.values.get(f"{row.value}_ci95_low") if row.judge == "low" else None
    return m.values.get(row.value) if low is None else low


def _sure(row: Row, m: Measurement, value: float, limit: float | str | None) -> bool:
    """Neither the confidence interval nor this program's own share of the value reaches over the limit."""
    if row.judge == "low" or not isinstance(limit, float):  # the interval's end is what was judged
        return True
    ends = [value, m.values.get(f"{row.value}_ci95_low", value), m.values.get(f"{row.value}_ci95_high", value)]
    if row.floor is not None:
        ends.append(value - m.values.get(row.floor, 0.0))
    return not min(ends) < limit < max(ends)


def _described(
    row: Row, policy: Policy, kind: Kind | None, subject: str, value: float | str | None, level: Level
) -> Finding:
    high = value is not None and row.too_high(value)
    stem = (row.consequence_high if high else None) or row.consequence
    advice = row.advices.get(str(value)) or (row.advice_high if high else None) or row.advice
    by_kind = policy.kinds.get(kind) if row.by_kind and kind is not None else None
    params: dict[str, str | float] = {"quantity": row.value, "better": row.better}
    if level in ("degraded", "not_ready"):
        params["consequence"] = _consequence(stem, value, level)
    return Finding(
        level=level,
        rule=row.rule,
        subject=subject,
        value=value,
        limit=row.limit(value, level) if isinstance(value, float | int) else None,
        owner=by_kind.owner if by_kind else row.owner,
        advice=by_kind.advice if by_kind else advice,
        source=row.source,
        params=params,
    )


def _consequence(stem: str, value: float | str | None, level: Level) -> str:
    """A fact may have a sentence for its word: link_kind_wifi_degraded before link_kind_degraded."""
    from reports.advice import ids

    special = f"{stem}_{value}_{level}"
    return f"means.{special if special in ids('means') else f'{stem}_{level}'}"


def _failures(
    policy: Policy, subjects: Subjects, measurements: Sequence[Measurement], found: Sequence[Judged]
) -> Iterator[Judged]:
    """One finding per subject and code: five probes on a link that vanished are one event."""
    events: dict[tuple[str, str], list[Measurement]] = {}
    for m in measurements:
        if m.failure is not None:
            events.setdefault((m.subject, m.failure.code), []).append(m)
    for (subject, code), failed in events.items():
        about = policy.failure(code)
        network = (subject in subjects.links or subject == subjects.chosen) and not all(_of_service(m) for m in failed)
        finding = _situation(about, failed[0].name, subject, _failure_said(code, failed[0]))
        step = failed[0].failure.step if failed[0].failure else ""
        params = {"quantity": _failed_test(failed, network=network), "code": code, "step": step}
        giving = [m for m in failed if not _beside(m)]
        if all(_beside(m) for m in measurements if m.subject == subject):
            giving = failed  # nothing else was tried there
        blocks = about.level == "unknown" and any(_needed(policy, m, found) for m in giving)
        blocks = blocks and not (code == "no_reply" and subject in _detours(measurements))
        yield Judged(replace(finding, value=code, params={**finding.params, **params}), network, blocks)


def _failure_said(code: str, failed: Measurement) -> str:
    """A camera that is busy may have a sentence for the kind of program that holds it: camera_busy_browser."""
    from reports.advice import ids

    special = f"{code}_{failed.facts.get('held_by')}"
    return f"failure.{special if special in ids('failure') else code}"


def _of_service(m: Measurement) -> bool:
    return m.name == SERVICE or m.name.startswith(f"{SERVICE}_")


def _beside(m: Measurement) -> bool:
    return m.name in BESIDE or _of_service(m)


def _failed_test(failed: Sequence[Measurement], *, network: bool) -> str:
    from reports.advice import ids

    names = {m.name for m in failed}
    return failed[0].name if not network or (len(names) == 1 and names <= ids("value")) else "network"


def _needed(policy: Policy, failed: Measurement, found: Sequence[Judged]) -> bool:
    """What the policy requires is missing on that subject, or stands on what this probe saw before it failed."""
    required = {row.rule: row for row in policy.rows.values() if row.required}
    judged = {j.finding.rule for j in found if j.finding.subject == failed.subject and j.finding.level != "unknown"}
    partial = any(row.value in failed.values and row.needs in (None, failed.name) for row in required.values())
    return partial or not required.keys() <= judged or not required


def _detours(measurements: Sequence[Measurement]) -> frozenset[str]:
    """Links on which a call was carried without UDP: there the test packets' silence is explained, and is no riddle."""
    calls = [m for m in measurements if m.facts.get("media_path") in ("turn_tcp", "turn_tls")]
    return frozenset(m.subject for m in calls if m.facts.get("call_carries") in ("video", "sound_only"))


def _situations(
    policy: Policy, subjects: Subjects, found: Sequence[Judged], detours: Collection[str]
) -> Iterator[Judged]:
    """No room, no link, or a link of which what the policy requires was not measured."""
    chosen, known = subjects.chosen, policy.situations
    if subjects.embedded:
        yield Judged(_situation(known["room"], "room", "computer", "means.room"), network=False, blocks=True)
    if chosen is None:
        yield Judged(_situation(known["link"], "link", "computer", "means.link"), network=True)
    elif not subjects.embedded and chosen not in detours and not _explained(policy, chosen, found):
        yield Judged(_situation(known["network"], "network", chosen, "means.network"), network=True, blocks=True)


def _explained(policy: Policy, chosen: str, found: Sequence[Judged]) -> bool:
    """Every required row was judged on the chosen link, or a failure already says why it was not."""
    mine = [j for j in found if j.finding.subject == chosen]
    required = {row.rule for row in policy.rows.values() if row.required}
    failed = any("code" in j.finding.params and (j.blocks or j.finding.level == "not_ready") for j in mine)
    return failed or (bool(required) and required <= {j.finding.rule for j in mine})


def _situation(about: Situation, rule: str, subject: str, consequence: str) -> Finding:
    params = {"quantity": rule, "consequence": consequence}
    return Finding(about.level, rule, subject, None, None, about.owner, about.advice, params=params)


def _link_kind(policy: Policy, subjects: Subjects, found: Sequence[Judged]) -> Iterator[Judged]:
    """The kind of the chosen link. On wifi the routine says "test": tested and found good, it is ready (ADR 3)."""
    chosen = subjects.chosen
    if chosen is None:
        return
    kind = subjects.kind(chosen)
    for row in policy.rows.values():
        if row.value != "link_kind":
            continue
        level: Level = "unknown" if kind is None else row.level(kind)
        if kind in row.ready_when_tested and not subjects.embedded and _held(policy, chosen, found):
            level = "ready"
        finding = _described(row, policy, kind, chosen, kind, level)
        yield Judged(finding, network=True)


def _held(policy: Policy, chosen: str, found: Sequence[Judged]) -> bool:
    """What the policy requires was measured on this link, and nothing about it is worse than ready."""
    mine = [j.finding for j in found if j.finding.subject == chosen and j.network]
    ready = {f.rule for f in mine if f.level == "ready"}
    required = {row.rule for row in policy.rows.values() if row.required}
    return bool(ready) and required <= ready and not any(f.level in ("degraded", "not_ready") for f in mine)

"""The steps of the way into the meeting as a person is told them: what each found, how good it is, which fails first.

The steps of the probe join come first, in its order; those of the call after them. The policy judges each by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from probes.join import STEPS
from probes.session import Draft
from reports.findings import SEVERITY, Judged, Subjects, effective, find
from reports.policy import Policy
from reports.record import Failure, Finding, Level, Link, Measurement
from reports.serial import measurement_to_json
from reports.verdict import level_of

StepLevel = Level | Literal["not_tried"]
# The call's stages: the time of each, and what else it finds. What stands in none belongs to the last.
STAGES: dict[str, tuple[str, ...]] = {
    "signalling": ("call_signalling_seconds",),
    "ice": ("call_ice_seconds", "call_gathering_seconds", "media_path", "candidate_pair"),
    "dtls": ("call_dtls_seconds", "call_setup_seconds"),
    "media": ("first_media_seconds",),
}
WITHIN = "loopback"  # the subject of what was tried against a room on this computer
NOTHING = {"media_path": "none", "call_carries": "nothing"}
_WORST_FIRST: tuple[Level, ...] = ("not_ready", "unknown", "degraded")


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `judged`: what the policy says of it, the worst first; empty when nothing in it is judged."""

    name: str
    level: StepLevel
    seconds: float | None
    seen: Measurement
    judged: tuple[Judged, ...] = ()

    @property
    def finding(self) -> Finding | None:
        """The one that decides its level."""
        return self.judged[0].finding if self.judged else None

    @property
    def because(self) -> str:
        """The step whose failure left this one out, or explains that it failed; empty when it was none."""
        told = str(self.seen.facts.get("not_tried") or self.seen.facts.get("explained_by") or "")
        name = told.removesuffix(" failed")
        return name if name in STEPS or name in STAGES else ""


def steps_of(policy: Policy, link: Link | None, drafts: Sequence[Draft]) -> list[Step]:
    """Every step of the drafts of join and call, each judged."""
    subjects = Subjects({link.name: link} if link else {}, link.name if link else None, embedded=False)
    seen = [(name, m) for draft in drafts if draft.name == "join" for name, m in _join(draft)]
    for draft in drafts:
        if draft.name == "call":
            seen += list(_call(draft, dict(seen)))
    return [_step(policy, subjects, name, m) for name, m in seen]


def overall(steps: Sequence[Step]) -> Level:
    """The verdict's table over all steps that were tried. With nothing that was found well there is no answer."""
    judged, inside = [j for step in steps for j in step.judged], within_computer(steps)
    level = level_of(judged, inside) if judged else "unknown" if inside else "ready"
    return level if level != "ready" or any(step.level == "ready" for step in steps) else "unknown"


def within_computer(steps: Sequence[Step]) -> bool:
    """Did no step leave this computer? Then nothing is known about the network."""
    return bool(steps) and all(step.seen.subject == WITHIN for step in steps)


def first_failure(steps: Sequence[Step]) -> Step | None:
    """The first of those that weigh most: of what keeps one out, else of what could not be tested, else of remarks."""
    for level in _WORST_FIRST:
        for step in steps:
            if step.level == level and step.finding and (level != "unknown" or step.seen.failure):
                return step
    return None


def to_json(step: Step, *, addresses: bool) -> dict[str, Any]:
    """One step of the document motesklar.join/1."""
    m = measurement_to_json(step.seen, addresses=addresses)
    failure = m["failure"]
    if failure is not None:
        failure = {"code": failure["code"], "detail": failure["detail"]}
    shown = {"name": step.name, "level": step.level, "seconds": step.seconds}
    return shown | {key: m[key] for key in ("values", "facts", "unknown")} | {"failure": failure}


def failure_to_json(step: Step | None) -> dict[str, Any] | None:
    """`code`: of the failure; the policy's rule, when it is a value that is not good enough."""
    if step is None or step.finding is None:
        return None
    f = step.finding
    code = f.params.get("code", f.rule)
    return {"step": step.name, "code": code, "owner": f.owner, "advice": f.advice, "level": step.level}


def _join(draft: Draft) -> Iterator[tuple[str, Measurement]]:
    for part in draft.parts:
        yield part.name.removeprefix("join_"), part.measurement()
    if draft.failure is not None:  # the walk itself was ended: what it had not reached is not known
        yield "join", replace(draft.measurement(), values={})


def _call(draft: Draft, before: Mapping[str, Measurement]) -> Iterator[tuple[str, Measurement]]:
    """The call's draft by stages: those before the one that failed were well, those after it were not tried."""
    whole = draft.measurement()
    failed, cause = _failed_stage(whole), _cause(whole, before)
    order = list(STAGES)
    for stage in order:
        m = _part_of(whole, stage)
        if failed is not None and order.index(stage) >= order.index(failed):
            late = order.index(stage) > order.index(failed)
            m = replace(m, **_why_not(whole, cause, stage, f"{failed} failed" if late else ""))
        yield stage, m


def _failed_stage(whole: Measurement) -> str | None:
    """Where the call failed; a failure that names no stage belongs to the first that gave nothing."""
    if whole.failure is None:
        return None
    if whole.failure.step in STAGES:
        return whole.failure.step
    return next((stage for stage, own in STAGES.items() if own[0] not in whole.values), "media")


def _cause(whole: Measurement, before: Mapping[str, Measurement]) -> str | None:
    """The step of the join path because of which the call could not be."""
    if whole.failure is None:
        return None
    explaining = (name for name, step in STEPS.items() if step.explains and name in before and before[name].failure)
    if (name := next(explaining, None)) is not None:
        return name
    room, began = before.get("room"), whole.failure.step in STAGES and not whole.failure.code.startswith("room_")
    return "room" if room and room.failure and not began else None


def _why_not(whole: Measurement, cause: str | None, stage: str, late: str) -> dict[str, Any]:
    facts = dict(_facts_of(whole, stage))
    if cause is None and not late:
        return {"failure": Failure(stage, whole.failure.code, whole.failure.detail)} if whole.failure else {}
    return {"facts": facts | {"not_tried": f"{cause} failed" if cause else late}}


def _part_of(whole: Measurement, stage: str) -> Measurement:
    values = {name: value for name, value in whole.values.items() if _stage_of(name) == stage}
    unknown = {name: why for name, why in whole.unknown.items() if _stage_of(name) == stage}
    return replace(whole, values=values, unknown=unknown, facts=_facts_of(whole, stage), failure=None)


def _facts_of(whole: Measurement, stage: str) -> dict[str, Any]:
    """Without what only repeats that the call failed: it would be told of a stage before the one that did."""
    said = {name: fact for name, fact in whole.facts.items() if _stage_of(name) == stage}
    return {name: fact for name, fact in said.items() if not (whole.failure and NOTHING.get(name) == fact)}


def _stage_of(name: str) -> str:
    return next((stage for stage, names in STAGES.items() if name in names), "media")


def _step(policy: Policy, subjects: Subjects, name: str, m: Measurement) -> Step:
    seconds = m.values.get(STAGES[name][0]) if name in STAGES else m.duration_s
    if "not_tried" in m.facts:
        return Step(name, "not_tried", None, m)
    if "explained_by" in m.facts:
        return Step(name, "unknown", seconds, m)
    found = [j for j in find(policy, subjects, [m]) if _of_this(policy, j.finding)]
    found.sort(key=lambda j: (-SEVERITY[effective(j.finding)], "code" not in j.finding.params))
    silent = bool(m.unknown) and not m.values  # it was asked, and nothing was learnt
    level: Level = effective(found[0].finding) if found else "unknown" if silent else "ready"
    return Step(name, level, seconds, m, tuple(found))


def _of_this(policy: Policy, finding: Finding) -> bool:
    """A failure, or a value of this step: not what is said about the link, or about what was not measured at all."""
    row = policy.rows.get(finding.rule)
    return "code" in finding.params or (row is not None and row.value != "link_kind")

"""Which steps have to be done again once somebody has followed the one next action."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from agent.ui.state import STEPS, StepName
from reports.diagnosis import SOURCE
from reports.findings import effective
from reports.policy import Policy
from reports.record import Finding, Measurement, SelfTest
from reports.table import used_link

NETWORK: frozenset[StepName] = frozenset({"connection", "joining"})
OF_CHECK: Mapping[str, StepName] = {
    "speaker": "speaker",
    "microphone": "microphone",
    "camera": "picture",
    "equipment": "computer",
    "computer": "computer",
    "call": "joining",
    "join": "joining",
}
# Other equipment is another microphone, speaker or camera, to be tested like the first.
_EQUIPMENT: Mapping[str, frozenset[StepName]] = {
    "needs_headset": frozenset({"speaker", "microphone", "computer"}),
    "needs_conference_unit": frozenset({"speaker", "microphone", "computer"}),
    "needs_camera": frozenset({"picture", "computer"}),
}
_OTHER_LINK = ("use_cable", "use_link", "connect", "reconnect", "check_plug")


def step_of(name: str) -> StepName:
    """The step that a probe or check belongs to."""
    return OF_CHECK.get("join" if name.startswith("join_") else name, "connection")


def counted(self_test: SelfTest) -> list[Finding]:
    """The findings that the verdict counts: not those about links that the meeting would not use."""
    used = used_link(self_test)
    others = {link.name for link in self_test.links} - {used.name if used else ""}
    return [f for f in self_test.verdict.findings if used is None or f.subject not in others]


def redo(self_test: SelfTest, policy: Policy) -> tuple[StepName, ...]:
    """The steps of the findings that the action answers to, and of the worst ones; none when all is well."""
    verdict = self_test.verdict
    steps = set(NETWORK) if verdict.action in _OTHER_LINK else set()
    for finding in _wrong(self_test):
        steps |= steps_of(finding, self_test, policy)
    if "connection" in steps or ("joining" in steps and _untried(self_test)):  # what mends one changes the other too
        steps |= NETWORK
    return tuple(name for name in STEPS if name in steps)


def _untried(self_test: SelfTest) -> bool:
    """The test room did not answer: what keeps the call from its way may be why."""
    echoes = [m for m in self_test.measurements if m.name == "echo"]
    return bool(echoes) and all(m.failure is not None for m in echoes)


def steps_of(finding: Finding, self_test: SelfTest, policy: Policy) -> frozenset[StepName]:
    """The steps that would find it out anew; none for what no new test mends (no room is configured)."""
    if finding.rule == "room":
        return frozenset()
    if finding.rule == "equipment" and str(finding.value) in _EQUIPMENT:
        return _EQUIPMENT[str(finding.value)]
    if finding.rule == "cpu_starved":
        return NETWORK | {"computer"}
    if finding.source == SOURCE or finding.rule in ("link", "network", "link_kind"):
        return NETWORK
    return frozenset(step_of(m.name) for m in behind(finding, self_test, policy)) or NETWORK


def _wrong(self_test: SelfTest) -> Iterator[Finding]:
    verdict, found = self_test.verdict, counted(self_test)
    for f in found:
        if f.level == "ready" or (f.level == "unknown" and verdict.level != "unknown"):
            continue
        bad, remark = effective(f) in ("degraded", "not_ready"), f.params.get("quantity") == "link_kind"
        worst = effective(f) == verdict.level if verdict.level in ("degraded", "not_ready") else bad
        if f.advice == verdict.action or (worst and bad and not remark):
            yield f


def behind(finding: Finding, self_test: SelfTest, policy: Policy) -> Iterator[Measurement]:
    """The measurements that a finding comes from: those with its failure, or with its row's value."""
    code, row = finding.params.get("code"), policy.rows.get(finding.rule)
    for m in self_test.measurements:
        if code is not None:
            seen = m.failure is not None and m.failure.code == code and m.subject == finding.subject
        else:
            about = row is not None and row.needs in (None, m.name) and finding.subject in (m.subject, "computer")
            seen = about and row is not None and _has(m, row.value)
        if seen:
            yield m


def _has(m: Measurement, value: str) -> bool:
    return value in m.values or value in m.facts or value in m.unknown

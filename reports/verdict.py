"""The verdict: from the policy and the measurements to one level, its findings, and the one next action.

What counts is what was found about the link in use and about this computer; findings about other links are listed only.

| found                                                    | with a room | embedded room |
|----------------------------------------------------------|-------------|---------------|
| not_ready, sure, about this computer                     | not_ready   | not_ready     |
| not_ready, sure, about the link in use (or there is none)| not_ready   | unknown       |
| else: something required was not measured (*)            | unknown     | unknown       |
| else: degraded, or not_ready but not sure                | degraded    | unknown       |
| else                                                     | ready       | unknown       |

- (*) Nothing said so, a test failed that it needed, or one that gave it failed before its end. Any other failed test
  (throughput, path, dns, …) is listed and counts as its row in the policy's [failures] says; unknown changes nothing.
- A fault that the diagnosis names has the level of the worst finding that it explains, at the least degraded.
- Bad news that is sure outranks what was not measured: more measuring could not mend it. Good news does not.
- A not_ready whose confidence interval crosses the limit counts as degraded: nobody is told to give up on a guess.
- `unknown` about something that is not required is listed and changes nothing: neither pass nor fail.
- With the embedded room no packet left this computer: the verdict never says that the network is ready.
"""

from __future__ import annotations

from collections.abc import Sequence

from reports.action import next_action
from reports.compare import Comparison
from reports.diagnosis import diagnose
from reports.findings import SEVERITY, Judged, Subjects, effective, find
from reports.policy import Policy
from reports.record import Level, Link, Measurement, Verdict


def judge(
    policy: Policy,
    links: Sequence[Link],
    measurements: Sequence[Measurement],
    *,
    chosen: str | None,
    comparison: Comparison | None = None,
    embedded: bool,
) -> Verdict:
    """The verdict on the link named `chosen` (None: there is no link to use) and on this computer.

    `embedded`: the room was on this computer, so that nothing is known about the network.
    """
    subjects = Subjects({link.name: link for link in links}, chosen, embedded)
    found = diagnose(policy, subjects, measurements, find(policy, subjects, measurements))
    level = level_of([j for j in found if not subjects.other(j.finding.subject)], embedded)
    found.sort(key=lambda j: _order(j, subjects))
    action, params = next_action(subjects, found, level, comparison)
    return Verdict(level, tuple(j.finding for j in found), action, params)


def level_of(counted: Sequence[Judged], embedded: bool) -> Level:
    """The table of this module's docstring, for what was found about the link in use and this computer."""
    if any(effective(j.finding) == "not_ready" and not (embedded and j.network) for j in counted):
        return "not_ready"
    if embedded or not counted or any(j.blocks for j in counted):
        return "unknown"
    return "degraded" if any(effective(j.finding) == "degraded" for j in counted) else "ready"


def _order(judged: Judged, subjects: Subjects) -> tuple[bool, bool, bool, int, bool]:
    """What is wrong before what is well; the link in use before the others; what the person can do first; the worst.

    A named fault stands before what it explains already. What leaves no answer comes before what is merely not known.
    """
    f = judged.finding
    severity = -SEVERITY[effective(f)]
    return (f.level == "ready", subjects.other(f.subject), f.owner != "you", severity, not judged.blocks)

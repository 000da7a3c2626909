"""What a step found, in sentences: the policy's findings about its own measurements, the worst first.

The same findings make the verdict. A step's level is the worst of its own; what could not be tested is unknown, unless
something else is bad for certain.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from agent.selftest import in_use, measurements_of
from agent.ui.concerned import step_of
from agent.ui.state import Result, Said, StepName, said
from reports.advice import LANGUAGES, Lang, catalogue, ids, text
from reports.advice.words import localised, meaning_text, what_text
from reports.diagnosis import SOURCE
from reports.findings import SEVERITY, Judged, Subjects, effective, find
from reports.record import Level, Measurement

if TYPE_CHECKING:
    from agent.options import Options
    from agent.selftest import Networked
    from agent.ui.step_shared import Board
    from reports.draft import Draft
    from reports.policy import Policy
    from reports.record import Finding

MOST = 4  # sentences; the verdict's details hold all
# Where one of these was not made, the step is not known to be well, whatever else was: "not tested" is not "good".
STANDS_ON: Mapping[StepName, tuple[str, ...]] = {
    "connection": ("echo",),
    "joining": ("join", "call"),
    "computer": ("encode_speed",),
}


def of_checks(policy: Policy, drafts: Iterable[Draft]) -> list[Judged]:
    """What the policy finds in a device's measurements."""
    subjects = Subjects({}, None, embedded=False)
    found = find(policy, subjects, measurements_of([*drafts]))
    return [judged for judged in found if judged.finding.rule not in policy.situations]


def of_network(options: Options, networked: Networked, *, whole: bool) -> list[Judged]:
    """What it finds in the network's. `whole`: all has been measured that will be; before, nothing is missing yet."""
    from reports.diagnosis import diagnose

    links = {link.name: link for link in (*networked.chosen, *networked.links)}
    subjects = Subjects(links, in_use(networked.chosen), options.only_this_computer)
    found = find(options.policy, subjects, networked.measurements)
    if whole:
        found = diagnose(options.policy, subjects, networked.measurements, found)
    else:
        found = [judged for judged in found if not _of_the_whole(options.policy, judged.finding)]
    return [judged for judged in found if not subjects.other(judged.finding.subject)]


def _of_the_whole(policy: Policy, finding: Finding) -> bool:
    return finding.rule in policy.situations or finding.params.get("quantity") == "link_kind"


def parted(policy: Policy, measurements: Sequence[Measurement], found: Sequence[Judged]) -> tuple[list[Judged], ...]:
    """(the connection's, the join path's) of them: by which probe saw the value, or failed; both may have."""
    joining = [m for m in measurements if step_of(m.name) == "joining"]
    names = {name for m in joining for name in (m.name, *m.values, *m.facts, *m.unknown)}
    names -= {name for m in measurements if m not in joining for name in (*m.values, *m.facts, *m.unknown)}
    parts: tuple[list[Judged], list[Judged]] = ([], [])
    for judged in found:
        row = policy.rows.get(judged.finding.rule)
        failed = {step_of(m.name) == "joining" for m in measurements if _is_failure_of(judged.finding, m)}
        for part in failed or {(row.value if row else judged.finding.rule) in names}:
            parts[part].append(judged)
    return parts


def _is_failure_of(finding: Finding, m: Measurement) -> bool:
    code = finding.params.get("code")
    return m.failure is not None and m.failure.code == code and m.subject == finding.subject


def level_of(found: Sequence[Judged], *, strict: bool) -> Level:
    """The worst of them. `strict`: a test that failed leaves it unknown, also where the verdict does without."""
    levels = {effective(judged.finding) for judged in found}
    for level in ("not_ready", "degraded"):
        if level in levels:
            return level
    open_ = any(j.blocks or (strict and "code" in j.finding.params) for j in found if j.finding.level == "unknown")
    return "ready" if "ready" in levels and not open_ else "unknown"


def tried(level: Level, found: Sequence[Judged], step: StepName) -> Level:
    """`level`, but unknown in the place of ready where what the step stands on could not be tested."""
    findings = [judged.finding for judged in found if judged.finding.rule in STANDS_ON.get(step, ())]
    failed = any(finding.level == "unknown" for finding in findings)
    return "unknown" if failed and level == "ready" else level


def results(found: Sequence[Judged], level: Level, step: str) -> tuple[Result, ...]:
    """What is to be told, each thing once; when nothing is wrong, that it is well, or that it was not tested."""
    return wrong(found, level) or (Result(level, said(text, f"ui.{'good' if level == 'ready' else 'unknown'}_{step}")),)


def wrong(found: Sequence[Judged], level: Level = "ready") -> tuple[Result, ...]:
    """What is to be told, each thing once."""
    return tuple(_told(found, level))[:MOST]


def _told(found: Sequence[Judged], level: Level) -> Iterator[Result]:
    telling = [judged for judged in found if _tells(judged)]
    telling.sort(
        key=lambda j: (_decides(j, level), SEVERITY[effective(j.finding)], j.finding.owner == "you"), reverse=True
    )
    named = {j.finding.advice for j in telling if j.finding.params.get("quantity") == "fault"}
    sentences, advices = set[str](), set[str]()
    for judged in telling:
        finding = judged.finding
        says = _says(finding, advices)
        behind = "code" in finding.params and finding.advice in named  # the fault behind it says so already
        if says["sv"] not in sentences and not behind:
            sentences.add(says["sv"])
            advices.add(finding.advice)
            yield Result(effective(finding), says)


def _decides(judged: Judged, level: Level) -> bool:
    """Why there is no answer, where there is none."""
    return level == "unknown" and judged.blocks


def _tells(judged: Judged) -> bool:
    return judged.blocks or "code" in judged.finding.params or effective(judged.finding) in ("degraded", "not_ready")


def _says(finding: Finding, advised: Collection[str]) -> Said:
    """What it means for the meeting and what to do, unless that has been said already."""
    return {lang: " ".join(_sentences(finding, advised, lang)) for lang in LANGUAGES}


def _sentences(finding: Finding, advised: Collection[str], lang: Lang) -> Iterator[str]:
    plain = f"ui.fault_{finding.rule}"  # a named fault; its evidence, in terms of networks, is in the details
    if finding.source == SOURCE and plain in catalogue(lang):
        yield text(plain, lang)
    else:
        yield meaning_text(finding, lang) or text("finding.not_measured", lang, what=what_text(finding, lang))
    if finding.level != "ready" and finding.advice not in advised and finding.advice in ids():
        yield text(finding.advice, lang, **localised(finding.params, lang))


def says(level: Level | None, msgid: str) -> Result:
    """A sentence of the flow's own."""
    return Result(level, said(text, msgid))


def show_checks(board: Board, policy: Policy, step: StepName, drafts: Mapping[str, Draft]) -> None:
    """A step of devices has ended: what was found, or, without drafts, that it was left out."""
    if not drafts:
        board.ends(step, None)
        return
    found = of_checks(policy, drafts.values())
    level = tried(level_of(found, strict=True), found, step)
    board.ends(step, level, results(found, level, step))

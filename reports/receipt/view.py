"""What a receipt says, in words of one language; html.py and pdf.py put it on paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports.advice import Lang, catalogue, text
from reports.advice.words import faults, headline, limit_text, localised, meaning_text, measured_text, what_text
from reports.record import Finding, Level, Link, SelfTest
from reports.reference import code_of
from reports.serial import scrub
from reports.table import ICONS, used_link
from reports.times import day, minute


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that the test showed."""

    level: Level
    icon: str
    what: str
    value: str
    limit: str
    means: str


@dataclass(frozen=True, slots=True)
class View:
    """`remarks`: sentences that come before the next action; `facts`: what the test was, a name and words each."""

    lang: Lang
    level: Level
    icon: str
    title: str
    headline: str
    action: str
    reference: str
    made_at: float
    remarks: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    lines: tuple[Line, ...]
    texts: Mapping[str, str]


_TEXTS = (
    *("receipt.reference", "receipt.reference_help", "receipt.findings", "receipt.private", "receipt.level"),
    *("table.what", "table.value", "table.limit", "table.means", "table.next"),
)


def view(self_test: SelfTest, lang: Lang, valid_seconds: float) -> View:
    """The receipt. `valid_seconds`: how long the self-test counts (the policy's [readiness])."""
    verdict, names = self_test.verdict, _names(self_test, lang)
    used = used_link(self_test)
    told = faults(verdict, used.name if used else None)
    return View(
        lang=lang,
        level=verdict.level,
        icon=ICONS[verdict.level],
        title=text("receipt.title", lang),
        headline=headline(verdict, lang),
        action=scrub(action_without_names(self_test, lang)),
        reference=code_of(self_test.run_id),
        made_at=self_test.started_at,
        remarks=tuple(map(scrub, _remarks(self_test, told, lang))),
        facts=tuple((name, scrub(said)) for name, said in _facts(self_test, used, lang, valid_seconds)),
        lines=tuple(_line(f, names, lang) for f in verdict.findings if f not in told),
        texts={name: text(name, lang) for name in _TEXTS},
    )


def _names(self_test: SelfTest, lang: Lang) -> dict[str, str]:
    """What to call links and devices that must be told apart. A link's own name may be a person's: its kind is said."""
    kinds, named = [link.kind for link in self_test.links], dict[str, str]()
    for i, link in enumerate(self_test.links):
        number = f" {kinds[:i].count(link.kind) + 1}" if kinds.count(link.kind) > 1 else ""
        named[link.name] = text(f"kind.{link.kind}", lang) + number
    named = named if len(named) > 1 else {}
    of_kind = [device.kind for device in self_test.devices]
    return named | {d.label: d.label for d in self_test.devices if of_kind.count(d.kind) > 1}


def action_without_names(self_test: SelfTest, lang: Lang) -> str:
    """The one next action; links are called by their kind, for a link's own name may be a person's."""
    verdict = self_test.verdict
    other = f"receipt.{verdict.action}"  # without the link's name
    msgid = other if other in catalogue(lang) else verdict.action
    return text(msgid, lang, **localised(verdict.action_params, lang)) if msgid else ""


def _remarks(self_test: SelfTest, told: Sequence[Finding], lang: Lang) -> list[str]:
    said = [text("table.interrupted", lang)] if self_test.interrupted else []
    for fault in told:
        head = text("table.fault" if fault.sure else "table.fault_unsure", lang)
        said.append(f"{head} {meaning_text(fault, lang)}")
    return said


def _facts(self_test: SelfTest, used: Link | None, lang: Lang, valid_seconds: float) -> list[tuple[str, str]]:
    agent = self_test.agent
    good = self_test.verdict.level in ("ready", "degraded")
    until = day(self_test.started_at + valid_seconds) if good else text("receipt.shows_nothing", lang)
    facts = {
        "made": minute(self_test.started_at),
        "until": until,
        "link": text(f"kind.{used.kind}", lang) if used else text("table.no_link", lang),
        "equipment": _equipment(self_test, lang),
        "program": f"Mötesklar {agent.version}, {agent.platform}",
        "run": self_test.run_id,
    }
    return [(text(f"receipt.{name}", lang), said) for name, said in facts.items()]


def _equipment(self_test: SelfTest, lang: Lang) -> str:
    devices = [f"{text(f'devices.{d.kind}', lang)}: {d.label}" for d in self_test.devices]
    return "; ".join(devices) or text("receipt.no_equipment", lang)


def _line(finding: Finding, names: Mapping[str, str], lang: Lang) -> Line:
    what, value = what_text(finding, lang), measured_text(finding, lang)
    where = f" ({names[finding.subject]})" if finding.subject in names else ""
    means = meaning_text(finding, lang) or text(f"level.{finding.level}", lang)
    return Line(
        finding.level, ICONS[finding.level], what + where, scrub(value), limit_text(finding, lang), scrub(means)
    )

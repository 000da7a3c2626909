"""The table's words: what a standing, a requirement, a thing to do and its owner are called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from reports.advice import Lang, catalogue, text
from reports.advice.words import limit_text, localised, meaning_text, number, value_text, what_text
from reports.readiness.requirements import NAMES, OTHER
from reports.readiness.shapes import Fix, Report, Row, Standing, Total
from reports.record import Finding, Level, Owner
from reports.table import ICONS
from reports.times import day, minute

STANDING_ICONS: dict[Standing, str] = {
    **cast("dict[Standing, str]", ICONS),  # a level is a standing too
    "expired": "↻",
    "untested": "–",
}
NOT_TESTED = "–"
_DAY_S = 86400.0


def standing_text(standing: Standing, lang: Lang) -> str:
    """Ready, and so on."""
    return text(f"readiness.{standing}", lang)


def columns(report: Report) -> tuple[str, ...]:
    """The requirements to show: those that are asked of everybody, and others if somebody has one."""
    return NAMES if any(OTHER in row.requirements for row in report.machines) else NAMES[:-1]


def requirement_text(name: str, lang: Lang) -> str:
    """The head of its column."""
    return text(f"readiness.requirement_{name}", lang)


def level_text(level: Level | None, lang: Lang) -> str:
    """Of a requirement; None: it was not tested."""
    return text(f"level.{level}" if level else "readiness.not_tested", lang)


def advice_text(advice: str, params: Mapping[str, str | float], lang: Lang) -> str:
    """What to do. Some advice is said otherwise here: without the link's name, and not as if to its reader."""
    other = f"readiness.{advice}"
    return text(other if other in catalogue(lang) else advice, lang, **localised(params, lang))


def owner_text(owner: Owner, lang: Lang) -> str:
    """Who can do it; the reader is not the one who sits at the machine."""
    return text("readiness.owner_you" if owner == "you" else f"owner.{owner}", lang)


def reasons(fix: Fix, lang: Lang) -> str:
    """What was found, in a few words; empty when nothing was."""
    return ", ".join(dict.fromkeys(_reason(f, lang) for f in fix.findings))


def _reason(finding: Finding, lang: Lang) -> str:
    value, limit = value_text(finding, lang), limit_text(finding, lang)
    if not value:  # a failed test, a situation, or the place of a fault: it has a sentence of its own
        return meaning_text(finding, lang).rstrip(".") or what_text(finding, lang)
    shown = f"{what_text(finding, lang)}: {value}"
    return f"{shown} ({limit})" if limit else shown


def machine_text(row: Row) -> str:
    """Its name; the beginning of its pseudonym when it was given none."""
    return row.name or f"{row.machine[:8]}…"


def unit_text(unit: str, lang: Lang) -> str:
    """The unit's name."""
    return unit or text("readiness.no_unit", lang)


def link_text(row: Row, lang: Lang) -> str:
    """The kind of link that the test was made by; empty when there was no test."""
    if row.link_kind is None:
        return ""
    known = f"kind.{row.link_kind}"
    return text(known if known in catalogue(lang) else "readiness.no_link", lang)


def tested_text(row: Row, lang: Lang) -> str:
    """When."""
    return text("readiness.never", lang) if row.tested_at is None else minute(row.tested_at)


def until_text(row: Row) -> str:
    """The last day on which the test counts; empty when there is none."""
    return "" if row.valid_until is None else day(row.valid_until)


def title(report: Report, lang: Lang) -> str:
    """Of the document."""
    return text("readiness.title", lang, organisation=report.organisation)


def introduction(report: Report, lang: Lang) -> list[str]:
    """When it was made, of which unit, and how long a test counts."""
    unit = "readiness.all_units" if report.unit is None else "readiness.one_unit"
    made = text(unit, lang, at=minute(report.made_at), unit=unit_text(report.unit or "", lang))
    days, soon = (number(seconds / _DAY_S, lang) for seconds in (report.valid_seconds, report.soon_seconds))
    return [made, text("readiness.rule", lang, days=days, soon=soon)]


def share_text(part: int, whole: int, lang: Lang) -> str:
    """A share in whole per cent; rounded down, so that 100 % means all."""
    return text("unit.percent", lang, n=part * 100 // whole if whole else 0)


def good(each: Total) -> int:
    """How many are ready; remarks do not keep a machine from a meeting."""
    return each.standings["ready"] + each.standings["degraded"]


def summary_text(whole: Total, lang: Lang) -> str:
    """The table in one sentence."""
    remarks = whole.standings["degraded"]
    return text("readiness.ready_of", lang, ready=good(whole), machines=whole.machines, remarks=remarks)


def unit_title(each: Total, lang: Lang) -> str:
    """The head of a unit's own table."""
    named = unit_text(each.unit, lang)
    return text("readiness.of_ready", lang, unit=named, ready=good(each), machines=each.machines)

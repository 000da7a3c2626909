"""The table as PDF/UA-1: what readiness.typ is given, in words of one language."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from reports import typeset
from reports.advice import Lang, text
from reports.readiness import words
from reports.readiness.rows import in_order, total, totals, work
from reports.readiness.shapes import STANDINGS, Fix, Report, Row, Standing, Total, Work
from reports.table import ICONS

TEMPLATE = Path(__file__).with_name("readiness.typ")
Json = dict[str, Any]
_TEXTS = (
    *(
        "summary",
        "units",
        "work",
        "machines",
        "unit",
        "number",
        "share",
        "who",
        "what",
        "machine",
        "tested",
        "standing",
    ),
    *("standing_until", "fixes", "soon", "none", "nothing", "note", "page"),
)


def render(report: Report, lang: Lang) -> bytes:
    """The document."""
    return typeset.pdf(TEMPLATE, view(report, lang), report.made_at)


def view(report: Report, lang: Lang) -> Json:
    """Everything that the document shows, in the order in which it does."""
    columns = words.columns(report)
    units = totals(report.machines)
    ordered = sorted(report.machines, key=lambda row: in_order(row.unit))
    return {
        "lang": lang,
        "title": words.title(report, lang),
        "introduction": words.introduction(report, lang),
        "text": {name: text(f"readiness.{name}", lang) for name in _TEXTS},
        "standings": [_standing(standing, lang) for standing in STANDINGS],
        "columns": [words.requirement_text(column, lang) for column in columns],
        "whole": _total(total("", report.machines), lang),
        "units": [_total(each, lang) for each in units],
        "work": [_work(each, lang) for each in work(report.machines)],
        "groups": [
            {"title": words.unit_title(total(unit, group), lang), "rows": [_row(row, columns, lang) for row in group]}
            for unit, group in ((unit, list(rows)) for unit, rows in groupby(ordered, key=lambda row: row.unit))
        ],
    }


def _standing(standing: Standing, lang: Lang) -> Json:
    return {"name": standing, "icon": words.STANDING_ICONS[standing], "text": words.standing_text(standing, lang)}


def _total(each: Total, lang: Lang) -> Json:
    counts = [each.standings[standing] for standing in STANDINGS]
    share, said = words.share_text(words.good(each), each.machines, lang), words.summary_text(each, lang)
    name = words.unit_text(each.unit, lang)
    return {"unit": name, "machines": each.machines, "counts": counts, "share": share, "text": said}


def _work(each: Work, lang: Lang) -> list[str]:
    advice = words.advice_text(each.advice, {}, lang)
    return [words.owner_text(each.owner, lang), advice, str(each.machines)]


def _row(row: Row, columns: Sequence[str], lang: Lang) -> Json:
    return {
        "name": words.machine_text(row),
        "under": [line for line in (row.room, row.reference) if line],
        "tested": [line for line in (words.tested_text(row, lang), words.link_text(row, lang)) if line],
        "standing": _standing(row.standing, lang),
        "until": words.until_text(row),
        "soon": row.soon,
        "asked": [_asked(row, column, lang) for column in columns],
        "fixes": [_fix(fix, lang) for fix in row.fixes],
    }


def _asked(row: Row, column: str, lang: Lang) -> list[str]:
    level = row.requirements.get(column)
    return [level or "untested", ICONS[level] if level else words.NOT_TESTED, words.level_text(level, lang)]


def _fix(fix: Fix, lang: Lang) -> list[str]:
    advice, owner = words.advice_text(fix.advice, fix.params, lang), words.owner_text(fix.owner, lang)
    return [advice, owner, words.reasons(fix, lang)]

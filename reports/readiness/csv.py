"""The table as CSV that a Swedish Excel opens rightly: UTF-8 with a byte order mark, `;`, decimal comma, ISO dates."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from reports.advice import Lang, text
from reports.readiness import words
from reports.readiness.shapes import Fix, Report, Row

MARK = "\ufeff"
_DAY_S = 86400.0
_HEADS = ("unit", "room", "machine", "machine_id", "tested", "link", "standing", "until", "days_left")
# A spreadsheet would take a text that begins so for a formula, and run it; also those of full width.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def render(report: Report, lang: Lang) -> bytes:
    """The file, a line for each machine."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    columns = words.columns(report)
    asked = [words.requirement_text(column, lang) for column in columns]
    writer.writerow([*(text(f"readiness.{head}", lang) for head in (*_HEADS, "reference")), *asked, *_last(lang)])
    for row in report.machines:
        left = None if row.valid_until is None else (row.valid_until - report.made_at) / _DAY_S
        texts = [harmless(cell) for cell in (*_place(row, lang), *_texts(row, columns, lang))]
        writer.writerow([*texts[: len(_HEADS) - 1], _number(left), *texts[len(_HEADS) - 1 :]])
    return (MARK + out.getvalue()).encode()


def harmless(cell: str) -> str:
    """Text that no spreadsheet runs: an apostrophe before what looks like a formula (OWASP, CSV injection)."""
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA) else cell


def _last(lang: Lang) -> list[str]:
    return [text("readiness.fixes", lang), text("readiness.who", lang)]


def _place(row: Row, lang: Lang) -> list[str]:
    """All of _HEADS but the last, which is a number."""
    tested = "" if row.tested_at is None else words.tested_text(row, lang)
    standing, link = words.standing_text(row.standing, lang), words.link_text(row, lang)
    return [row.unit, row.room, row.name, row.machine, tested, link, standing, words.until_text(row)]


def _texts(row: Row, columns: Sequence[str], lang: Lang) -> list[str]:
    asked = [words.level_text(row.requirements.get(column), lang) for column in columns]
    fixes = " ".join(_fix(fix, lang) for fix in row.fixes)
    owners = ", ".join(dict.fromkeys(words.owner_text(fix.owner, lang) for fix in row.fixes))
    return [row.reference or "", *asked, fixes, owners]


def _fix(fix: Fix, lang: Lang) -> str:
    advice, reasons = words.advice_text(fix.advice, fix.params, lang), words.reasons(fix, lang)
    return f"{advice} {reasons}." if reasons else advice


def _number(value: float | None) -> str:
    """One decimal, with a comma whatever the language is: the file is made for a Swedish spreadsheet."""
    return "" if value is None else f"{value:.1f}".replace(".", ",")

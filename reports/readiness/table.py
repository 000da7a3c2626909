"""The table in a terminal: the sums, then each machine. Colour never stands alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from reports.advice import Lang, text
from reports.readiness import words
from reports.readiness.rows import total
from reports.readiness.shapes import Report, Row, Standing
from reports.table import COLOURS

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_COLOURS: dict[Standing, str] = {**cast("dict[Standing, str]", COLOURS), "expired": "magenta", "untested": "cyan"}
_HEADS = ("unit", "room", "machine", "tested", "link", "standing", "until", "fixes")


def render(report: Report, lang: Lang, console: Console) -> None:
    """Print it."""
    from rich.text import Text

    console.print(Text(words.title(report, lang), style="bold"))
    for line in words.introduction(report, lang):
        console.print(Text(line, style="dim"))
    if not report.machines:
        console.print(Text(text("readiness.none", lang)))
        return
    whole = total("", report.machines)
    console.print(Text(words.summary_text(whole, lang), style="bold"))
    counts = ((s, n) for s, n in whole.standings.items() if n)
    console.print(Text(" · ".join(f"{words.STANDING_ICONS[s]} {words.standing_text(s, lang)}: {n}" for s, n in counts)))
    console.print(_table(report, lang))


def _table(report: Report, lang: Lang) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for head in _HEADS:
        table.add_column(text(f"readiness.{head}", lang), overflow="fold")
    for row in report.machines:
        style = "" if row.standing == "ready" else _COLOURS[row.standing]
        table.add_row(*(Text(cell) for cell in _cells(row, lang)), style=style)
    return table


def _cells(row: Row, lang: Lang) -> tuple[str, ...]:
    standing = f"{words.STANDING_ICONS[row.standing]} {words.standing_text(row.standing, lang)}"
    until = f"{words.until_text(row)} ({text('readiness.soon', lang)})" if row.soon else words.until_text(row)
    fixes = "\n".join(
        f"{words.advice_text(fix.advice, fix.params, lang)} ({words.owner_text(fix.owner, lang)})" for fix in row.fixes
    )
    place = (words.unit_text(row.unit, lang), row.room, words.machine_text(row))
    return (*place, words.tested_text(row, lang), words.link_text(row, lang), standing, until, fixes)

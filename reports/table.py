"""The self-test as a person reads it in a terminal: one headline, one next action, a small table. No addresses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from reports.advice import Lang, text
from reports.advice.words import (
    action_text,
    faults,
    headline,
    limit_text,
    localised,
    meaning_text,
    measured_text,
    number,
    what_text,
)
from reports.record import Finding, Level, Link, SelfTest

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

ICONS: dict[Level, str] = {"ready": "✔", "degraded": "!", "not_ready": "✖", "unknown": "?"}
COLOURS: dict[Level, str] = {"ready": "green", "degraded": "yellow", "not_ready": "red", "unknown": "cyan"}


def render(self_test: SelfTest, lang: Lang, console: Console) -> None:
    """Print the verdict, where the fault is, the next action, what is wrong, what is well, and the link in use.

    Colour never stands alone: icon and words say the same.
    """
    from rich.text import Text

    verdict = self_test.verdict
    colour = COLOURS[verdict.level]
    console.print(Text(f"{ICONS[verdict.level]} {headline(verdict, lang)}", style=f"bold {colour}"))
    if self_test.interrupted:
        console.print(Text(text("table.interrupted", lang)))
    used = used_link(self_test)
    told = faults(verdict, used.name if used else None)
    for fault in told:
        head = text("table.fault" if fault.sure else "table.fault_unsure", lang)
        console.print(Text.assemble((head, "bold"), " ", meaning_text(fault, lang)))
    console.print(Text.assemble((text("table.next", lang), "bold"), " ", action_text(verdict, lang)))
    console.print()
    listed = [f for f in verdict.findings if f not in told]
    if listed:
        console.print(_table(listed, {link.name: link for link in self_test.links}, lang))
    console.print(Text(_link_line(self_test, lang)))
    if compared := _comparison(self_test, lang):
        console.print(Text(compared))
    console.print(Text(text("table.not_recorded", lang), style="dim"))


def used_link(self_test: SelfTest) -> Link | None:
    """The link that the verdict speaks about: the one whose kind was judged."""
    names = {f.subject for f in self_test.verdict.findings if f.params.get("quantity") == "link_kind"}
    return next((link for link in self_test.links if link.name in names), None)


def _link_line(self_test: SelfTest, lang: Lang) -> str:
    link = used_link(self_test)
    if link is None:
        return text("table.no_link", lang)
    return f"{text('table.link_used', lang)} {_link_words(link, lang)}"


def _comparison(self_test: SelfTest, lang: Lang) -> str:
    """Which of several links was better, by how much at least and at most; or that they cannot be told apart."""
    found = next((m for m in self_test.measurements if m.name == "compare"), None)
    if found is None:
        return ""
    best = {link.name: _link_words(link, lang) for link in self_test.links}.get(found.subject, found.subject)
    low, high = (found.values.get(f"mos_difference_ci95_{end}") for end in ("low", "high"))
    if not found.facts.get("told_apart") or low is None or high is None:
        return text("table.alike", lang, link=best)
    return text("table.better", lang, link=best, low=number(low, lang), high=number(high, lang))


def _link_words(link: Link, lang: Lang) -> str:
    return f"{localised({'kind': link.kind}, lang)['kind']} ({link.name})"


def _table(findings: Sequence[Finding], links: dict[str, Link], lang: Lang) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    several = len({f.subject for f in findings if f.subject in links}) > 1
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for key in ("what", "value", "limit", "means"):
        table.add_column(text(f"table.{key}", lang), overflow="fold")
    for f in findings:
        what = what_text(f, lang)
        where = f" ({f.subject})" if several and f.subject in links else ""
        cells = (f"{ICONS[f.level]} {what}{where}", measured_text(f, lang), limit_text(f, lang), _means(f, lang))
        table.add_row(*(Text(cell) for cell in cells), style=COLOURS[f.level] if f.level != "ready" else "")
    return table


def _means(finding: Finding, lang: Lang) -> str:
    return meaning_text(finding, lang) or text(f"level.{finding.level}", lang)

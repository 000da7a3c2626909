"""The table as one HTML document that needs nothing else: to be kept as a file, printed, or served by a room."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from html import escape
from itertools import groupby
from pathlib import Path

from reports.advice import Lang, text
from reports.readiness import words
from reports.readiness.rows import in_order, total, totals, work
from reports.readiness.shapes import STANDINGS, Fix, Report, Row, Total
from reports.record import LEVELS, Level
from reports.table import ICONS

_BAR = 1000  # the bar's width in its own units
Labelled = tuple[str, str]  # where a link leads and what it says


@dataclass(frozen=True, slots=True)
class Ways:
    """Links to other pages, for a page that is served. `here`: the addresses of the page as it is.

    `groups`: of links, each with a name; `units`: the address of each unit's own page.
    """

    groups: tuple[tuple[str, tuple[Labelled, ...]], ...] = ()
    here: frozenset[str] = frozenset()
    units: Mapping[str, str] = field(default_factory=dict)


@cache
def style() -> str:
    """The style sheet within the document: a page that is served names its hash in its content security policy."""
    return Path(__file__).with_name("style.css").read_text("utf-8")


def render(report: Report, lang: Lang, ways: Ways | None = None) -> str:
    """The document. `ways`: None: it is a file, with no way to anywhere."""
    title = escape(words.title(report, lang))
    return (
        f'<!doctype html>\n<html lang="{lang}">\n<head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>'
        f"<style>{style()}</style></head>\n<body>\n"
        f"<header>{_nav(ways)}<h1>{title}</h1>{_paragraphs(words.introduction(report, lang))}</header>\n"
        f"<main>{''.join(_main(report, lang, ways or Ways()))}</main>\n"
        f"<footer><p>{_text('note', lang)}</p></footer>\n</body>\n</html>\n"
    )


def _text(name: str, lang: Lang, **params: str | float) -> str:
    return escape(text(f"readiness.{name}", lang, **params))


def _paragraphs(lines: Iterable[str]) -> str:
    return "".join(f'<p class="quiet">{escape(line)}</p>' for line in lines)


def _nav(ways: Ways | None) -> str:
    if ways is None:
        return ""
    groups = "".join(
        f'<nav aria-label="{escape(name)}"><span class="quiet" aria-hidden="true">{escape(name)}</span>'
        f"<ul>{''.join(_way(ways, *way) for way in found)}</ul></nav>"
        for name, found in ways.groups
    )
    return f'<div class="ways">{groups}</div>'


def _way(ways: Ways, address: str, name: str) -> str:
    current = ' aria-current="page"' if address in ways.here else ""
    return f'<li><a href="{escape(address)}"{current}>{escape(name)}</a></li>'


def _main(report: Report, lang: Lang, ways: Ways) -> Iterator[str]:
    if not report.machines:
        yield f'<p class="lead">{_text("none", lang)}</p>'
        return
    yield f"<section><h2>{_text('summary', lang)}</h2>{_summary(total('', report.machines), lang)}</section>"
    units = totals(report.machines)
    if len(units) > 1:
        yield f"<section><h2>{_text('units', lang)}</h2>{_units(units, lang, ways)}</section>"
    yield f"<section><h2>{_text('work', lang)}</h2>{_work(report, lang)}</section>"
    yield f"<section><h2>{_text('machines', lang)}</h2>{_key(lang)}"
    ordered = sorted(report.machines, key=lambda row: in_order(row.unit))
    for unit, group in groupby(ordered, key=lambda row: row.unit):
        yield _machines(unit, list(group), words.columns(report), lang)
    yield "</section>"


def _summary(whole: Total, lang: Lang) -> str:
    ready = escape(words.summary_text(whole, lang))
    soon = f"<p>{_text('soon_count', lang, soon=whole.soon)}</p>" if whole.soon else ""
    items = "".join(
        f'<li class="{s}"><b>{whole.standings[s]}</b><span class="sign" aria-hidden="true">{words.STANDING_ICONS[s]}'
        f"</span> {escape(words.standing_text(s, lang))}</li>"
        for s in STANDINGS
    )
    return f'<p class="lead">{ready}</p>{_bar(whole)}<ul class="totals">{items}</ul>{soon}'


def _bar(whole: Total) -> str:
    """The same numbers as the list beneath it says, for the eye."""
    parts, x = [], 0.0
    for standing in STANDINGS:
        width = _BAR * whole.standings[standing] / whole.machines
        parts.append(f'<rect class="{standing}" x="{x:.1f}" width="{width:.1f}" height="10"/>' if width else "")
        x += width
    drawn = "".join(parts)
    return f'<svg class="bar" viewBox="0 0 {_BAR} 10" preserveAspectRatio="none" aria-hidden="true">{drawn}</svg>'


def _table(name: str, heads: Sequence[str], body: Iterable[str], lang: Lang, kind: str = "") -> str:
    """`name`: escaped, and so are the heads. It scrolls by itself where it is too wide, with the keyboard too."""
    label = escape(text("readiness.table_of", lang, name="")).strip()
    head = "".join(f'<th scope="col">{each}</th>' for each in heads)
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{label} {name}">'
        f'<table class="{kind}"><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table></div>'
    )


def _units(units: Sequence[Total], lang: Lang, ways: Ways) -> str:
    def line(each: Total) -> str:
        name = escape(words.unit_text(each.unit, lang))
        if each.unit in ways.units:
            name = f'<a href="{escape(ways.units[each.unit])}">{name}</a>'
        counts = "".join(f'<td class="n">{each.standings[s]}</td>' for s in STANDINGS)
        share = escape(words.share_text(words.good(each), each.machines, lang))
        return (
            f'<tr><th scope="row">{name}</th><td class="n">{each.machines}</td>{counts}<td class="n">{share}</td></tr>'
        )

    standings = [escape(words.standing_text(s, lang)) for s in STANDINGS]
    heads = [_text("unit", lang), _text("number", lang), *standings, _text("share", lang)]
    return _table(_text("units", lang), heads, map(line, units), lang, "sums")


def _work(report: Report, lang: Lang) -> str:
    lines = [
        f'<tr><th scope="row">{escape(words.owner_text(each.owner, lang))}</th>'
        f'<td class="f">{escape(words.advice_text(each.advice, {}, lang))}</td><td class="n">{each.machines}</td></tr>'
        for each in sorted(work(report.machines), key=lambda each: (each.owner, -each.machines))
    ]
    if not lines:
        return f"<p>{_text('nothing', lang)}</p>"
    return _table(_text("work", lang), [_text(name, lang) for name in ("who", "what", "number")], lines, lang, "work")


def _key(lang: Lang) -> str:
    signs: list[tuple[str, str, str]] = [(level, ICONS[level], words.level_text(level, lang)) for level in LEVELS]
    signs.append(("untested", words.NOT_TESTED, words.level_text(None, lang)))
    items = "".join(f'<li class="{c}"><span class="sign">{icon}</span> {escape(said)}</li>' for c, icon, said in signs)
    return f'<ul class="key" aria-label="{_text("key", lang)}">{items}</ul>'


def _machines(unit: str, machines: Sequence[Row], columns: Sequence[str], lang: Lang) -> str:
    name = escape(words.unit_title(total(unit, machines), lang))
    first = [_text(head, lang) for head in ("machine", "tested", "standing_until")]
    asked = [escape(words.requirement_text(column, lang)) for column in columns]
    signs = {(c, level): _sign(c, level, lang) for c in columns for level in (*LEVELS, None)}
    body = (_line(row, [signs[c, row.requirements.get(c)] for c in columns], lang) for row in machines)
    return f"<h3>{name}</h3>" + _table(name, [*first, *asked, _text("fixes", lang)], body, lang, "machines")


def _sign(column: str, level: Level | None, lang: Lang) -> str:
    """`data-of` is shown where the table is too wide for a head."""
    icon = ICONS[level] if level else words.NOT_TESTED
    said, of = escape(words.level_text(level, lang)), escape(words.requirement_text(column, lang))
    sign = f'<span class="sign {level or "untested"}" role="img" aria-label="{said}">{icon}</span>'
    return f'<td class="c" data-of="{of}">{sign}</td>'


def _line(row: Row, asked: Sequence[str], lang: Lang) -> str:
    under, icon = [row.room, row.reference or ""], words.STANDING_ICONS[row.standing]
    standing, link = words.standing_text(row.standing, lang), words.link_text(row, lang)
    until = f"{words.until_text(row)} ({text('readiness.soon', lang)})" if row.soon else words.until_text(row)
    return (
        f'<tr><th scope="row">{escape(words.machine_text(row))}{_small(under)}</th>'
        f'<td class="d">{escape(words.tested_text(row, lang))}{_small([link])}</td>'
        f'<td class="s {row.standing}"><span aria-hidden="true">{icon}</span> {escape(standing)}{_small([until])}</td>'
        f'{"".join(asked)}<td class="f">{_fixes(row.fixes, lang)}</td></tr>\n'
    )


def _small(lines: Iterable[str]) -> str:
    return "".join(f"<small>{escape(line)}</small>" for line in lines if line)


def _fixes(fixes: Sequence[Fix], lang: Lang) -> str:
    items = "".join(f"<li>{_fix(fix, lang)}</li>" for fix in fixes)
    return f"<ul>{items}</ul>" if items else ""


def _fix(fix: Fix, lang: Lang) -> str:
    owner, what = words.owner_text(fix.owner, lang), words.advice_text(fix.advice, fix.params, lang)
    return f"{escape(what)} <b>({escape(owner)})</b>{_small([words.reasons(fix, lang)])}"

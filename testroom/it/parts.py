"""What several pages are made of: cards, tables, bars with their table, lists of machines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from reports.advice import Lang
from reports.advice.words import action_text
from reports.record import LEVELS, Verdict
from reports.store.shapes import Latest
from testroom.it import svg
from testroom.it.data import STATES, UNTESTED, Line, state
from testroom.it.markup import Html, join, tag
from testroom.it.query import Query
from testroom.it.texts import ago, kind_text, machine_text, moment, say, share, unit_text, whole

Cell = object


def card(title: str, *inside: object, lead: str | None = None, wide: bool = False) -> Html:
    """A section with its heading, and one sentence on how to read it."""
    name = "card wide" if wide else "card"
    explained = tag("p", lead, class_="quiet") if lead else None
    return tag("section", tag("h2", title), explained, *inside, class_=name)


def nothing(words: str) -> Html:
    """In place of what there is none of."""
    return tag("p", words, class_="nothing")


def table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[Cell]], *, numbers: bool = True) -> Html:
    """The first cell of each row is its head. It scrolls by itself when the window is too narrow for it."""
    first, *others = heads
    aligned = "number" if numbers else None
    head = tag("tr", tag("th", first, scope="col"), [tag("th", h, scope="col", class_=aligned) for h in others])
    body = [
        tag("tr", tag("th", row[0], scope="row"), [tag("td", cell, class_=aligned) for cell in row[1:]]) for row in rows
    ]
    whole_table = tag("table", tag("caption", caption, class_="unseen"), tag("thead", head), tag("tbody", body))
    return tag("div", whole_table, class_="scroll", role="region", tabindex=0, aria_label=caption)


def badge(level: str, lang: Lang) -> Html:
    """Sign, word and colour of a level, or of `untested`."""
    sign = tag("span", svg.SIGNS[level], class_="sign", aria_hidden="true")
    return tag("span", sign, say(f"state_{level}", lang), class_=f"badge {level}")


def legend(lang: Lang, states: Iterable[str] = STATES) -> Html:
    """What the colours of bars mean."""
    return tag("ul", [tag("li", badge(each, lang)) for each in states], class_="legend")


def bars(
    lines: Sequence[Line],
    lang: Lang,
    name: Callable[[str], object],
    *,
    head: str,
    caption: str,
    states: Sequence[str] = STATES,
    most: int | None = None,
    shown: int = 12,
    even: bool = False,
) -> Html:
    """Bars, and the table with the same figures beneath. `even`: each bar is as wide as the whole."""
    states = [s for s in states if any(line.tally[s] for line in lines)]
    widest = most or max((_sum(line, states) for line in lines), default=0)
    drawn = [
        tag(
            "li",
            tag("span", name(line.name), class_="what"),
            svg.stacked({s: line.tally[s] for s in states}, _sum(line, states) if even else widest),
        )
        for line in lines[:shown]
    ]
    rest = say("bars_more", lang, n=whole(len(lines) - shown, lang)) if len(lines) > shown else None
    heads = [head, *(say(f"state_{s}", lang) for s in states), say("machines", lang)]
    rows = [
        [name(line.name), *(whole(line.tally[s], lang) for s in states), whole(_sum(line, states), lang)]
        for line in lines
    ]
    figures = tag("details", tag("summary", say("figures", lang)), table(caption, heads, rows))
    more = tag("p", rest, class_="quiet") if rest else None
    return join(legend(lang, states), tag("ul", drawn, class_="bars"), more, figures)


def _sum(line: Line, states: Sequence[str]) -> int:
    return sum(line.tally[s] for s in states)


def tiles(figures: Iterable[tuple[str, str, object, str]]) -> Html:
    """Large figures: (class, what, figure, remark)."""
    return tag(
        "ul",
        [
            tag(
                "li",
                tag("span", what, class_="what"),
                tag("span", figure, class_="figure"),
                tag("span", remark, class_="quiet") if remark else None,
                class_=f"tile {kind}",
            )
            for kind, what, figure, remark in figures
        ],
        class_="tiles",
    )


def state_tiles(tally: dict[str, int], q: Query) -> Html:
    """How many machines are in each state, each a link to them."""
    of, lang = sum(tally.values()), q.lang
    made = []
    for each in STATES:
        link = tag("a", whole(tally.get(each, 0), lang), href=q.href("/it/machines", level=each))
        sign = tag("span", svg.SIGNS[each], class_="sign", aria_hidden="true")
        what = join(sign, say(f"state_{each}", lang))
        made.append((each, what, link, share(tally.get(each, 0), of, lang)))
    return tiles(made)


def machine_list(machines: Iterable[Latest], q: Query) -> Html:
    """For each its state, name, place, link, next action and when it was tested."""
    return tag("ul", [_machine(m, q) for m in machines], class_="machines")


def _machine(m: Latest, q: Query) -> Html:
    now = state(m, q.since)
    test = m.test
    place = " · ".join(part for part in (unit_text(m.unit, q.lang), m.room) if part)
    more = [kind_text(test.link_kind, q.lang)] if test else []
    link = tag("a", machine_text(m), href=machine_href(m.machine, q))
    when = tag("span", ago(test.started_at if test else None, q.now, q.lang), class_="quiet")
    return tag(
        "li",
        badge(now, q.lang),
        tag("span", link, " ", tag("span", place, class_="quiet"), class_="who"),
        tag("span", next_action(m, q.lang) if now not in ("ready", UNTESTED) else "", class_="do"),
        tag("span", *more, " · " if more else "", when, class_="when"),
    )


def machine_href(machine: str, q: Query) -> str:
    """Its history."""
    return q.href(f"/it/machines/{machine}")


def next_action(m: Latest, lang: Lang) -> str:
    """The one next action of its latest self-test."""
    level = m.test.level if m.test and m.test.level in LEVELS else "unknown"
    return action_text(Verdict(level, (), m.action, m.action_params), lang)


def pairs(rows: Iterable[tuple[str, object]]) -> Html:
    """Names and what they hold."""
    return tag("dl", [join(tag("dt", name), tag("dd", held)) for name, held in rows], class_="pairs")


def when(at: float | None, q: Query) -> Html:
    """The moment, and how long ago."""
    told = moment(at, q.lang)
    return told if at is None else join(told, " ", tag("span", f"({ago(at, q.now, q.lang)})", class_="quiet"))

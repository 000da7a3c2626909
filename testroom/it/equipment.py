"""Equipment: cameras, sound, browsers and computers as the self-tests found them, and how old what is known is."""

from __future__ import annotations

from collections.abc import Sequence

from reports.advice import Lang
from reports.store.shapes import Latest
from testroom.it import data, equipment_data, parts, svg
from testroom.it.data import UNTESTED, Line
from testroom.it.markup import Html, join, tag
from testroom.it.query import Query
from testroom.it.texts import capital, say, subject_text, whole

_STATES = ("ready", "degraded", "not_ready", "unknown")


def view(machines: Sequence[Latest], q: Query) -> Html:
    """The whole view."""
    if not machines:
        return parts.nothing(say("no_machines", q.lang))
    found = list(equipment_data.parts(data.tested(machines, q.since)))
    return join(
        _whole([part.line for part in found], q.lang),
        tag("div", _ages(machines, q), _versions(data.tested(machines, q.since), q.lang), class_="grid"),
        _rules(found, q),
    )


def _whole(lines: Sequence[Line], lang: Lang) -> Html:
    def name(part: str) -> str:
        return subject_text(part, lang)

    title = say("parts", lang)
    states = (*_STATES, UNTESTED)
    shown = parts.bars(lines, lang, name, head=say("part", lang), caption=title, states=states, even=True)
    return parts.card(title, shown, lead=say("parts_lead", lang), wide=True)


def _rules(found: Sequence[equipment_data.Part], q: Query) -> Html:
    title = say("rules", q.lang)
    tables = [tag("div", _part(part, q)) for part in found if part.rules]
    shown = tag("div", tables, class_="grid") if tables else parts.nothing(say("nothing_measured", q.lang))
    return parts.card(title, shown, wide=True)


def _part(part: equipment_data.Part, q: Query) -> Html:
    """Its rules by state; a state that none of them is in has no column."""
    states = [state for state in _STATES if any(line.tally[state] for line in part.rules)]
    heads = [say("what", q.lang), *(say(f"state_{state}", q.lang) for state in states)]
    rows = [(_fails(line, q), *(whole(line.tally[state], q.lang) for state in states)) for line in part.rules]
    caption = subject_text(part.line.name, q.lang)
    return join(tag("h3", caption), parts.table(caption, heads, rows))


def _fails(line: Line, q: Query) -> object:
    words = capital(subject_text(line.name, q.lang))
    if not any(line.tally[level] for level in data.WRONG):
        return words
    return tag("a", words, href=q.href("/it/machines", fails=line.name))


def _ages(machines: Sequence[Latest], q: Query) -> Html:
    found = data.ages(machines, q.now)
    keys = [*map(str, data.AGES), "older", "never"]
    most = max(found.values(), default=0)
    drawn = [
        tag(
            "li",
            tag("span", say(f"age_{key}", q.lang), class_="what"),
            svg.plain(found[key], most),
            tag("span", whole(found[key], q.lang), class_="count"),
        )
        for key in keys
    ]
    return parts.card(say("ages", q.lang), tag("ul", drawn, class_="bars counted"), lead=say("ages_lead", q.lang))


def _versions(tested: Sequence[Latest], lang: Lang) -> Html:
    title = say("versions", lang)
    rows = [(version, whole(count, lang)) for version, count in data.versions(tested)[:20]]
    if not rows:
        return parts.card(title, parts.nothing(say("none_tested", lang)))
    return parts.card(title, parts.table(title, [say("version", lang), say("machines", lang)], rows))

"""Overview: how many machines are ready, in which unit and on which link; what fails most, and who can mend it."""

from __future__ import annotations

from collections.abc import Sequence

from reports.store.shapes import Latest
from testroom.it import data, parts
from testroom.it.markup import Html, join, tag
from testroom.it.query import UNIT_MARK, Query
from testroom.it.texts import fault_text, kind_text, machines_text, owner_text, say, subject_text, unit_text, whole

_MOST_WRONG = 20
_MOST_FAILING = 10


def view(machines: Sequence[Latest], q: Query) -> Html:
    """The whole view."""
    if not machines:
        return parts.nothing(say("no_machines", q.lang))
    tested = data.tested(machines, q.since)
    return join(
        parts.state_tiles(dict(data.total(machines, q.since)), q),
        tag("div", _units(machines, q), _kinds(machines, q), _failing(tested, q), _owners(tested, q), class_="grid"),
        _wrong(machines, q),
    )


def _units(machines: Sequence[Latest], q: Query) -> Html:
    def name(unit: str) -> Html:
        return tag("a", unit_text(unit, q.lang), href=q.href("/it", unit=UNIT_MARK + unit))

    title, lines = say("by_unit", q.lang), data.by_unit(machines, q.since)
    return parts.card(title, parts.bars(lines, q.lang, name, head=say("unit", q.lang), caption=title))


def _kinds(machines: Sequence[Latest], q: Query) -> Html:
    title, lines = say("by_kind", q.lang), data.by_kind(machines, q.since)
    if not lines:
        return parts.card(title, parts.nothing(say("none_tested", q.lang)))

    def name(kind: str) -> str:
        return kind_text(kind, q.lang)

    shown = parts.bars(lines, q.lang, name, head=say("link_kind", q.lang), caption=title)
    return parts.card(title, shown, lead=say("by_kind_lead", q.lang))


def _failing(tested: Sequence[Latest], q: Query) -> Html:
    title, lines = say("fails_most", q.lang), data.failing(tested)[:_MOST_FAILING]
    if not lines:
        return parts.card(title, parts.nothing(say("nothing_fails", q.lang)))

    def name(subject: str) -> Html:
        return tag("a", subject_text(subject, q.lang), href=q.href("/it/machines", fails=subject))

    caption = say("fails_most", q.lang)
    shown = parts.bars(lines, q.lang, name, head=say("what", q.lang), caption=caption, states=data.WRONG)
    return parts.card(title, shown, lead=say("fails_most_lead", q.lang))


def _owners(tested: Sequence[Latest], q: Query) -> Html:
    title, lines = say("whose", q.lang), data.owners(tested)
    if not lines:
        return parts.card(title, parts.nothing(say("nothing_fails", q.lang)))

    def name(owner: str) -> Html:
        return tag("a", owner_text(owner, q.lang), href=q.href("/it/machines", owner=owner))

    caption = say("whose", q.lang)
    shown = parts.bars(lines, q.lang, name, head=say("who", q.lang), caption=caption, states=data.WRONG)
    return parts.card(title, shown, _places(tested, q), lead=say("whose_lead", q.lang))


def _places(tested: Sequence[Latest], q: Query) -> Html | None:
    """Where self-tests found faults, and who can mend them."""
    found = data.faults(tested)
    if not found:
        return None
    rows = [
        (fault_text(rule, q.lang), owner_text(owner, q.lang), whole(count, q.lang))
        for rule, owner, count in found[:_MOST_FAILING]
    ]
    heads = [say("where", q.lang), say("who", q.lang), say("machines", q.lang)]
    return join(tag("h3", say("places", q.lang)), parts.table(say("places", q.lang), heads, rows, numbers=False))


def _wrong(machines: Sequence[Latest], q: Query) -> Html:
    wrong = data.wrong_first(machines, q.since)
    title = say("to_mend", q.lang)
    if not wrong:
        return parts.card(title, parts.nothing(say("nothing_to_mend", q.lang)), wide=True)
    more = None
    if len(wrong) > _MOST_WRONG:
        words = say("all_of_them", q.lang, machines=machines_text(len(machines), q.lang))
        more = tag("p", tag("a", words, href=q.href("/it/machines")))
    lead = say("to_mend_lead", q.lang, machines=machines_text(len(wrong), q.lang))
    return parts.card(title, parts.machine_list(wrong[:_MOST_WRONG], q), more, lead=lead, wide=True)

"""The list of machines that something was asked for, and one machine's history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reports.advice import Lang
from reports.advice.words import label, quantity_text
from reports.record import OWNERS
from reports.rules import Policy, Row
from reports.store.shapes import Latest, Past
from reports.times import day
from testroom.it import data, network, parts, svg
from testroom.it.markup import Html, join, tag
from testroom.it.query import Query, sought
from testroom.it.texts import kind_text, machine_text, machines_text, moment, owner_text, say, subject_text, unit_text

PAGE_OF = 100
_SHOWN = ("rtt_p95_seconds", "jitter_down_seconds", "loss_down_ratio", "throughput_down_bytes_per_second")
_MOST_SIGNS = 60
_MOST_TESTS = 200


def listed(machines: Sequence[Latest], q: Query, asked: Mapping[str, str]) -> Html:
    """The machines of a state, of a name, that something fails on, or that somebody can mend; a hundred at a time."""
    level, fails, owner = (asked.get(key, "") for key in ("level", "fails", "owner"))
    find = sought(asked)
    level, owner = level if level in data.STATES else "", owner if owner in OWNERS else ""
    found = [m for m in machines if data.has(m, q.since, level, fails, owner) and data.called(m, find)]
    found.sort(key=lambda m: data.WORST.index(data.state(m, q.since)))
    first = _first(asked.get("from", ""), len(found))
    lead = [say("listed", q.lang, machines=machines_text(len(found), q.lang))]
    lead += [say("listed_level", q.lang, level=say(f"state_{level}", q.lang))] if level else []
    lead += [say("listed_fails", q.lang, what=subject_text(fails, q.lang))] if fails else []
    lead += [say("listed_owner", q.lang, who=owner_text(owner, q.lang))] if owner else []
    lead += [say("listed_find", q.lang, what=find)] if find else []
    asked_for = {"level": level, "fails": fails, "owner": owner, "find": find}
    kept = {key: value for key, value in asked_for.items() if value}
    every = tag("a", say("listed_all", q.lang), href=q.href("/it/machines")) if kept else None
    shown = parts.machine_list(found[first : first + PAGE_OF], q) if found else parts.nothing(say("none_such", q.lang))
    told = tag("p", " · ".join(lead), " " if every else None, every, class_="quiet")
    return join(told, tag("section", shown, class_="card wide"), _pages(first, len(found), kept, q))


def _first(asked: str, count: int) -> int:
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 7 else 0
    return number - number % PAGE_OF if number < count else 0


def _pages(first: int, count: int, kept: dict[str, str], q: Query) -> Html | None:
    """The way to the hundred before and the hundred after."""
    if count <= PAGE_OF:
        return None
    links = [
        tag("a", say(key, q.lang), href=q.href("/it/machines", **kept, **{"from": str(at)}))
        for key, at in (("previous", first - PAGE_OF), ("next", first + PAGE_OF))
        if 0 <= at < count
    ]
    here = say("page_of", q.lang, first=first + 1, last=min(first + PAGE_OF, count), of=count)
    return tag("nav", tag("span", here), links, aria_label=say("pages", q.lang), class_="pages")


def history(machine: Latest, past: Sequence[Past], q: Query, policy: Policy) -> Html:
    """Who it is, how it stands, and its self-tests of the period. `past`: the newest first."""
    stands = tag("div", _who(machine, q), _now(machine, q), class_="grid")
    if not past:
        return join(stands, parts.card(say("history", q.lang), parts.nothing(say("none_in_period", q.lang))))
    return join(stands, _course(machine.machine, past, q, policy), _tests(machine.machine, past, q))


def _who(m: Latest, q: Query) -> Html:
    rows = [
        (say("unit", q.lang), unit_text(m.unit, q.lang)),
        (say("room", q.lang), m.room or "–"),
        (say("pseudonym", q.lang), tag("code", m.machine)),
        (say("first_seen", q.lang), parts.when(m.first_seen, q)),
        (say("last_seen", q.lang), parts.when(m.last_seen, q)),
    ]
    return parts.card(say("who_it_is", q.lang), parts.pairs(rows))


def _now(m: Latest, q: Query) -> Html:
    title = say("latest", q.lang)
    if m.test is None:
        return parts.card(title, parts.nothing(say("never_tested", q.lang)))
    link = tag("a", say("open_test", q.lang), href=test_href(m.test, m.machine, q))
    rows = [
        (say("tested", q.lang), parts.when(m.test.started_at, q)),
        (say("link_kind", q.lang), kind_text(m.test.link_kind, q.lang)),
        (say("version", q.lang), m.test.version or "–"),
    ]
    action = tag("p", parts.next_action(m, q.lang), class_="next")
    return parts.card(title, tag("p", parts.badge(m.test.level, q.lang)), action, parts.pairs(rows), tag("p", link))


def test_href(past: Past, machine: str, q: Query) -> str:
    """One self-test's page, which knows the way back to the machine."""
    return q.href(f"/it/self-tests/{past.run_id}", machine=machine)


def _course(machine: str, past: Sequence[Past], q: Query, policy: Policy) -> Html:
    """Verdicts and four quantities over the period, drawn; the table beneath has the figures."""
    across = svg.Scale(min(q.since, past[-1].started_at) if q.days == 1 else past[-1].started_at, q.now)
    ends = (day(across.low), day(across.high))
    drawn = [_drawn(say("verdicts", q.lang), _strip(machine, past[:_MOST_SIGNS], q), "")]
    for name in _SHOWN:
        points = [(p.started_at, p.values[name]) for p in reversed(past) if name in p.values]
        if points:
            row = policy.rows[network.RULES[name]]
            up = network.scale_of(row, [value for _, value in points])
            drawing = svg.course(points, across, up, network.limits(row), ends)
            drawn.append(_drawn(label(name, q.lang), drawing, _said(row, q)))
    return parts.card(say("history", q.lang), tag("div", drawn, class_="courses"), wide=True)


def _strip(machine: str, past: Sequence[Past], q: Query) -> Html:
    """For each self-test, the oldest first, its sign; a link to it."""
    return tag(
        "ol",
        [
            tag(
                "li",
                tag(
                    "a",
                    tag("span", svg.SIGNS[p.level], aria_hidden="true"),
                    tag("span", say(f"state_{p.level}", q.lang), " ", moment(p.started_at, q.lang), class_="unseen"),
                    href=test_href(p, machine, q),
                    class_=p.level,
                ),
            )
            for p in reversed(past)
        ],
        class_="strip",
    )


def _said(row: Row, q: Query) -> str:
    good, bad = network.limits(row)[0], network.limits(row)[-1]
    return say(
        "limits_higher" if row.better == "higher" else "limits",
        q.lang,
        good=quantity_text(row.value, good.value, q.lang),
        bad=quantity_text(row.value, bad.value, q.lang),
    )


def _drawn(title: str, drawing: Html, remark: str) -> Html:
    return tag("div", tag("h3", title), tag("p", remark, class_="quiet") if remark else None, drawing)


def _tests(machine: str, past: Sequence[Past], q: Query) -> Html:
    title = say("tests", q.lang)
    heads = [say("tested", q.lang), say("verdict", q.lang), say("link_kind", q.lang)]
    heads += [label(name, q.lang) for name in _SHOWN]
    rows = [
        (
            tag("a", moment(p.started_at, q.lang), href=test_href(p, machine, q)),
            parts.badge(p.level, q.lang),
            kind_text(p.link_kind, q.lang),
            *(_value(name, p, q.lang) for name in _SHOWN),
        )
        for p in past[:_MOST_TESTS]
    ]
    lead = say("tests_newest", q.lang, n=_MOST_TESTS) if len(past) > _MOST_TESTS else None
    return parts.card(title, parts.table(title, heads, rows, numbers=False), lead=lead, wide=True)


def _value(name: str, past: Past, lang: Lang) -> str:
    return quantity_text(name, past.values[name], lang) if name in past.values else "–"


def title(machine: Latest, lang: Lang) -> str:
    """The page's heading."""
    return say("machine_title", lang, name=machine_text(machine))

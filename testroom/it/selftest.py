"""One self-test: the verdict, the next action, every finding with its evidence, and all that was measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reports.advice import Lang, text
from reports.advice.words import (
    action_text,
    headline,
    label,
    limit_text,
    localised,
    meaning_text,
    number,
    quantity_text,
    value_text,
)
from reports.policy import FACTS
from reports.record import Fact, Finding, Level, Link, Measurement, SelfTest
from reports.vocabulary import FAILURES, INTERVAL_SUFFIXES
from testroom.it import parts
from testroom.it.data import subject_of
from testroom.it.markup import Html, join, tag
from testroom.it.query import Query
from testroom.it.texts import capital, kind_text, owner_text, say, subject_text

_ORDER: tuple[Level, ...] = ("not_ready", "degraded", "unknown", "ready")


def view(test: SelfTest, q: Query) -> Html:
    """The whole page."""
    lang = q.lang
    return join(
        tag("div", _verdict(test, q), _about(test, q), class_="grid"),
        _findings(test, lang),
        _links(test.links, lang) if test.links else None,
        _devices(test, lang) if test.devices else None,
        _measurements(test, lang),
    )


def _verdict(test: SelfTest, q: Query) -> Html:
    interrupted = tag("p", text("table.interrupted", q.lang)) if test.interrupted else None
    next_ = tag("p", tag("strong", text("table.next", q.lang)), " ", action_text(test.verdict, q.lang), class_="next")
    words = headline(test.verdict, q.lang)
    return parts.card(words, tag("p", parts.badge(test.verdict.level, q.lang)), interrupted, next_)


def _about(test: SelfTest, q: Query) -> Html:
    rows = [
        (say("tested", q.lang), parts.when(test.started_at, q)),
        (say("took", q.lang), quantity_text("join_seconds", round(test.duration_s, 1), q.lang)),
        (say("against", q.lang), say(f"against_{test.room}", q.lang) if test.room in _ROOMS else test.room),
        (say("version", q.lang), test.agent.version),
        (say("platform", q.lang), test.agent.platform),
        (say("run_id", q.lang), tag("code", test.run_id)),
    ]
    return parts.card(say("about", q.lang), parts.pairs(rows))


_ROOMS = ("embedded", "configured", "none")


def _findings(test: SelfTest, lang: Lang) -> Html:
    """What is wrong in full, what was good folded away."""
    order = sorted(test.verdict.findings, key=lambda f: _ORDER.index(f.level))
    wrong = [f for f in order if f.level != "ready"]
    good = [f for f in order if f.level == "ready"]
    shown = tag("ul", [_finding(f, lang) for f in wrong], class_="findings") if wrong else None
    folded = None
    if good:
        heads = [text(f"table.{key}", lang) for key in ("what", "value", "limit")]
        rows = [(_what(f, lang), value_text(f, lang) or "–", limit_text(f, lang) or "–") for f in good]
        title = say("good", lang, n=len(good))
        folded = tag("details", tag("summary", title), parts.table(title, heads, rows))
    none = parts.nothing(say("nothing_wrong", lang)) if not wrong else None
    return parts.card(say("findings", lang), none, shown, folded, wide=True)


def _finding(f: Finding, lang: Lang) -> Html:
    value, limit = value_text(f, lang), limit_text(f, lang)
    measured = f"{value} ({say('limit', lang, limit=limit)})" if value and limit else value
    if not f.sure:
        measured = " ".join(part for part in (measured, text("finding.unsure", lang)) if part)
    means = "" if "code" in f.params else meaning_text(f, lang)
    told = [
        tag("p", tag("strong", _what(f, lang)), " ", tag("span", measured) if measured else None),
        tag("p", means) if means else None,
        tag("p", say("do", lang), " ", text(f.advice, lang, **localised(f.params, lang))),
        tag("p", say("mends", lang, who=owner_text(f.owner, lang)), _source(f, lang), class_="quiet"),
    ]
    return tag("li", parts.badge(f.level, lang), tag("div", told))


def _what(f: Finding, lang: Lang) -> str:
    where = f" ({f.subject})" if f.subject and f.subject not in ("computer", "browser") else ""
    return capital(subject_text(subject_of(f), lang)) + where


def _source(f: Finding, lang: Lang) -> str:
    return f" · {say('source', lang, source=f.source)}" if f.source and f.source != "diagnosis" else ""


def _links(links: Iterable[Link], lang: Lang) -> Html:
    title = say("links", lang)
    heads = [say(key, lang) for key in ("link", "link_kind", "in_use_link", "evidence")]
    rows = [
        (
            link.name,
            kind_text(link.kind, lang),
            say("yes" if link.is_default else "no", lang),
            "; ".join(link.evidence) or "–",
        )
        for link in links
    ]
    return parts.card(title, parts.table(title, heads, rows, numbers=False), wide=True)


def _devices(test: SelfTest, lang: Lang) -> Html:
    title = say("devices", lang)
    heads = [say(key, lang) for key in ("device", "device_kind", "form", "evidence")]
    rows = [
        (d.label, capital(label(d.kind, lang)), text(f"devices.form_{d.form}", lang), "; ".join(d.evidence) or "–")
        for d in test.devices
    ]
    return parts.card(title, parts.table(title, heads, rows, numbers=False), wide=True)


def _measurements(test: SelfTest, lang: Lang) -> Html:
    """Every value with its unit, every fact, and why the others are unknown; a fold for each measurement."""
    folds = [_measurement(m, lang) for m in test.measurements]
    shown = folds or parts.nothing(say("nothing_measured", lang))
    return parts.card(say("evidence_all", lang), shown, lead=say("evidence_lead", lang), wide=True)


def _measurement(m: Measurement, lang: Lang) -> Html:
    rows = list(_rows(m, lang))
    title = f"{capital(label(m.name, lang))} · {m.subject}"
    failed = tag("p", _failure(m, lang), class_="failure") if m.failure else None
    heads = [text("table.what", lang), text("table.value", lang)]
    held = parts.table(title, heads, rows, numbers=False) if rows else None
    state = say("failed" if m.failure else "measured", lang)
    return tag("details", tag("summary", title, " ", tag("span", state, class_="quiet")), failed, held)


def _failure(m: Measurement, lang: Lang) -> str:
    assert m.failure is not None
    code = m.failure.code
    said = text(f"failure.{code}", lang) if code in FAILURES else code
    return f"{said} ({m.failure.step}: {code})" + (f" {m.failure.detail}" if m.failure.detail else "")


def _rows(m: Measurement, lang: Lang) -> Iterator[tuple[object, object]]:
    for name, value in m.values.items():
        if not name.endswith(INTERVAL_SUFFIXES):
            yield _named(name, lang), join(quantity_text(name, value, lang), _interval(m, name, lang))
    for name, fact in m.facts.items():
        yield _named(name, lang), _fact(name, fact, lang)
    for name, reason in m.unknown.items():
        if not name.endswith(INTERVAL_SUFFIXES):
            yield _named(name, lang), say("unknown_because", lang, why=reason)


def _named(name: str, lang: Lang) -> object:
    """The words, and the name that metrics and JSON know it by."""
    words = label(name, lang)
    code = tag("code", name)
    return code if words == name else join(words, " ", tag("span", code, class_="quiet"))


def _interval(m: Measurement, name: str, lang: Lang) -> Html | None:
    low, high = (m.values.get(name + suffix) for suffix in INTERVAL_SUFFIXES)
    if low is None or high is None:
        return None
    ends = {"low": quantity_text(name, low, lang), "high": quantity_text(name, high, lang)}
    return join(" ", tag("span", say("interval", lang, **ends), class_="quiet"))


def _fact(name: str, fact: Fact, lang: Lang) -> str:
    """Words of the policy's facts have a translation; others mean what they mean to the probe."""
    if isinstance(fact, bool):
        return text(f"word.{str(fact).lower()}", lang)
    if isinstance(fact, tuple):
        return ", ".join(map(str, fact)) or "–"
    if isinstance(fact, str):
        return quantity_text(name, fact, lang) if name in FACTS else fact
    return number(fact, lang)

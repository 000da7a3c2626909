"""Every finding and every measured value in words of both languages, for IT: value, limit, meaning, source, evidence.

Nothing in them names a person or a network: links are called by their kind, and what the probes wrote in their own
words (agent/ui/probe_words.py) is cleared of addresses and of the names that links have.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from agent.ui.concerned import behind
from agent.ui.links_shown import words_of
from agent.ui.probe_words import clue_text, reason_text, source_text
from agent.ui.state import Line, Said, Value
from reports.advice import LANGUAGES, Lang, text
from reports.advice.words import label, limit_text, localised, measured_text, quantity_text, what_text
from reports.diagnosis import SOURCE
from reports.policy import Policy
from reports.record import Finding, Link, Measurement, SelfTest
from reports.rules import Row
from reports.serial import scrub
from reports.vocabulary import INTERVAL_SUFFIXES, QUANTITIES

# Facts that tell more than the word that is judged.
FACTS: Mapping[str, tuple[str, ...]] = {
    "microphone_sound": ("sound_faults", "better_device"),
    "equipment": ("better_device",),
    "camera_picture": ("mode",),
    "browser": ("browsers",),
    "media_path": ("candidate_pair",),
    "call_carries": ("frame_size",),
}


@dataclass(frozen=True, slots=True)
class Told:
    """A self-test, and what its links and devices are called where several must be told apart."""

    self_test: SelfTest
    policy: Policy
    links: Mapping[str, Said] = field(default_factory=dict)
    devices: frozenset[str] = frozenset()

    def where(self, subject: str, lang: Lang) -> str:
        """What it is about, in brackets; empty where there is only one link, or one device of that kind."""
        words = self.links.get(subject, {}).get(lang) or (subject if subject in self.devices else "")
        return f" ({words})" if words else ""

    def cleared(self, words: str) -> str:
        """A probe's own words without addresses and without the names of links."""
        return cleared(words, self.self_test.links)


def told(self_test: SelfTest, policy: Policy) -> Told:
    """What is called how."""
    subjects = {m.subject for m in self_test.measurements} | {f.subject for f in self_test.verdict.findings}
    links = [link for link in self_test.links if link.name in subjects]
    words = words_of(links, self_test.verdict.findings, policy, every=self_test.links) if len(links) > 1 else {}
    kinds = [device.kind for device in self_test.devices]
    return Told(self_test, policy, words, frozenset(d.label for d in self_test.devices if kinds.count(d.kind) > 1))


def cleared(words: str, links: Sequence[Link]) -> str:
    """Without addresses, and with a link's kind where its name stood: a name can be a person's, or a network's."""
    for link in sorted(links, key=lambda link: -len(link.name)):
        if link.name and link.name != link.kind:
            words = re.sub(rf"(?<!\w){re.escape(link.name)}(?!\w)", f"[{link.kind}]", words)
    return scrub(words)


def lines_of(about: Told) -> tuple[Line, ...]:
    """The findings, in the verdict's order."""
    return tuple(_line(f, about) for f in about.self_test.verdict.findings)


def _line(f: Finding, about: Told) -> Line:
    return Line(
        level=f.level,
        what={lang: what_text(f, lang) + about.where(f.subject, lang) for lang in LANGUAGES},
        value={lang: scrub(measured_text(f, lang)) for lang in LANGUAGES},
        limit={lang: _limit(f, about, lang) for lang in LANGUAGES},
        means={lang: scrub(_sentences(f, "consequence", lang)) or text(f"level.{f.level}", lang) for lang in LANGUAGES},
        source={lang: "" if f.source == SOURCE else source_text(f.source, lang) for lang in LANGUAGES},
        evidence={lang: " ".join(_evidence(f, about, lang)) for lang in LANGUAGES},
    )


def _quantity(f: Finding) -> str:
    return str(f.params.get("quantity", f.rule))


def _limit(f: Finding, about: Told, lang: Lang) -> str:
    """Of a value that may be too low and too high both ends, as far as there are two."""
    row = about.policy.rows.get(f.rule)
    if row is None or row.better != "within" or not isinstance(f.value, float | int):
        return limit_text(f, lang)
    low, high = row.acceptable if f.level == "not_ready" else row.ready
    ends = [quantity_text(row.value, end, lang) if math.isfinite(end) else "" for end in (low, high)]
    if all(ends):
        return text("ui.between", lang, low=ends[0], high=ends[1])
    return text(f"table.{'at_least' if ends[0] else 'at_most'}", lang, limit=ends[0] or ends[1]) if any(ends) else ""


def _sentences(f: Finding, key: str, lang: Lang) -> str:
    return " ".join(text(msgid, lang, **localised(f.params, lang)) for msgid in str(f.params.get(key, "")).split())


def _evidence(f: Finding, about: Told, lang: Lang) -> Iterator[str]:
    """Whose it is, what else was seen that says so, in what the value is uncertain, and why there is none."""
    if remarks := scrub(_sentences(f, "remarks", lang)):
        yield remarks
    row = about.policy.rows.get(f.rule)
    for m in behind(f, about.self_test, about.policy):
        words = [*(_of_row(row, m, lang) if row else ()), *_why_not(f, row, m, lang)]
        yield from (about.cleared(said) for said in words)
    if _quantity(f) == "link_kind":
        clues = (clue_text(words, lang) for words in _why_that_kind(f.subject, about))
        yield from (f"{clue[:1].upper()}{clue[1:]}." for clue in clues)
    if f.level != "ready" and f.owner != "you":
        yield text("ui.owner", lang, owner=text(f"owner.{f.owner}", lang))


def _of_row(row: Row, m: Measurement, lang: Lang) -> Iterator[str]:
    for name in FACTS.get(row.value, ()):
        if m.facts.get(name, ()) != ():
            yield text(f"ui.fact_{name}", lang, fact=_fact(m.facts[name], lang))
    if row.value not in m.values:
        return
    ends = [m.values.get(row.value + suffix) for suffix in INTERVAL_SUFFIXES]
    if ends[0] is not None and ends[1] is not None:
        low, high = (quantity_text(row.value, end, lang) for end in ends if end is not None)
        yield text("ui.interval", lang, low=low, high=high)
    if row.floor is not None and row.floor in m.values:
        yield text("ui.floor", lang, floor=quantity_text(row.floor, m.values[row.floor], lang))


def _why_not(f: Finding, row: Row | None, m: Measurement, lang: Lang) -> Iterator[str]:
    """The code as it is, since that is what can be searched for; a detail is the probe's own (English)."""
    if "code" in f.params and m.failure is not None and m.failure.code == f.params["code"]:
        yield text("ui.code", lang, code=m.failure.code, test=m.name)
        if m.failure.detail:
            yield text("ui.own_words", lang, detail=m.failure.detail)
    reason = m.unknown.get(row.value) or m.facts.get(f"{row.value}_unknown") if row is not None else None
    if reason and f.level == "unknown" and m.failure is None:
        yield text("ui.reason", lang, reason=reason_text(str(reason), lang))


def _why_that_kind(name: str, about: Told) -> list[str]:
    return [about.cleared(words) for link in about.self_test.links if link.name == name for words in link.evidence]


def _fact(fact: object, lang: Lang) -> str:
    return ", ".join(quantity_text("", str(each), lang) for each in (fact if isinstance(fact, tuple) else (fact,)))


def values_of(about: Told) -> tuple[Value, ...]:
    """What was measured and no row of the policy judges, in the order of the vocabulary."""
    judged = {
        (row.value, f.subject) for f in about.self_test.verdict.findings if (row := about.policy.rows.get(f.rule))
    }
    found = [
        (name, m)
        for name in QUANTITIES
        for m in about.self_test.measurements
        if name in m.values and not judged & {(name, m.subject), (name, "computer")}
    ]
    return tuple(_measured(name, m, about) for name, m in found)


def _measured(name: str, m: Measurement, about: Told) -> Value:
    shown: Said = {lang: quantity_text(name, m.values[name], lang) for lang in LANGUAGES}
    ends = [m.values.get(name + suffix) for suffix in INTERVAL_SUFFIXES]
    if ends[0] is not None and ends[1] is not None:
        shown = {
            lang: f"{shown[lang]} ({'–'.join(quantity_text(name, end, lang) for end in ends if end is not None)})"
            for lang in LANGUAGES
        }
    what: Said = {lang: label(name, lang) + about.where(m.subject, lang) for lang in LANGUAGES}
    return Value(what, shown, QUANTITIES[name].standard, name)

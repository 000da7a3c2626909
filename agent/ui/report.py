"""The report to hand over: plain text for an e-mail or a ticket, and the receipt as PDF; they name nobody."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from agent.options import Options
from agent.ui.answer import answer_of, as_the_routine_says
from agent.ui.lines import cleared
from agent.ui.links_shown import links_shown, words_of
from agent.ui.state import Answer, Contact, Line
from reports.advice import Lang, text
from reports.advice.words import number
from reports.record import Level, SelfTest
from reports.serial import scrub
from reports.times import minute

WIDTH = 76
MARKS: dict[Level, str] = {"ready": "+", "degraded": "!", "not_ready": "X", "unknown": "?"}  # any e-mail shows these


def report_text(self_test: SelfTest, options: Options, lang: Lang) -> str:
    """The whole report in one language; lines of at most WIDTH signs, but for a longer word."""
    answer = answer_of(self_test, options, {})
    parts = (
        _head(self_test, options, answer, lang),
        _what_to_do(answer, lang),
        _section("ui.report_untested", (_item(words[lang]) for words in answer.untested), lang),
        _section("ui.report_links", _links(self_test, options, lang), lang),
        _section("receipt.equipment", _equipment(self_test, lang), lang),
        _section("receipt.findings", _findings(answer, lang), lang),
        _section("ui.report_values", _values(answer, lang), lang),
        _end(self_test, lang),
    )
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def report_pdf(self_test: SelfTest, options: Options, lang: Lang) -> bytes:
    """The receipt as PDF/UA-1."""
    from reports.receipt import pdf

    shown = as_the_routine_says(self_test, options.profile)
    return pdf.render(shown, lang, options.policy.readiness.valid_seconds)


def _head(self_test: SelfTest, options: Options, answer: Answer, lang: Lang) -> list[str]:
    title = text("ui.report_title", lang)
    rows = [title, "=" * len(title)]
    rows.append(f"{text('receipt.reference', lang)}: {answer.reference}")
    rows.append(text("ui.report_made", lang, time=minute(self_test.started_at)))
    if options.profile.names_service:
        rows += _wrapped(text("ui.report_meeting", lang, title=options.profile.title))
    headline = answer.headline[lang] if answer.headline[lang].endswith("…") else f"{answer.headline[lang]}."
    rows += _wrapped(f"{text('receipt.level', lang)}: {headline} {answer.means[lang]}")
    return rows


def _what_to_do(answer: Answer, lang: Lang) -> list[str]:
    rows = _wrapped(f"{text('table.next', lang)} {answer.action[lang]}")
    if answer.sound_only:
        rows += _wrapped(text("ui.sound_only", lang))
    if answer.level != "ready":
        rows += ["", text("join.support", lang)]
        rows += [row for number, c in enumerate(answer.contacts, 1) for row in _item(_contact(c, lang), f"{number}. ")]
    if answer.dial_in is not None:
        rows += _wrapped(answer.dial_in[lang])
    return rows


def _contact(contact: Contact, lang: Lang) -> str:
    return ", ".join(part for part in (contact.name[lang], contact.phone, contact.url) if part)


def _links(self_test: SelfTest, options: Options, lang: Lang) -> Iterator[list[str]]:
    """By kind, never by name."""
    verdict, within = self_test.verdict, self_test.room != "configured"
    tested = set() if within else {m.subject for m in self_test.measurements}
    for link in links_shown(self_test.links, tested, verdict.findings, options.policy, verdict=verdict):
        states = (("links.in_use", link.in_use), ("ui.report_tested", link.tested))
        said = ", ".join(text(msgid, lang) for msgid, is_so in states if is_so)
        yield _item(f"{link.says[lang]}{f': {said}' if said else ''}")
    yield from (_wrapped(words) for words in _compared(self_test, options, lang))


def _compared(self_test: SelfTest, options: Options, lang: Lang) -> Iterator[str]:
    """Which of several links was better in the same seconds, and by how much; or that they could not be told apart."""
    found = next((m for m in self_test.measurements if m.name == "compare"), None)
    link = found and words_of(self_test.links, self_test.verdict.findings, options.policy).get(found.subject)
    if found is None or not link:
        return
    low, high = (found.values.get(f"mos_difference_ci95_{end}") for end in ("low", "high"))
    if not found.facts.get("told_apart") or low is None or high is None:
        yield text("table.alike", lang, link=link[lang])
    else:
        yield text("table.better", lang, link=link[lang], low=number(low, lang), high=number(high, lang))


def _equipment(self_test: SelfTest, lang: Lang) -> Iterator[list[str]]:
    for device in self_test.devices:
        form, kind = text(f"devices.form_{device.form}", lang), text(f"devices.{device.kind}", lang)
        usual = f", {text('devices.default', lang)}" if device.is_default else ""
        yield _item(f"{kind}: {cleared(device.label, self_test.links)} ({form}{usual})")


def _findings(answer: Answer, lang: Lang) -> Iterator[list[str]]:
    if answer.lines:
        yield [", ".join(f"[{mark}] {text(f'level.{level}', lang)}" for level, mark in MARKS.items())]
    for line in answer.lines:
        value, limit = line.value[lang], line.limit[lang]
        shown = f"{value} ({limit})" if value and limit else value or limit
        yield _item(f"{line.what[lang]}{f': {shown}' if shown else ''}", f"[{MARKS[line.level]}] ")
        yield [row for words in _details(line, lang) for row in _wrapped(words, "    ")]


def _details(line: Line, lang: Lang) -> Iterator[str]:
    if line.means[lang] != text(f"level.{line.level}", lang):
        yield line.means[lang]
    if line.source[lang]:
        yield text("ui.report_source", lang, source=line.source[lang])
    if line.evidence[lang]:
        yield text("ui.report_evidence", lang, evidence=line.evidence[lang])


def _values(answer: Answer, lang: Lang) -> Iterator[list[str]]:
    for value in answer.values:
        known_as = "; ".join(part for part in (value.name, value.standard) if part)
        yield _item(f"{value.what[lang]}: {value.value[lang]} [{known_as}]")


def _end(self_test: SelfTest, lang: Lang) -> list[str]:
    agent = self_test.agent
    program = f"{text('receipt.program', lang)}: Mötesklar {agent.version}, {scrub(agent.platform)}"
    return [program, f"{text('receipt.run', lang)}: {self_test.run_id}", *_wrapped(text("ui.report_private", lang))]


def _section(head: str, rows: Iterable[list[str]], lang: Lang) -> list[str]:
    found = [row for each in rows for row in each]
    title = text(head, lang)
    return [title, "-" * len(title), *found] if found else []


def _item(words: str, mark: str = "- ") -> list[str]:
    return _wrapped(words, " " * len(mark), mark)


def _wrapped(words: str, indent: str = "", first: str | None = None) -> list[str]:
    """Lines of at most WIDTH. A number keeps its unit beside it."""
    start = indent if first is None else first
    return textwrap.wrap(
        words, WIDTH, initial_indent=start, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )

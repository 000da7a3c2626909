"""The verdict as it is handed over: what it means, the one next action, what to test again, whom to call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from agent.options import Options
from agent.profile import said as in_language
from agent.ui.concerned import counted, redo
from agent.ui.courses import courses_of
from agent.ui.lines import lines_of, told, values_of
from agent.ui.links_shown import words_of
from agent.ui.state import Answer, Contact, Said, said
from agent.ui.untested import untested
from probes.profile import Profile
from probes.roundtrip import Trace
from reports.advice import LANGUAGES, Lang, catalogue, text
from reports.advice.words import headline, localised
from reports.diagnosis import SOURCE
from reports.findings import effective
from reports.policy import Policy
from reports.receipt.view import action_without_names
from reports.record import Finding, SelfTest
from reports.reference import code_of
from reports.serial import scrub

_CALLING = ("call_support", "report_fault")
SAID = "cpu_starved"  # what it spoils says so already
_WAYS = ("up", "down")
_SPOILS_SOUND = frozenset(f"{stem}_{way}" for stem in ("mos", "loss", "audio") for way in _WAYS)


def answer_of(self_test: SelfTest, options: Options, traces: Mapping[str, Trace]) -> Answer:
    """What is shown at the end. `traces`: of the run, by link's name (Run.traces)."""
    self_test = as_the_routine_says(self_test, options.profile)
    verdict, profile, about = self_test.verdict, options.profile, told(self_test, options.policy)
    sound_only = only_sound_holds(self_test, options.policy)
    words = words_of(self_test.links, verdict.findings, options.policy)
    return Answer(
        level=verdict.level,
        headline=said(headline, verdict),
        means={lang: scrub(_means(self_test, lang)) for lang in LANGUAGES},
        action={lang: scrub(action_without_names(self_test, lang)) for lang in LANGUAGES},
        reference=code_of(self_test.run_id),
        redo=redo(self_test, options.policy),
        sound_only=sound_only,
        dial_in=_dial_in(profile) if verdict.level == "not_ready" or sound_only else None,
        portal=profile.portal,
        contacts=contacts_of(profile),
        untested=untested(self_test, options),
        lines=lines_of(about),
        values=values_of(about),
        courses=courses_of([link for link in self_test.links if link.name in traces], traces, words),
    )


def as_the_routine_says(self_test: SelfTest, profile: Profile) -> SelfTest:
    """The first to be called is the first of the profile's chain, whoever will have to mend the fault in the end.

    The routine: one's own support rules out its side, and takes it to the Region's.
    """
    verdict = self_test.verdict
    if verdict.action not in _CALLING:
        return self_test
    params = {**verdict.action_params, "owner": contacts_of(profile)[0].owner}
    return replace(self_test, verdict=replace(verdict, action_params=params))


def contacts_of(profile: Profile) -> tuple[Contact, ...]:
    """Whom to call, in the profile's order; where it names nobody, the support of whoever answers for the computer."""
    if not profile.support:
        return (Contact("municipal_it", said(text, "ui.own_support"), "", ""),)
    return tuple(Contact(s.owner, _texts(s.name), s.phone, s.url) for s in profile.support)


def _texts(texts: Mapping[str, str]) -> Said:
    return {lang: in_language(texts, lang) for lang in LANGUAGES}


def _dial_in(profile: Profile) -> Said:
    return _texts(profile.dial_in) if profile.dial_in else said(text, "ui.dial_in")


def only_sound_holds(self_test: SelfTest, policy: Policy) -> bool:
    """Video will not hold, and sound does: the test call says so, or what the link carries."""
    found = {f.rule: f for f in counted(self_test)}
    carries = found.get("call_carries")
    if carries is not None and carries.value in ("sound_only", "nothing"):
        return carries.value == "sound_only"
    bad = {rule for rule, f in found.items() if effective(f) == "not_ready"}
    narrow = [way for way in _WAYS if bad & {f"throughput_{way}", f"capacity_{way}"}]
    return bool(narrow) and not bad & _SPOILS_SOUND and all(_room_for_sound(way, found, policy) for way in narrow)


def _room_for_sound(way: str, found: Mapping[str, Finding], policy: Policy) -> bool:
    """Each rate that was measured this way is enough for a voice."""
    rates = [f.value for rule in ("throughput", "capacity") if (f := found.get(f"{rule}_{way}"))]
    known = [rate for rate in rates if isinstance(rate, float | int)]
    row = policy.rows.get(f"audio_{way}")
    return row is not None and bool(known) and all(row.level(rate) == "ready" for rate in known)


def _means(self_test: SelfTest, lang: Lang) -> str:
    """One or two sentences; before them, that the test was stopped."""
    stopped = [text("table.interrupted", lang)] if self_test.interrupted else []
    return " ".join([*stopped, *_sentences(self_test, lang)])


def _sentences(self_test: SelfTest, lang: Lang) -> Iterator[str]:
    verdict = self_test.verdict
    if verdict.level == "ready":
        yield text("ui.means_ready", lang)
        return
    main = _main(self_test)
    if main is not None:
        yield _consequence(main, lang)
    if verdict.level == "unknown":
        yield from _not_known(self_test, main, lang)
    elif fault := _fault(self_test):
        yield text(f"ui.fault_{fault.rule}", lang)


def _not_known(self_test: SelfTest, main: Finding | None, lang: Lang) -> Iterator[str]:
    """That a test failed says nothing against the connection; and without a room there was none."""
    if self_test.room == "embedded" and (main is None or main.rule != "room"):
        yield text("ui.means_only_computer", lang)
    elif main is None:
        yield text("ui.means_unknown", lang)
    elif "code" in main.params:
        yield text("ui.means_test_failed", lang)


def _main(self_test: SelfTest) -> Finding | None:
    """The finding to speak of: of those that make the verdict the one that the action answers, else the first."""
    verdict = self_test.verdict
    telling = [f for f in counted(self_test) if f.level != "ready" and f.params.get("consequence")]
    bad = [f for f in telling if effective(f) in ("degraded", "not_ready")]
    if verdict.level == "unknown":
        mine = [f for f in telling if f.advice == verdict.action] or [f for f in telling if f.level == "unknown"] or bad
    else:
        mine = [f for f in bad if effective(f) == verdict.level]
    plain = [f for f in mine if f.source != SOURCE]
    return next(iter([*_answered(plain, verdict.action), *plain, *mine]), None)


def _answered(findings: Sequence[Finding], action: str) -> list[Finding]:
    return [f for f in findings if f.advice == action]


def _consequence(f: Finding, lang: Lang) -> str:
    """A named fault in plain words; of anything else what it means for the meeting."""
    msgid = f"ui.fault_{f.rule}"
    if f.source == SOURCE and msgid in catalogue(lang):
        return text(msgid, lang)
    return text(str(f.params["consequence"]), lang, **localised(f.params, lang))


def _fault(self_test: SelfTest) -> Finding | None:
    """Where the fault is, when that is sure, and it accounts for what was said first."""
    main = _main(self_test)
    if main is None or main.source == SOURCE or "code" in main.params:
        return None
    mine = [f for f in counted(self_test) if f.source == SOURCE and f.advice == main.advice]
    return next((f for f in mine if f.sure and f.rule != SAID), None)

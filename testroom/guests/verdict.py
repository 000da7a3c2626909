"""From a guest's checked record to a self-test, and from that to what the page shows, in both languages."""

from __future__ import annotations

import dataclasses
import platform
import time
import uuid
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from reports.advice import LANGUAGES, Lang, text
from reports.advice.words import action_text, faults, headline, label, limit_text, meaning_text, value_text
from reports.findings import SEVERITY
from reports.policy import Policy, load_policy
from reports.record import AgentInfo, Finding, Kind, Level, Link, SelfTest, Verdict
from reports.verdict import judge
from testroom.guests.page import texts
from testroom.guests.record import SUBJECT, BrowserRecord

# What the meeting loses without it. A guest may take part without being seen, but not without being heard.
_DEVICES: tuple[tuple[str, Level, str], ...] = (
    ("microphone", "not_ready", "allow_microphone"),
    ("camera", "degraded", "replug_camera"),
)
_KINDS: dict[str, Kind] = {"wifi": "wifi", "cellular": "mobile", "ethernet": "wired"}
Shown = dict[str, object]


@cache
def policy() -> Policy:
    """The room's policy."""
    return load_policy()


def self_test(record: BrowserRecord) -> SelfTest:
    """The record judged by the same policy as every other self-test."""
    links, measurements = (_link(record),), record.measurements()
    verdict = judge(policy(), links, measurements, chosen=SUBJECT, embedded=False)
    return SelfTest(
        run_id=str(uuid.uuid4()),
        started_at=time.time() - record.duration_s,
        duration_s=record.duration_s,
        agent=_agent(record),
        room="configured",
        interrupted=False,
        links=links,
        measurements=measurements,
        verdict=_with_devices(verdict, record),
    )


def _link(record: BrowserRecord) -> Link:
    """The way that the browser took. Only some phones' browsers say of what kind it is."""
    said = str(record.facts.get("connection", ""))
    evidence = f"the browser says {said}" if said else "a browser does not tell"
    kind = _KINDS.get(said, "other")
    return Link(SUBJECT, kind, 0.5 if said else 0.0, (evidence,), carrier=True, is_default=True)


def _agent(record: BrowserRecord) -> AgentInfo:
    try:
        own = version("motesklar")
    except PackageNotFoundError:
        own = "0+source"
    browser = f"{record.facts.get('browser', 'other')} {record.facts.get('browser_version', '')}".strip()
    return AgentInfo(own, browser, platform.python_version())


def _with_devices(verdict: Verdict, record: BrowserRecord) -> Verdict:
    """A device that the browser could not have is a finding of its own, and no fault of the network."""
    missing = [
        Finding(level, name, name, str(record.facts[name]), None, "you", advice, params={"quantity": name})
        for name, level, advice in _DEVICES
        if record.facts.get(name, "ok") != "ok"
    ]
    if not missing:
        return verdict
    findings = (*missing, *verdict.findings)
    worst = max(missing, key=lambda f: SEVERITY[f.level])
    if SEVERITY[worst.level] < SEVERITY[verdict.level] or verdict.level == "not_ready":
        return dataclasses.replace(verdict, findings=findings)
    return Verdict(worst.level, findings, worst.advice)


def shown(self_test: SelfTest, code: str, *, stored: bool = False) -> Shown:
    """What the page needs: the level, the code, whether an organisation keeps it, and the words in each language."""
    return {
        "level": self_test.verdict.level,
        "reference": code,
        "stored": stored,
        "words": {lang: _words(self_test.verdict, lang) for lang in LANGUAGES},
    }


def _words(verdict: Verdict, lang: Lang) -> Shown:
    device = next((f for f in verdict.findings if f.subject in ("camera", "microphone") and _by_page(f)), None)
    first = device is not None and verdict.action == device.advice
    named = faults(verdict, SUBJECT)
    means = [meaning_text(f, lang) for f in named] or [_means(f, lang) for f in verdict.findings if _bad(f)][:1]
    return {
        "headline": headline(verdict, lang),
        "means": " ".join(means),
        "action": texts(lang)[_page_key(device)] if device and first else action_text(verdict, lang),
        "findings": [_row(f, lang) for f in verdict.findings],
    }


def _bad(finding: Finding) -> bool:
    return finding.level in ("degraded", "not_ready")


def _by_page(finding: Finding) -> bool:
    """Its words are the page's own."""
    return finding.rule in ("camera", "microphone")


def _page_key(finding: Finding, part: str = "do") -> str:
    return f"{finding.rule}_{finding.value}_{part}"


def _means(finding: Finding, lang: Lang) -> str:
    return texts(lang)[f"without_{finding.rule}"] if _by_page(finding) else meaning_text(finding, lang)


def _row(finding: Finding, lang: Lang) -> Shown:
    """One line of the details."""
    if _by_page(finding):
        own = texts(lang)
        value = own[_page_key(finding, "says")]
        return {"level": finding.level, "what": own[finding.rule], "value": value, "limit": "", "means": ""}
    value = value_text(finding, lang)
    if not value and finding.level == "unknown":
        value = text("table.not_measured", lang)
    return {
        "level": finding.level,
        "what": label(str(finding.params.get("quantity", finding.rule)), lang),
        "value": value,
        "limit": limit_text(finding, lang),
        "means": meaning_text(finding, lang),
    }

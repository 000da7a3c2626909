"""Values, findings and verdicts as a person reads them: ms, Mbit/s and %, with the language's decimal sign."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from reports.advice import Lang, catalogue, ids, text
from reports.record import Finding, Verdict
from reports.vocabulary import INTERVAL_SUFFIXES, QUANTITIES


def number(value: float, lang: Lang) -> str:
    """Three significant digits, never an exponent: 0.05, 12.3, 340."""
    shown = f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    if "e" in shown:
        shown = f"{value:.6f}".rstrip("0").rstrip(".") if abs(value) < 1 else f"{value:.0f}"
    shown = shown.replace("-0", "0") if float(shown) == 0 else shown.replace("-", "\u2212")
    return shown.replace(".", ",") if lang == "sv" else shown


def _seconds(value: float, lang: Lang) -> str:
    if abs(value) < 1:
        return text("unit.milliseconds", lang, n=number(round(value * 1e3, 2), lang))
    for unit, length in (("days", 86400), ("minutes", 60)):
        if abs(value) >= 2 * length:
            return text(f"unit.{unit}", lang, n=number(value / length, lang))
    return text("unit.seconds", lang, n=number(value, lang))


def _rate(value: float, lang: Lang) -> str:
    bits = value * 8
    if bits < 1e5:
        return text("unit.kbit", lang, n=number(bits / 1e3, lang))
    return text("unit.mbit", lang, n=number(bits / 1e6, lang))


def _size(value: float, lang: Lang) -> str:
    unit, size = ("gigabytes", 1e9) if value >= 1e9 else ("megabytes", 1e6) if value >= 1e6 else ("bytes", 1.0)
    return text(f"unit.{unit}", lang, n=number(value / size, lang))


def _scaled(unit: str, factor: float, value: float, lang: Lang) -> str:
    return text(f"unit.{unit}", lang, n=number(value * factor, lang))


_UNITS: dict[str, Callable[[float, Lang], str]] = {
    "seconds": _seconds,
    "bytes per second": _rate,
    "ratio": partial(_scaled, "percent", 100),
    "frames per second": partial(_scaled, "frames", 1),
    "MOS": partial(_scaled, "mos", 1),
    "dB": partial(_scaled, "decibel", 1),
    "dBFS": partial(_scaled, "dbfs", 1),
    "dBm": partial(_scaled, "dbm", 1),
    "bytes": _size,
    "hertz": partial(_scaled, "hertz", 1),
    "count": partial(_scaled, "count", 1),
    "per minute": partial(_scaled, "per_minute", 1),
}


def quantity_text(name: str, value: float | str, lang: Lang) -> str:
    """A value with its unit, or a fact's word: ("rtt_p95_seconds", 0.34) is "340 ms"."""
    if isinstance(value, str):
        return _word(value, lang)
    for suffix in INTERVAL_SUFFIXES:
        name = name.removesuffix(suffix)
    quantity = QUANTITIES.get(name)
    return _UNITS[quantity.unit](value, lang) if quantity else number(value, lang)


def label(name: str, lang: Lang) -> str:
    """What the quantity, fact or situation is called; its own name when there is no word for it."""
    return text(f"value.{name}", lang).removeprefix("value.")


def what_text(finding: Finding, lang: Lang) -> str:
    """What it is about. Two rules on one quantity are told apart, and a step of the join path is called as such."""
    if finding.rule in ids("rule"):
        return text(f"rule.{finding.rule}", lang)
    name = _name(finding)
    step = name.removeprefix("join_")
    return text(f"step.{step}", lang) if name != step in ids("step") else label(name, lang)


def limit_text(finding: Finding, lang: Lang) -> str:
    """The limit in words ("under 100 ms"), empty when there is none."""
    if finding.limit is None or isinstance(finding.limit, str):
        return ""
    shown = quantity_text(_name(finding), finding.limit, lang)
    key = {"lower": "at_most", "higher": "at_least"}.get(str(finding.params.get("better")), "limit_is")
    if key == "at_most" and finding.level != "not_ready" and finding.limit > 0:
        key = "under"
    return text(f"table.{key}", lang, limit=shown)


def value_text(finding: Finding, lang: Lang) -> str:
    """The measured value in words, empty for a failure or a situation, which have none."""
    if finding.value is None or "code" in finding.params:
        return ""
    return quantity_text(_name(finding), finding.value, lang)


def measured_text(finding: Finding, lang: Lang) -> str:
    """The same as a table shows it: that it was not measured, or how sure it is, too."""
    shown = value_text(finding, lang)
    if not shown and finding.level == "unknown" and "consequence" not in finding.params:
        return text("table.not_measured", lang)
    return shown if finding.sure or not shown else f"{shown} ({text('table.unsure', lang)})"


def meaning_text(finding: Finding, lang: Lang) -> str:
    """The consequence for the meeting, or where the fault is and the evidence; empty when there is none to fear."""
    said = f"{finding.params.get('consequence', '')} {finding.params.get('remarks', '')}".split()
    params = localised(finding.params, lang)
    return " ".join(text(msgid, lang, **params) for msgid in said)


def finding_text(finding: Finding, lang: Lang) -> str:
    """Everything about one finding, in two or three short sentences."""
    what, value, limit = what_text(finding, lang), value_text(finding, lang), limit_text(finding, lang)
    parts = []
    if value:
        shape = "finding.measured" if limit else "finding.measured_no_limit"
        parts.append(text(shape, lang, what=what, value=value, limit=limit))
    elif "consequence" not in finding.params:
        parts.append(text("finding.not_measured", lang, what=what))
    parts.append(meaning_text(finding, lang))
    if not finding.sure:
        parts.append(text("finding.unsure", lang))
    if finding.level != "ready":
        parts.append(text(finding.advice, lang, **localised(finding.params, lang)))
    return " ".join(part for part in parts if part)


def faults(verdict: Verdict, used: str | None) -> list[Finding]:
    """Where the fault is: what was named about the link in use and this computer."""
    return [f for f in verdict.findings if f.params.get("quantity") == "fault" and f.subject in (used, "computer")]


def headline(verdict: Verdict, lang: Lang) -> str:
    """The verdict's level as the staff page's headline."""
    return text(f"headline.{verdict.level}", lang)


def action_text(verdict: Verdict, lang: Lang) -> str:
    """The one next action as a sentence."""
    return text(verdict.action, lang, **localised(verdict.action_params, lang)) if verdict.action else ""


def localised(params: Mapping[str, str | float], lang: Lang) -> dict[str, str | float]:
    """The parameters in the language's own words: kinds, owners and programs; quantities with their units."""
    return {key: _localised(key, value, lang) for key, value in params.items()}


def _localised(key: str, value: str | float, lang: Lang) -> str | float:
    if key in ("kind", "owner", "program"):
        msgid = f"{key}.{str(value).replace(' ', '_')}"
        return text(msgid, lang) if msgid in catalogue(lang) else value
    return quantity_text(key, value, lang) if key in QUANTITIES and not isinstance(value, str) else value


def _name(finding: Finding) -> str:
    return str(finding.params.get("quantity", finding.rule))


def _word(value: str, lang: Lang) -> str:
    known = catalogue(lang)
    return next((known[head + value] for head in ("word.", "kind.") if head + value in known), value)

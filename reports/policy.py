"""The policy: what a meeting needs, as data. `policy.toml` holds the rows; a huvudman's file may override any of them.

docs/policy.md describes every key. A wrong row is refused with one line that names the file, the row and the remedy.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import TypeVar, cast

from reports import advice
from reports.policy_file import PolicyError, RowReader, Table, one_of, read, table
from reports.record import KINDS, LEVELS, OWNERS, Kind, Level, Owner
from reports.rules import ANY, Band, Better, ByKind, Judge, Per, Policy, Readiness, Row, Situation, Threshold, Traffic
from reports.vocabulary import FAILURES, NAMES

__all__ = ["FACTS", "Policy", "PolicyError", "Readiness", "Row", "Situation", "Traffic", "load_policy"]

SHIPPED = Path(__file__).with_name("policy.toml")
FACTS = (
    *("link_kind", "media_path", "call_carries", "exact_zeros", "camera_picture", "microphone_sound", "speaker_sound"),
    *("equipment", "browser", "power", "card_reader"),
)
SITUATIONS = ("room", "link", "network")
TABLES = ("traffic", "rules", "kinds", "situations", "failures", "faults", "diagnosis", "readiness")
BETTER = ("lower", "higher", "within", "words")
WORD_LEVELS: tuple[Level, ...] = ("ready", "degraded", "not_ready")
ROW_NEEDS = ("value", "better", "ready", "per", "owner", "consequence", "advice", "source")
ROW_MAY = (
    "not_ready",
    "degraded",
    "ready_when_tested",
    "elsewhere",
    "judge",
    "needs",
    "floor",
    "required",
    "by_kind",
    "explained_by",
    "advices",
)
ROW_KEYS = (*ROW_NEEDS, *ROW_MAY, "consequence_high", "advice_high")
_CENTURY_S = 100 * 365.25 * 86400

T = TypeVar("T")


def load_policy(override: Path | None = None) -> Policy:
    """The shipped policy, with the rows of `override` laid over it key by key. Raises PolicyError."""
    files = [(SHIPPED.name, read(SHIPPED))]
    if override is not None:
        files.append((str(override), read(override)))
    for name, data in files:
        for key in data:
            one_of(key, TABLES, name, "table")

    def rows(key: str, build: Callable[[RowReader, str], T], keys: Collection[str]) -> dict[str, T]:
        merged = _merge(files, key)
        return {row: build(RowReader(data, where, keys), row) for row, (where, data) in merged.items()}

    return Policy(
        rows=rows("rules", _row, ROW_KEYS),
        failures=rows("failures", lambda r, name: _situation(r, name, FAILURES), _names(Situation)),
        situations=rows("situations", lambda r, name: _situation(r, name, SITUATIONS), _names(Situation)),
        kinds=cast("dict[Kind, ByKind]", rows("kinds", _by_kind, _names(ByKind))),
        traffic=_traffic(files),
        diagnosis=rows("diagnosis", lambda r, name: _threshold(r, name, _shipped("diagnosis")), _names(Threshold)),
        faults=rows("faults", lambda r, name: _situation(r, name, _shipped("faults")), _names(Situation)),
        readiness=_readiness(files),
    )


def _merge(files: list[tuple[str, Table]], key: str) -> dict[str, tuple[str, Table]]:
    """Each row of the table [key] with the place to name in an error: the last file that speaks about it."""
    merged: dict[str, tuple[str, Table]] = {}
    for name, data in files:
        rows = table(data, key, name)
        for row in rows:
            before = merged.get(row, ("", {}))[1]
            merged[row] = (f"{name}: [{key}.{row}]", before | table(rows, row, f"{name}: [{key}]"))
    return merged


def _names(cls: type) -> tuple[str, ...]:
    return tuple(f.name for f in fields(cls))


def _row(r: RowReader, rule: str) -> Row:
    r.need(ROW_NEEDS, _shipped("rules"))
    better = cast("Better", r.text("better", BETTER))
    value = r.text("value", FACTS if better == "words" else NAMES)
    stem = _consequence(r, "consequence")
    ready, acceptable = (ANY, ANY) if better == "words" else _bands(r, better)
    return Row(
        rule=rule,
        value=value,
        better=better,
        owner=cast("Owner", r.text("owner", OWNERS)),
        advice=_advice(r, "advice"),
        consequence=stem,
        source=r.text("source"),
        per=cast("Per", r.text("per", ("link", "computer"))),
        ready=ready,
        acceptable=acceptable,
        words=_words(r, value) if better == "words" else {},
        ready_when_tested=r.words("ready_when_tested"),
        elsewhere=r.words("elsewhere"),
        judge=_judge(r, value),
        needs=r.option("needs"),
        floor=r.option("floor", NAMES),
        required=r.flag("required"),
        by_kind=r.flag("by_kind"),
        advice_high=_advice(r, "advice_high") if "advice_high" in r.data else None,
        consequence_high=_consequence(r, "consequence_high") if "consequence_high" in r.data else None,
        advices=_advices(r) if "advices" in r.data else {},
        explained_by=r.option("explained_by", _shipped("rules")),
    )


@cache
def _shipped(key: str) -> Collection[str]:
    return tuple(table(read(SHIPPED), key, SHIPPED.name))


def _bands(r: RowReader, better: str) -> tuple[Band, Band]:
    """(ready, acceptable). The second must hold the first, else a value could be ready and not ready at once."""
    for key in ("degraded", "ready_when_tested", "elsewhere"):
        if key in r.data:
            raise r.fail(f"{key} lists words and this row compares a number; leave it out")
    if better == "within":
        ready, acceptable = r.pair("ready"), r.pair("not_ready") if "not_ready" in r.data else ANY
    elif better == "lower":
        ready, acceptable = (-math.inf, r.number("ready")), (-math.inf, _outer(r, math.inf))
    else:
        ready, acceptable = (r.number("ready"), math.inf), (_outer(r, -math.inf), math.inf)
    if acceptable[0] > ready[0] or acceptable[1] < ready[1]:
        side = {"lower": "at or above", "higher": "at or below", "within": "outside"}[better]
        raise r.fail(f"not_ready is on the wrong side of ready; for better = {better!r} it must be {side} ready")
    return ready, acceptable


def _outer(r: RowReader, unlimited: float) -> float:
    return r.number("not_ready") if "not_ready" in r.data else unlimited


def _words(r: RowReader, value: str) -> dict[str, Level]:
    words: dict[str, Level] = {}
    for level in WORD_LEVELS:
        for word in r.words(level):
            if value == "link_kind":
                one_of(word, KINDS, r.where, "link kind")
            if word in words:
                raise r.fail(f"{word!r} stands in both {words[word]} and {level}; keep it in one")
            words[word] = level
    return words


def _judge(r: RowReader, value: str) -> Judge:
    judge = r.option("judge", ("value", "low")) or "value"
    if judge == "low" and f"{value}_ci95_low" not in NAMES:
        raise r.fail(f'judge = "low" needs a value with a confidence interval, and {value} has none; leave judge out')
    return cast("Judge", judge)


def _advice(r: RowReader, key: str) -> str:
    return r.text(key, advice.ids())


def _advices(r: RowReader) -> dict[str, str]:
    """Words of the row, each with the advice that helps against just that."""
    by_word = table(dict(r.data), "advices", r.where)
    inner = RowReader(by_word, f"{r.where} advices", [w for level in WORD_LEVELS for w in r.words(level)])
    return {word: inner.text(word, advice.ids()) for word in by_word}


def _consequence(r: RowReader, key: str) -> str:
    return r.text(key, {stem.removesuffix("_degraded") for stem in advice.ids("means") if stem.endswith("_degraded")})


def _situation(r: RowReader, name: str, known: Collection[str]) -> Situation:
    one_of(name, known, r.where, "row")
    r.need(_names(Situation))
    level, owner = cast("Level", r.text("level", LEVELS)), cast("Owner", r.text("owner", OWNERS))
    return Situation(level, owner, _advice(r, "advice"))


def _threshold(r: RowReader, name: str, known: Collection[str]) -> Threshold:
    one_of(name, known, r.where, "row")
    r.need(_names(Threshold))
    value = r.number("value")
    side = "below" if name.endswith("_dbm") else "above"
    if (value >= 0) if side == "below" else (value <= 0):
        raise r.fail(f"value must be {side} 0, not {value:g}")
    if name.endswith("_ratio") and value > 1:
        raise r.fail(f"value is a ratio and must not be over 1, not {value:g}")
    return Threshold(value, r.text("source"))


def _by_kind(r: RowReader, name: str) -> ByKind:
    one_of(name, KINDS, r.where, "link kind")
    r.need(_names(ByKind))
    return ByKind(cast("Owner", r.text("owner", OWNERS)), _advice(r, "advice"))


def _readiness(files: list[tuple[str, Table]]) -> Readiness:
    r = _keys(files, "readiness", Readiness)
    made = Readiness(**{key: r.number(key) for key in _names(Readiness)})
    if not 0 < made.valid_seconds <= _CENTURY_S:
        raise r.fail(f"valid_seconds must be above 0, and no century, not {made.valid_seconds:g}")
    if not 0 <= made.soon_seconds <= made.valid_seconds:
        raise r.fail(f"soon_seconds must be between 0 and valid_seconds, not {made.soon_seconds:g}")
    return made


def _keys(files: list[tuple[str, Table]], key: str, kind: type) -> RowReader:
    """A table that is one row."""
    merged: Table = {}
    for name, data in files:
        merged |= table(data, key, name)
    return RowReader(merged, f"{files[-1][0]}: [{key}]", _names(kind))


def _traffic(files: list[tuple[str, Table]]) -> Traffic:
    r = _keys(files, "traffic", Traffic)
    numbers = {key: r.number(key) for key in _names(Traffic)}
    for key, value in numbers.items():
        if value <= 0 or (key.endswith("_bytes") and value != int(value)):
            raise r.fail(f"{key} must be a {'whole ' if key.endswith('_bytes') else ''}number above 0, not {value:g}")
    whole = {key: int(numbers.pop(key)) for key in ("audio_payload_bytes", "video_packet_max_bytes")}
    return Traffic(**numbers, **whole)  # type: ignore[arg-type]

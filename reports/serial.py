"""The self-test as JSON and back. The schema is reports/selftest.schema.json, made by reports/schema.py.

Every number is finite: a value that is not moves to `unknown`. Addresses are left out unless they are asked for.
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from reports.advice import LANGUAGES
from reports.advice.words import action_text, finding_text, headline
from reports.reading import RecordError, read
from reports.record import Finding, Link, Measurement, SelfTest, Verdict

SCHEMA_NAME = "motesklar.selftest/1"
ORDER = (
    *("run_id", "verdict", "links", "measurements", "devices"),
    *("started_at", "duration_s", "agent", "room", "interrupted"),
)
NOT_A_NUMBER = "not a finite number"
REMOVED = "[address]"
_MAYBE_ADDRESS = re.compile(r"(?<![\w.:])[0-9A-Fa-f.:]*[.:][0-9A-Fa-f.:]*(?:%\w+)?(?![\w:])")
_MAC = re.compile(r"(?<![\w:-])[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}(?![\w:-])")

__all__ = ["RecordError", "from_json", "measurement_to_json", "scrub", "to_json"]

Json = dict[str, Any]


def to_json(self_test: SelfTest, *, addresses: bool = False, sentences: bool = True) -> Json:
    """Plain JSON values in the contract's order; findings, headline and action carry their sentences in sv and en."""
    shown = self_test if addresses else _without_addresses(self_test)
    plain = _plain(shown, sentences=sentences)
    return {"schema": SCHEMA_NAME} | {key: plain[key] for key in ORDER}


def measurement_to_json(m: Measurement, *, addresses: bool = False) -> Json:
    """One measurement as plain JSON values."""
    return cast("Json", _plain(m if addresses else _bare_measurement(m)))


def from_json(document: object) -> SelfTest:
    """The record again, every part of it checked against the record's types and the vocabulary.

    Sentences and unknown keys are ignored. Raises RecordError, whose line holds nothing that the sender wrote.
    """
    named = document.get("schema") if isinstance(document, dict) else None
    if named != SCHEMA_NAME:
        raise RecordError(f"this is not a self-test: its schema is not {SCHEMA_NAME!r}")
    return read(SelfTest, document, "selftest")


def scrub(text: str) -> str:
    """The text without IP and hardware addresses."""
    return _MAYBE_ADDRESS.sub(_scrub_one, _MAC.sub(REMOVED, text))


def _scrub_one(match: re.Match[str]) -> str:
    whole = match.group()
    bare = whole.rstrip(".")
    bare = bare if bare.endswith("::") else bare.rstrip(".:")
    host, colon, port = bare.rpartition(":")
    if _is_address(bare.partition("%")[0]):
        return REMOVED + whole[len(bare) :]
    if _is_address(host):
        return REMOVED + colon + port + whole[len(bare) :]
    return whole


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _without_addresses(self_test: SelfTest) -> SelfTest:
    return replace(
        self_test,
        links=tuple(_bare_link(link) for link in self_test.links),
        measurements=tuple(_bare_measurement(m) for m in self_test.measurements),
        devices=tuple(replace(d, evidence=tuple(scrub(words) for words in d.evidence)) for d in self_test.devices),
    )


def _bare_link(link: Link) -> Link:
    evidence = tuple(scrub(words) for words in link.evidence)
    return replace(link, evidence=evidence, addresses=(), gateway=None, gateway_v6=None, resolvers=())


def _bare_measurement(m: Measurement) -> Measurement:
    facts = {key: _bare_fact(fact) for key, fact in m.facts.items()}
    unknown = {key: scrub(reason) for key, reason in m.unknown.items()}
    failure = None if m.failure is None else replace(m.failure, detail=scrub(m.failure.detail))
    return replace(m, facts=facts, unknown=unknown, failure=failure)


def _bare_fact(fact: Any) -> Any:
    if isinstance(fact, tuple):
        return tuple(scrub(words) for words in fact)
    return scrub(fact) if isinstance(fact, str) else fact


def _plain(thing: Any, *, sentences: bool = True) -> Any:
    """Dataclasses to dicts, tuples to lists; a number that is not finite to None."""
    if thing is None or isinstance(thing, str | int | float):  # most of it: a record is numbers under names
        return None if _broken(thing) else thing
    if isinstance(thing, Mapping):
        pairs = thing.items()
        return {str(key): _plain(value, sentences=sentences) for key, value in pairs if not _broken(value)}
    if isinstance(thing, tuple | list):
        return [_plain(item, sentences=sentences) for item in thing]
    if isinstance(thing, Measurement):
        thing = _finite(thing)
    plain = {name: _plain(getattr(thing, name), sentences=sentences) for name in thing.__dataclass_fields__}
    return plain | _sentences(thing) if sentences else plain


def _finite(m: Measurement) -> Measurement:
    broken = {name: NOT_A_NUMBER for name, value in m.values.items() if _broken(value)}
    return replace(m, unknown={**broken, **m.unknown}) if broken else m


def _broken(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def _sentences(thing: object) -> Json:
    if isinstance(thing, Finding):
        return {"text": {lang: finding_text(thing, lang) for lang in LANGUAGES}}
    if isinstance(thing, Verdict):
        return {
            "headline": {lang: headline(thing, lang) for lang in LANGUAGES},
            "action_text": {lang: action_text(thing, lang) for lang in LANGUAGES},
        }
    return {}

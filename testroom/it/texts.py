"""The pages' own words; sentences about self-tests are those of reports.advice."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import cast

from reports.advice import Lang, catalogue, text
from reports.advice.words import label, number
from reports.record import OWNERS
from reports.store.shapes import Latest
from reports.times import minute
from reports.vocabulary import FAILURES
from testroom.it.markup import Html, tag

FOLDER = Path(__file__).with_name("web")


@cache
def texts(lang: Lang) -> Mapping[str, str]:
    """By key."""
    return cast("dict[str, str]", json.loads((FOLDER / f"texts.{lang}.json").read_text("utf-8")))


def say(key: str, lang: Lang, /, **params: str | int) -> str:
    """A text with its parameters; numbers are written out as they are."""
    return texts(lang)[key].format_map(params)


def machines_text(count: int, lang: Lang) -> str:
    """So many machines."""
    return say("machine_one" if count == 1 else "machine_many", lang, n=whole(count, lang))


def whole(count: int, lang: Lang) -> str:
    """12 345 in Swedish, 12,345 in English."""
    return f"{count:,}".replace(",", "\u00a0" if lang == "sv" else ",")


def share(part: int, of: int, lang: Lang) -> str:
    """Part of a whole in per cent; a dash of nothing."""
    return text("unit.percent", lang, n=number(round(100 * part / of), lang)) if of else "–"


def kind_text(kind: str, lang: Lang) -> str:
    """The kind of a link, with a capital letter."""
    return capital(text(f"kind.{kind}", lang) if f"kind.{kind}" in catalogue(lang) else say("kind_none", lang))


def owner_text(owner: str, lang: Lang) -> str:
    """Who can mend it."""
    return capital(say("owner_you", lang) if owner == "you" or owner not in OWNERS else text(f"owner.{owner}", lang))


def subject_text(name: str, lang: Lang) -> str:
    """A quantity's name, or a failure's sentence without its full stop."""
    return text(f"failure.{name}", lang).removesuffix(".") if name in FAILURES else label(name, lang)


def fault_text(rule: str, lang: Lang) -> str:
    """Where a fault is, in a few words; the sentences of reports.advice hold the figures of one self-test."""
    return texts(lang).get(f"fault_{rule}", rule)


def unit_text(unit: str, lang: Lang) -> str:
    """The unit, or that there is none."""
    return unit or say("unit_none", lang)


def machine_text(machine: Latest) -> str:
    """The name that the organisation gave it, or the beginning of its pseudonym."""
    return machine.name or machine.machine[:8]


def capital(words: str) -> str:
    """The first letter large."""
    return words[:1].upper() + words[1:]


def moment(at: float | None, lang: Lang) -> Html:
    """Swedish date and time, to the minute."""
    if at is None:
        return tag("span", say("never", lang))
    return tag("time", minute(at), datetime=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at)))


def ago(at: float | None, now: float, lang: Lang) -> str:
    """How long since, in whole minutes, hours or days."""
    if at is None:
        return say("never", lang)
    seconds = max(0.0, now - at)
    for key, length in (("days_ago", 86400), ("hours_ago", 3600), ("minutes_ago", 60)):
        n = int(seconds // length)
        if n >= 1:
            return say(key if n > 1 else f"{key}_one", lang, n=n)
    return say("just_now", lang)

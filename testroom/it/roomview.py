"""Test room: what the room itself is doing. The same counts as its /metrics, which name no organisation."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.advice import Lang, text
from reports.advice.words import number, quantity_text
from testroom.it import parts, svg
from testroom.it.markup import Html, join, tag
from testroom.it.query import Query
from testroom.it.texts import say, whole

if TYPE_CHECKING:
    from testroom.server import TestRoom

_LOOK_S = 0.3


@dataclass(frozen=True, slots=True)
class Load:
    """Shares of all the computer's cores, over the last moment; `room` with its call workers. Memory in bytes."""

    computer: float
    room: float
    memory: int
    seconds: float  # that the room's process has run


async def load() -> Load:
    """Look twice, a moment apart."""
    import psutil

    me, cores = psutil.Process(), psutil.cpu_count() or 1
    psutil.cpu_percent(None)
    before, at = _cpu_seconds(me), time.monotonic()
    await asyncio.sleep(_LOOK_S)
    elapsed = time.monotonic() - at
    used = max(0.0, _cpu_seconds(me) - before) / elapsed / cores
    return Load(psutil.cpu_percent(None) / 100, min(1.0, used), me.memory_info().rss, time.time() - me.create_time())


def _cpu_seconds(process: object) -> float:
    import psutil

    assert isinstance(process, psutil.Process)
    total = 0.0
    for each in (process, *process.children(recursive=True)):
        try:
            times = each.cpu_times()
        except psutil.Error:  # it has ended meanwhile
            continue
        total += times.user + times.system
    return total


def view(room: TestRoom, now: Load, q: Query) -> Html:
    """The whole view."""
    return join(
        tag("p", say("room_lead", q.lang, since=_running(now.seconds, q.lang)), class_="quiet"),
        tag("div", _places(room, q.lang), _cpu(now, q.lang), class_="grid"),
        tag("div", *_counts(room, q.lang), class_="grid"),
    )


def _running(seconds: float, lang: Lang) -> str:
    if 3600 <= seconds < 2 * 86400:
        return say("hours", lang, n=number(round(seconds / 3600, 1), lang))
    return quantity_text("join_seconds", round(seconds), lang)


def _places(room: TestRoom, lang: Lang) -> Html:
    """What is in use now, of what there is."""
    calls, turns = room.calls, room.throughput.turns
    used = (
        ("sessions", len(room.sessions), room.sessions.limits.sessions),
        ("calls", calls.open_now, calls.settings.places if calls.settings else 0),
        ("transfers", int(turns.running), 1),
    )
    waiting = say("waiting", lang, n=whole(turns.waiting, lang)) if turns.waiting else None
    return parts.card(
        say("in_use", lang), tag("ul", [_gauge(*each, lang) for each in used], class_="bars gauges"), waiting
    )


def _gauge(key: str, used: int, most: int, lang: Lang) -> Html:
    words = say("of", lang, n=whole(used, lang), most=whole(most, lang)) if most else say("not_offered", lang)
    return tag("li", tag("span", say(key, lang), ": ", words, class_="what"), svg.plain(min(used, most), max(most, 1)))


def _cpu(now: Load, lang: Lang) -> Html:
    shares = (("cpu_computer", now.computer), ("cpu_room", now.room))
    drawn = [
        tag(
            "li",
            tag("span", say(key, lang), ": ", _percent(value, lang), class_="what"),
            svg.plain(round(value * 1000), 1000),
        )
        for key, value in shares
    ]
    memory = parts.pairs([(say("memory", lang), quantity_text("memory_free_bytes", now.memory, lang))])
    return parts.card(say("cpu", lang), tag("ul", drawn, class_="bars gauges"), memory)


def _percent(value: float, lang: Lang) -> str:
    return text("unit.percent", lang, n=number(round(100 * value), lang))


def _counts(room: TestRoom, lang: Lang) -> list[Html]:
    """Since the room's start."""
    packets, sessions, calls = room.reflector.counts, room.sessions, room.calls
    transfers, collector = room.throughput.counts, room.fleet.collector
    made = [
        _card("sessions", {"issued": sessions.issued, "expired": sessions.expired}, {"full": sessions.refused}, lang),
        _card(
            "packets",
            {"received": packets.received, "reflected": packets.reflected, "send_failed": packets.send_failed},
            packets.refused,
            lang,
        ),
        _card("calls", {"started": calls.started, "connected": calls.connected}, calls.refused, lang),
        _card(
            "transfers",
            {f"transfer_{way}": transfers.transfers[way] for way in ("download", "upload")},
            transfers.refused,
            lang,
        ),
    ]
    if collector is not None:
        made.append(
            _card("self_tests", {each: collector.taken[each] for each in ("stored", "known")}, collector.refused, lang)
        )
    return made


def _card(key: str, done: Mapping[str, int], refused: Mapping[str, int], lang: Lang) -> Html:
    rows = [(_named(f"room_{name}", name, lang), whole(n, lang)) for name, n in done.items()]
    rows += [
        (say("refused_because", lang, why=_named(f"refused_{why}", why, lang)), whole(n, lang))
        for why, n in sorted(refused.items()) if n
    ]  # fmt: skip
    if not any(refused.values()):
        rows.append((say("refused_none", lang), whole(0, lang)))
    title = say(key, lang)
    return parts.card(title, parts.table(title, [say("what", lang), say("count", lang)], rows))


def _named(key: str, name: str, lang: Lang) -> str:
    """Our words for it; a reason without any keeps its name."""
    from testroom.it.texts import texts

    return texts(lang).get(key, name.replace("_", " "))

"""The collector takes honest self-tests once, and tells the others why not."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reports.collector import Collector, CollectorLimits, MalformedError, Receipt, Refused, read_self_test
from reports.reading import NewerRecordError
from reports.serial import to_json
from reports.store.shapes import Outcome, Record, StoreError
from tests.reports.store.rows import NOW, A, run

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


class Shelf:
    """A store in memory that counts its transactions, and fails when told."""

    def __init__(self) -> None:
        self.kept: dict[str, Record] = {}
        self.batches: list[int] = []
        self.gate = threading.Event()
        self.gate.set()
        self.away = False
        self.poison = ""

    def take(self, records: Sequence[Record]) -> list[Outcome]:
        self.batches.append(len(records))
        assert self.gate.wait(10)
        if self.away or any(r.run_id == self.poison for r in records):
            raise StoreError("away")
        outcomes: list[Outcome] = ["known" if r.run_id in self.kept else "stored" for r in records]
        self.kept |= {r.run_id: r for r in records}
        return outcomes


def body(run_id: str = "r1", started_at: float = NOW, **changes: Any) -> bytes:
    return json.dumps(to_json(run(run_id, started_at)) | changes).encode()


async def send(collector: Collector, raw: bytes, machine: str = A, now: float = NOW) -> Receipt | Refused:
    return await asyncio.wait_for(collector.take("habo", raw, machine, now), 10)


async def test_taken_once() -> None:
    shelf = Shelf()
    collector = Collector(shelf)
    assert await send(collector, body()) == Receipt("r1", "stored")
    assert await send(collector, body()) == Receipt("r1", "known")
    assert collector.taken == {"stored": 1, "known": 1}
    kept = shelf.kept["r1"]
    assert (kept.organisation, kept.machine, kept.level, kept.link_kind, kept.source) == (
        *("habo", A, "ready", "wired"), "agent",
    )  # fmt: skip
    await collector.close()


def without(*path: str | int) -> bytes:
    whole = to_json(run())
    inner: Any = whole
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return json.dumps(whole).encode()


def having(value: object, *path: str | int) -> bytes:
    whole = to_json(run())
    inner: Any = whole
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return json.dumps(whole).encode()


MALFORMED = {
    "nothing": b"",
    "no JSON": b"{",
    "no UTF-8": b"\xff\xfe\x00",
    "nested without end": b"[" * 100_000,
    "another schema": body(schema="motesklar.lunch/1"),
    "no verdict": without("verdict"),
    "an infinite number": having("x", "started_at").replace(b'"x"', b"Infinity"),
    "a number too large": having("x", "started_at").replace(b'"x"', b"1e999"),
    "a whole number too large": having(10**400, "started_at"),
    "a whole number of many digits": having("x", "duration_s").replace(b'"x"', b"9" * 5000),
    "a negative duration": having(-1.0, "duration_s"),
    "a level that is no word": having("splendid!", "verdict", "level"),
    "a value that is no name": having({"my seconds": 1.0}, "measurements", 0, "values"),
    "an unknown that is no name": having({"my seconds": "why"}, "measurements", 0, "unknown"),
    "a failure that is no code": having({"step": "x", "code": "so bored", "detail": ""}, "measurements", 0, "failure"),
    "a run id with a space": body("r 1"),
    "a run id with a NUL": body("r\x00"),
    "a run id too long": body("r" * 65),
    "no run id": body(""),
    "a rule with a quote": having("x'", "verdict", "findings", 0, "rule"),
    "an action with markup": having("<b>", "verdict", "action"),
    "a version with a NUL": having("1\x00", "agent", "version"),
}


@pytest.mark.parametrize("raw", MALFORMED.values(), ids=MALFORMED.keys())
async def test_malformed(raw: bytes) -> None:
    shelf = Shelf()
    collector = Collector(shelf)
    refused = await send(collector, raw)
    assert isinstance(refused, Refused)
    assert refused.code == "self_test_malformed"
    assert refused.where.isprintable()
    assert len(refused.where) <= 200
    assert shelf.kept == {}
    await collector.close()


DAY = 86400.0
REFUSED = [
    (body(started_at=NOW - 30 * DAY - 1), A, "self_test_too_old"),
    (body(started_at=NOW + 601), A, "self_test_in_the_future"),
    (body(duration_s=1e4), A, "self_test_in_the_future"),
    (body().ljust(256 * 1024 + 1), A, "self_test_too_large"),
    (body(), "a" * 31, "machine_malformed"),
    (body(), "a" * 31 + "\n", "machine_malformed"),
    (body(), "g" * 32, "machine_malformed"),
]


@pytest.mark.parametrize(("raw", "machine", "code"), REFUSED, ids=[f"{i} {row[2]}" for i, row in enumerate(REFUSED)])
async def test_refused(raw: bytes, machine: str, code: str) -> None:
    shelf = Shelf()
    collector = Collector(shelf)
    assert await send(collector, raw, machine) == Refused(code)
    assert collector.refused == {code: 1}
    assert shelf.kept == {}
    await collector.close()


@pytest.mark.parametrize("started_at", [NOW - 30 * DAY + 1, NOW + 580])
async def test_as_old_or_as_young_as_it_may_be(started_at: float) -> None:
    collector = Collector(Shelf())
    assert await send(collector, body(started_at=started_at)) == Receipt("r1", "stored")
    assert await send(collector, body("r2").ljust(256 * 1024), "") == Receipt("r2", "stored")
    await collector.close()


async def test_an_organisation_that_sends_too_many() -> None:
    collector = Collector(Shelf(), allow=lambda organisation: organisation != "habo")
    assert await send(collector, body()) == Refused("too_many_self_tests")
    assert await collector.take("mullsjo", body(), A, NOW) == Receipt("r1", "stored")
    await collector.close()


async def test_what_comes_while_one_is_written_shares_the_next_transaction() -> None:
    shelf = Shelf()
    collector = Collector(shelf, CollectorLimits(batch=8))
    shelf.gate.clear()
    first = asyncio.create_task(send(collector, body("r0")))
    while not shelf.batches:  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    others = [asyncio.create_task(send(collector, body(f"r{i}"))) for i in range(1, 12)]
    while len(collector._waiting) < 11:  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    shelf.gate.set()
    await asyncio.gather(first, *others)
    assert shelf.batches == [1, 8, 3]
    await collector.close()


async def test_too_many_wait() -> None:
    shelf = Shelf()
    collector = Collector(shelf, CollectorLimits(waiting=1))
    shelf.gate.clear()
    first = asyncio.create_task(send(collector, body("r0")))
    while not shelf.batches:  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    second = asyncio.create_task(send(collector, body("r1")))
    while not collector._waiting:  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    assert await send(collector, body("r2")) == Refused("collector_busy")
    shelf.gate.set()
    assert await asyncio.gather(first, second) == [Receipt("r0", "stored"), Receipt("r1", "stored")]
    await collector.close()


async def test_a_store_that_is_away_and_comes_back() -> None:
    shelf = Shelf()
    collector = Collector(shelf)
    shelf.away = True
    assert await send(collector, body()) == Refused("store_unavailable")
    shelf.away = False
    assert await send(collector, body()) == Receipt("r1", "stored")
    await collector.close()


async def test_one_that_cannot_be_kept_does_not_spoil_the_others() -> None:
    shelf = Shelf()
    collector = Collector(shelf)
    shelf.gate.clear()
    shelf.poison = "r2"
    tasks = [asyncio.create_task(send(collector, body(f"r{i}"))) for i in range(5)]
    await asyncio.sleep(0.2)
    shelf.gate.set()
    answers = await asyncio.gather(*tasks)
    assert [type(a).__name__ for a in answers] == ["Receipt", "Receipt", "Refused", "Receipt", "Receipt"]
    await collector.close()


async def test_a_caller_who_goes_away_takes_no_other_along() -> None:
    shelf = Shelf()
    collector = Collector(shelf)
    shelf.gate.clear()
    tasks = [asyncio.create_task(send(collector, body(f"r{i}"))) for i in range(3)]
    await asyncio.sleep(0.2)
    tasks[0].cancel()
    shelf.gate.set()
    assert await asyncio.gather(*tasks[1:]) == [Receipt("r1", "stored"), Receipt("r2", "stored")]
    await collector.close()
    assert set(shelf.kept) == {"r0", "r1", "r2"}


def paths(value: Any, here: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [here, *(path for key, part in inner for path in paths(part, (*here, key)))]


PATHS = [path for path in paths(to_json(run())) if path]


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.sampled_from(PATHS), json_values)
def test_any_value_anywhere_is_taken_or_refused(path: tuple[str | int, ...], value: object) -> None:
    """And what is taken can be kept: it packs, and comes back."""
    from reports.store.incoming import record_of, unpacked

    try:
        test = read_self_test(having(value, *path))
    except (MalformedError, NewerRecordError):
        pass
    else:
        assert read_self_test(json.dumps(unpacked(record_of("habo", A, test, NOW).document)).encode())

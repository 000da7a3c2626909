"""scripts/bench collector: self-tests of many machines to one collector on one core; how it grows with the machines."""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import random
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import aiohttp

from bench.collector_records import machine, self_test
from bench.processes import BenchError, Helper, cpu_seconds, helper, pinned, popen, resident_bytes, run
from bench.table import Row, print_table, verdict
from reports.serial import to_json
from reports.store.incoming import record_of
from reports.store.store import Store

TOKEN = "the bench's own token"
ROOM_CORE, SENDER_CORE = 0, 1
MOST_P99_S, MOST_METRICS_S, MOST_SERIES, LEAST_RATE = 0.25, 1.0, 5000, 100.0
DOCUMENTS = 200  # different ones; each is sent under many run ids
FILL = 256


class Found(NamedTuple):
    """What one size of store gave. Times in seconds, memory in bytes."""

    machines: int
    rate: float
    p50: float
    p99: float
    core: float  # share of one core that the room used
    memory_before: int
    memory_after: int
    metrics: float
    series: int
    latest: float  # reading the latest of 2000 machines


def main() -> None:
    options = _options()
    print(f"{options.rate:g} self-tests a second for {options.seconds:g} s to one room on one core")
    found = []
    with _store(options.store) as url:
        store = Store.open(url)
        for size in options.machines:
            _fill(store, size)
            found.append(_measure(url, store, size, options.rate, options.seconds))
        store.close()
    _show(found, options.rate)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench collector", description=__doc__)
    parser.add_argument("--machines", type=int, nargs="+", default=[1000, 10_000, 100_000], help="growing")
    parser.add_argument("--rate", type=float, default=LEAST_RATE, help="self-tests a second")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--store", help="an empty database's URL; SQLite in a temporary folder unless told")
    return parser.parse_args()


@contextmanager
def _store(url: str | None) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        yield url or f"sqlite:///{Path(folder) / 'bench.db'}"


def _fill(store: Store, size: int) -> None:
    """One self-test of each machine that is not there yet, half of them in 40 units."""
    there = len(store.latest("bench"))
    now = time.time()
    made = [record_of("bench", "", self_test(i, now), now) for i in range(DOCUMENTS)]
    for start in range(there, size, FILL):
        numbers = range(start, min(start + FILL, size))
        store.take([
            replace(made[n % DOCUMENTS], run_id=str(uuid.uuid4()), machine=machine(n), started_at=now - 86400)
            for n in numbers
        ])  # fmt: skip
    lines = "\n".join(f"{machine(n)};unit {n % 40}" for n in range(there, size, 2))
    if lines:
        store.name_machines("bench", f"machine;unit\n{lines}")


def _measure(url: str, store: Store, size: int, rate: float, seconds: float) -> Found:
    with pinned(ROOM_CORE):
        room = helper(popen, "collector_process")
        with room as child, pinned(SENDER_CORE):
            return asyncio.run(_load(child, url, store, size, rate, seconds))


async def _load(child: Helper, url: str, store: Store, size: int, rate: float, seconds: float) -> Found:
    address = child.ask({"store": url, "token": TOKEN}, 60)["url"].partition("#")[0]
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    connector = aiohttp.TCPConnector(ssl=False, limit=64)
    async with aiohttp.ClientSession(address, headers=headers, connector=connector) as http:
        await _send_all(http, size, rate, min(5.0, seconds))  # whatever is done once is done
        pid = child.process.pid
        memory, cpu, began = resident_bytes(pid), cpu_seconds(pid), time.monotonic()
        times = sorted(await _send_all(http, size, rate, seconds))
        took = time.monotonic() - began
        core = (cpu_seconds(pid) - cpu) / took
        after = resident_bytes(pid)
        metrics, series = await _metrics(http)
    return Found(
        size, len(times) / took, times[len(times) // 2], times[int(len(times) * 0.99)], core, memory, after,
        metrics, series, _read(store),
    )  # fmt: skip


async def _send_all(http: aiohttp.ClientSession, size: int, rate: float, seconds: float) -> list[float]:
    """Each at its time, whether or not those before are answered: seconds from when it was due to its answer."""
    documents = itertools.cycle([to_json(self_test(i, time.time())) for i in range(20)])
    began = time.monotonic()
    tasks = []
    for i in range(int(rate * seconds)):
        due = began + i / rate
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        body = json.dumps(next(documents) | {"run_id": str(uuid.uuid4())}).encode()
        tasks.append(asyncio.create_task(_send(http, body, machine(random.randrange(size)), due)))
    return await asyncio.gather(*tasks)


async def _send(http: aiohttp.ClientSession, body: bytes, who: str, due: float) -> float:
    async with http.post("/v1/self-tests", data=body, headers={"Motesklar-Machine": who}) as answer:
        if answer.status != 201:
            raise BenchError(f"the collector answered {answer.status}: {await answer.text()}")
    return time.monotonic() - due


async def _metrics(http: aiohttp.ClientSession) -> tuple[float, int]:
    began = time.monotonic()
    async with http.get("/metrics") as answer:
        text = await answer.text()
    return time.monotonic() - began, sum(not line.startswith("#") for line in text.splitlines())


def _read(store: Store) -> float:
    """The latest self-tests of about 2000 machines: whole units."""
    began, seen = time.monotonic(), 0
    for unit in store.units("bench")[1:]:
        if seen < 2000:
            seen += len(store.latest("bench", unit))
    return time.monotonic() - began


HEAD = (
    *("machines", "a second", "p50 ms", "p99 ms", "room's core", "MB before", "MB after"),
    *("/metrics s", "series", "2000 latest s"),
)


def _show(found: list[Found], rate: float) -> None:
    print_table(HEAD, [_row(f) for f in found])
    reached = all(
        f.rate >= 0.98 * rate and f.p99 < MOST_P99_S and f.metrics < MOST_METRICS_S and f.series < MOST_SERIES
        for f in found
    )
    print(f"at least {rate:g} a second, p99 < 250 ms, /metrics < 1 s and < {MOST_SERIES} series: {verdict(reached)}")


def _row(f: Found) -> Row:
    times = (f"{f.machines}", f"{f.rate:.1f}", f"{f.p50 * 1e3:.1f}", f"{f.p99 * 1e3:.1f}", f"{f.core:.0%}")
    memory = (f"{f.memory_before / 1e6:.0f}", f"{f.memory_after / 1e6:.0f}")
    return (*times, *memory, f"{f.metrics:.2f}", f"{f.series}", f"{f.latest:.2f}")


if __name__ == "__main__":
    run(main)

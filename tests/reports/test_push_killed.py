"""Seven days without a network, kill -9 five times: the room's store has every run, and each of them once."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from reports.collector import Receipt
from reports.serial import to_json
from reports.spool import Spool
from reports.store.store import Store
from testroom.server import TestRoom
from tests.reports.far_end import MACHINE, PROXIES
from tests.reports.store.rows import run
from tests.testroom.fleet.make import TOKENS
from tests.testroom.https import PAIR, TOKEN, serving

ROOT = Path(__file__).resolve().parent.parent.parent
RUNS, APART_S = 7 * 48, 1800.0
AGENT = """
import asyncio, json, sys
from pathlib import Path
from aiohttp import Fingerprint
from reports.push import drain, to_collector
from reports.push_answers import Pace
from reports.spool import Spool

async def main(path, template, url, pin, token, machine, first, last):
    spool, stop, wake = Spool(Path(path), 10**8), asyncio.Event(), asyncio.Event()
    pace = Pace(first=0.02, most=0.1, between=0)
    destination, trust = to_collector(url, token, machine), Fingerprint(bytes.fromhex(pin))
    task = asyncio.create_task(drain(spool, destination, stop, trust=trust, wake=wake, pace=pace))
    whole = json.loads(Path(template).read_text())
    for number in range(int(first), int(last)):
        one = whole | {"run_id": f"run-{number}", "started_at": whole["started_at"] + APART * number}
        body = json.dumps(one).ljust(20000).encode()
        await asyncio.to_thread(spool.put, "collector", one["run_id"], body, one["started_at"])
        print(number, flush=True)
        wake.set()
    while spool.counts().waiting:
        await asyncio.sleep(0.02)
    stop.set()
    await task

asyncio.run(main(*sys.argv[1:]))
""".replace("APART", str(APART_S))


class Agents:
    """One after the other, on one spool."""

    def __init__(self, folder: Path, url: str, pin: str) -> None:
        self.path, self._template = folder / "spool.db", folder / "self-test.json"
        self._where = (url, pin, TOKEN, MACHINE)
        self._template.write_text(json.dumps(to_json(run("", time.time() - RUNS * APART_S))))
        self.put = 0  # runs of which an agent has said that they are in the spool
        self.killed = 0
        self.now: Process | None = None

    async def run(self, last: int, *, killed_after: int | None = None) -> int:
        """Put the runs from where the one before ended. The exit code; below zero it was killed."""
        told = (str(self.path), str(self._template), *self._where, str(self.put), str(last))
        self.now = process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", AGENT, *told, cwd=ROOT, stdout=PIPE
        )
        assert process.stdout is not None
        async for _ in process.stdout:
            self.put += 1
            if self.put == killed_after:
                self.kill()
        return await process.wait()

    def kill(self) -> None:
        assert self.now is not None
        self.now.kill()
        self.killed += 1


def killing(room: TestRoom, kill: Callable[[], None], kill_at: set[int]) -> None:
    """The room has put a run into its store and not yet said so when the agent is killed."""
    collector = room.fleet.collector
    assert collector is not None
    take = collector.take

    async def taken(*args: Any) -> Any:
        receipt = await take(*args)
        stored = isinstance(receipt, Receipt) and receipt.outcome == "stored"
        if stored and collector.taken["stored"] in kill_at:
            kill()
            await asyncio.sleep(0.05)  # nobody hears it
        return receipt

    collector.take = taken  # type: ignore[method-assign,assignment]


async def test_every_run_arrives_and_is_kept_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    file = f"sqlite:///{tmp_path / 'fleet.db'}"
    agents = Agents(tmp_path, f"https://127.0.0.1:{port}/v1/self-tests", PAIR.fingerprint.hex())
    assert await agents.run(RUNS, killed_after=100) < 0  # offline
    assert await agents.run(RUNS, killed_after=250) < 0
    with closing(Spool(agents.path, 10**8)) as spool:
        assert spool.counts().waiting >= 250
    async with serving(port=port, tokens=TOKENS, store=file) as (room, _):
        killing(room, agents.kill, {50, 150, 151})
        for _ in range(3):
            assert await agents.run(RUNS) < 0
        assert await asyncio.wait_for(agents.run(RUNS), 60) == 0
        assert room.fleet.collector is not None
        taken = room.fleet.collector.taken
    assert agents.killed == 5
    assert taken["stored"] == RUNS
    assert taken["known"] >= 3  # what was not answered came again
    with closing(Store.open(file)) as store:
        past = store.history("habo", MACHINE, 0.0)
        counted = [count.value for count in store.aggregates().counts if count.name == "self_tests"]
    assert [each.run_id for each in past] == [f"run-{number}" for number in reversed(range(RUNS))]
    assert past[0].started_at - past[-1].started_at == pytest.approx((RUNS - 1) * APART_S)
    assert sum(counted) == RUNS
    with closing(Spool(agents.path, 10**8)) as spool:
        counts = spool.counts()
    assert (counts.waiting, counts.dropped, counts.refused) == (0, 0, 0)

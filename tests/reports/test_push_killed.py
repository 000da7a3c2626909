"""Seven days without a network, kill -9 five times: the collector has every run, and has taken each once."""

from __future__ import annotations

import asyncio
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from reports.spool import Spool
from tests.reports.far_end import PROXIES, FarEnd, serving

ROOT = Path(__file__).resolve().parent.parent.parent
RUNS = 7 * 48  # one in half an hour
AGENT = """
import asyncio, pathlib, sys
from reports.push import drain, to_collector
from reports.push_answers import Pace
from reports.spool import Spool

async def main(path, url, first, last):
    spool, stop, wake = Spool(path, 10**8), asyncio.Event(), asyncio.Event()
    pace = Pace(first=0.02, most=0.1, between=0)
    destination = to_collector(url, "a-token", "0" * 32)
    task = asyncio.create_task(drain(spool, destination, stop, wake=wake, pace=pace))
    for number in range(first, last):
        body = str(number).ljust(20000).encode()
        await asyncio.to_thread(spool.put, "collector", f"run {number}", body, 1.8e9 + 900 * number)
        print(number, flush=True)
        wake.set()
    while spool.counts().waiting:
        await asyncio.sleep(0.02)
    stop.set()
    await task

asyncio.run(main(pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
"""


class Agents:
    """One after the other, on one spool."""

    def __init__(self, path: Path, url: str) -> None:
        self.path, self.url = path, url
        self.put = 0  # runs of which an agent has said that they are in the spool
        self.killed = 0
        self.now: Process | None = None

    async def run(self, last: int, *, killed_after: int | None = None) -> int:
        """Put the runs from where the one before ended. The exit code; below zero it was killed."""
        command = (sys.executable, "-c", AGENT, str(self.path), self.url, str(self.put), str(last))
        self.now = process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=PIPE)
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


def collector(taken: list[str], kill: Callable[[], None], kill_at: set[int]) -> FarEnd:
    """It knows a run again. It has taken a run and not yet said so when the agent is killed."""

    def says(_n: int, body: str) -> tuple[int, dict[str, str]]:
        run = body.strip()
        if run in taken:
            return 409, {}
        taken.append(run)
        if len(taken) in kill_at:
            kill()
        return 200, {}

    return FarEnd(says)


async def test_every_run_arrives_and_is_taken_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    agents, taken = Agents(tmp_path / "spool.db", f"http://127.0.0.1:{port}/"), list[str]()
    assert await agents.run(RUNS, killed_after=100) < 0  # offline
    assert await agents.run(RUNS, killed_after=250) < 0
    with closing(Spool(agents.path, 10**8)) as spool:
        assert spool.counts().waiting >= 250
    far_end = collector(taken, agents.kill, {50, 150, 151})
    async with serving(far_end, port=port):
        for _ in range(3):
            assert await agents.run(RUNS) < 0
        assert await asyncio.wait_for(agents.run(RUNS), 60) == 0
    assert agents.killed == 5
    assert sorted(map(int, taken)) == list(range(RUNS))
    assert len(far_end.bodies) >= RUNS + 3  # what was not answered came again
    with closing(Spool(agents.path, 10**8)) as spool:
        counts = spool.counts()
    assert (counts.waiting, counts.dropped, counts.refused) == (0, 0, 0)

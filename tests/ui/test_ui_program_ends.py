"""How `motesklar ui` ends: told twice, by itself, and with what it needs taken away."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
import time
from pathlib import Path

import psutil
import pytest

from agent.ui import opening
from tests.agent.program import environment
from tests.ui.started import URL, address, gone, lines, opened, started

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
QUICK = """
import sys, pathlib
from agent.ui import opening
from agent.ui.life import Limits
from tests.ui.serving import options, Told
from agent.cli import told
asked = opening.Asked(options(), browser=False, limits=Limits(unopened_s=0.5))
sys.exit(told(lambda: opening.run(asked, pathlib.Path(sys.argv[1]), Told)))
"""
STUBBORN = """
import asyncio, pathlib, subprocess, sys
from agent.ui import opening
from tests.ui.serving import options, Told
home = pathlib.Path(sys.argv[1])

class Stubborn(Told):
    def __init__(self, *more):
        super().__init__(*more)
        (home / "pid").write_text(str(subprocess.Popen(["sleep", "60"]).pid))
        self.held = asyncio.ensure_future(self.hold())
    async def hold(self):
        for _ in range(60):
            try:
                await asyncio.sleep(1)
            except asyncio.CancelledError:
                pass

opening.run(opening.Asked(options(), browser=False), home, Stubborn)
"""
FEW = ("sh", "-c", 'ulimit -n 30; exec "$@"', "sh")


@pytest.mark.parametrize(("times", "seconds"), [(1, 3.0), (2, 1.5)])
async def test_told_to_end_it_does_whatever_holds_it_up(tmp_path: Path, times: int, seconds: float):
    """The loop would wait for a task that takes its time."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", STUBBORN, str(tmp_path), env=environment(tmp_path), stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    while b"/open/" not in await process.stderr.readline():
        pass
    (child,) = [int(line) for line in lines(tmp_path / "pid")]
    begun = time.monotonic()
    for _ in range(times):
        process.send_signal(signal.SIGINT)
        await asyncio.sleep(0.1)
    _, said = await asyncio.wait_for(process.communicate(), 10)
    assert time.monotonic() - begun < seconds
    assert (process.returncode, "Traceback" in said.decode()) == (opening.STOPPED, False)
    assert not psutil.pid_exists(child) or gone(psutil.Process(child))


async def test_with_no_file_left_nothing_is_said_and_it_goes_on(tmp_path: Path):
    async with started(tmp_path, "--no-browser", prefix=FEW) as program, contextlib.AsyncExitStack() as stack:
        url, _ = address(program)
        port = int(url.split(":")[2].partition("/")[0])
        silent = [socket.socket() for _ in range(60)]
        for each in silent:
            each.setblocking(False)
            each.connect_ex(("127.0.0.1", port))
        await asyncio.sleep(0.5)
        for each in silent:
            each.close()
        await stack.enter_async_context(opened(url))
        assert await program.end(signal.SIGTERM) == 0
        assert len(program.lines) == 4


@pytest.mark.parametrize("closed", ["2>/dev/full", "<&- >&- 2>&-"])
async def test_without_standard_streams_it_is_no_other_program(tmp_path: Path, closed: str):
    quick = ("sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, "-c", QUICK, str(tmp_path))
    process = await asyncio.create_subprocess_exec(*quick, env=environment(tmp_path))
    assert await asyncio.wait_for(process.wait(), 10) == 0


async def test_it_ends_by_itself(tmp_path: Path):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", QUICK, str(tmp_path), env=environment(tmp_path), stderr=asyncio.subprocess.PIPE
    )
    _, said = await asyncio.wait_for(process.communicate(), 10)
    assert process.returncode == 0
    assert URL.search(said.decode())
    assert "Traceback" not in said.decode()

"""A child process that a probe may kill: JSON lines in, JSON lines out, and it ends when its parent does.

The parent starts `command(module)`; the child's `main` is `run(work)`. What packages print goes nowhere. A child that
hangs is killed, and one whose parent is gone sees its standard input closed and ends itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio

END_S = 2.0  # after the kill

Line = Mapping[str, Any]
Say = Callable[[Line], None]


# ---- the parent's side --------------------------------------------------------------------------------------------


def command(module: str) -> tuple[str, ...]:
    """How to start it."""
    return sys.executable, "-P", "-W", "ignore", "-m", module


def environment() -> dict[str, str]:
    """This program's own modules, wherever they are; and a resolver that does not ask for half a minute."""
    ours = str(Path(__file__).resolve().parents[1])
    paths = [ours, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {"RES_OPTIONS": "timeout:2 attempts:2"} | os.environ | {"PYTHONPATH": os.pathsep.join(paths)}


@contextlib.asynccontextmanager
async def started(arguments: Sequence[str], limit: int = 65536) -> AsyncIterator[asyncio.subprocess.Process]:
    """A running child, killed at the end of the block if it has not ended. `limit`: octets of the longest line."""
    import asyncio  # here, since the child's side does not need it, and every child would wait for it

    process = await asyncio.create_subprocess_exec(
        *arguments, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        env=environment(), start_new_session=True, limit=limit,
    )  # fmt: skip
    try:
        yield process
    finally:
        kill(process)
        await ended(process)


async def ended(process: asyncio.subprocess.Process) -> None:
    """Wait for one that was killed, END_S at the most.

    One that sleeps in a driver ends only when the driver lets it: then nobody waits, and the loop has the zombie.
    """
    import asyncio

    try:
        async with asyncio.timeout(END_S):
            await process.wait()
    except TimeoutError:
        process._transport.close()  # type: ignore[attr-defined]  # its pipes, which nobody reads any more


def kill(process: asyncio.subprocess.Process) -> None:
    """By force. Its own kill() asks for the exit status, which asyncio then misses, and says so on standard error."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.kill(process.pid, signal.SIGKILL)


async def tell(process: asyncio.subprocess.Process, line: Line) -> None:
    """One line to the child; nothing when it has ended."""
    assert process.stdin is not None
    with contextlib.suppress(ConnectionError):
        process.stdin.write(json.dumps(line).encode() + b"\n")
        await process.stdin.drain()


async def lines(process: asyncio.subprocess.Process) -> AsyncIterator[dict[str, Any]]:
    """All that it says, until it ends, or says what is none: a line was cut off when it died."""
    assert process.stdout is not None
    with contextlib.suppress(ValueError):  # also of a line longer than asyncio's buffer
        async for line in process.stdout:
            said = json.loads(line)
            if not isinstance(said, dict):
                break
            yield said
    await process.wait()  # to kill what has just ended would make asyncio lose its exit code


# ---- the child's side ---------------------------------------------------------------------------------------------


def run(
    work: Callable[[dict[str, Any], Say], None],
    hear: Callable[[dict[str, Any]], None] | None = None,
    *,
    cores: bool = False,
) -> None:
    """`work(first line, say)`, and the end, whatever threads are left. `hear` gets later lines, in another thread.

    `cores`: when it crashes, or what it starts does, the system may write its memory to a file.
    """
    if not cores:
        _leave_no_core()
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    lock = threading.Lock()

    def say(line: Line) -> None:
        with lock:
            out.write(json.dumps(line) + "\n")
            out.flush()

    first = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_until_parent_ends, args=(hear,), daemon=True).start()
    try:
        work(first, say)
    except BaseException:  # noqa: BLE001 - a defect; threads that go on would keep the process alive
        import traceback

        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _leave_no_core() -> None:
    """What a microphone heard and a camera saw is in memory only, also when a driver's library crashes."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _until_parent_ends(hear: Callable[[dict[str, Any]], None] | None) -> None:
    try:
        for line in sys.stdin.buffer:
            if hear is not None:
                hear(json.loads(line))
    finally:  # also when the last line was cut off with the parent
        os._exit(1)

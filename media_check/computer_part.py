"""What a part of the check "computer" gives, and how it asks another program something within a deadline."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from processes import child
from reports.record import Fact

if TYPE_CHECKING:
    import asyncio  # and where it is used: the child process need not wait for it

T = TypeVar("T")

# A program that hangs and does not know of us dies with us: our end of the pipe is closed however we end, and then all
# of its process group is killed, whose leader this shell is.
GUARD = 'exec 3<&0; (read _ <&3; kill -9 0) >/dev/null & "$@" 3<&- </dev/null'


class UnknownError(Exception):
    """A part cannot tell; its text is the reason, without paths or names."""


@dataclass(frozen=True, slots=True)
class Part:
    """`unknown`: reasons by name of a value or a word. `reason`: for all that the part gives and did not."""

    values: Mapping[str, float] = field(default_factory=dict)
    facts: Mapping[str, Fact] = field(default_factory=dict)
    unknown: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""


async def aside(work: Callable[[], T]) -> T:
    """For what reads files or the registry and may take its time; who asks has the deadline."""
    from processes.aside import aside as apart

    return await apart(work, None)


async def output(arguments: Sequence[str], seconds: float) -> str | None:
    """What a program prints; None when it is missing, fails or does not end in time.

    It and its children are ended then, and as well when this program dies in whatever way.
    """
    import asyncio
    from asyncio.subprocess import DEVNULL, PIPE

    posix = sys.platform != "win32"
    guard, stdin = (("/bin/sh", "-c", GUARD, "sh"), PIPE) if posix else ((), DEVNULL)
    try:
        process = await asyncio.create_subprocess_exec(
            *guard, *arguments, stdin=stdin, stdout=PIPE, stderr=DEVNULL, start_new_session=posix
        )
    except OSError:
        return None
    try:
        async with asyncio.timeout(seconds):
            said = await _said(process)
    except TimeoutError:
        return None
    finally:
        await _end(process)
    return said.decode(errors="replace") if process.returncode == 0 else None


async def _said(process: asyncio.subprocess.Process) -> bytes:
    """All of it, until it ends. communicate() may close its standard input, and so end it."""
    assert process.stdout is not None
    said = await process.stdout.read()
    await process.wait()
    return said


async def _end(process: asyncio.subprocess.Process) -> None:
    """With all that it started: a browser's launcher is often a script."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            if sys.platform == "win32":
                process.kill()
            else:
                os.killpg(process.pid, signal.SIGKILL)
        await child.ended(process)
    if process.stdin is not None:
        process.stdin.close()

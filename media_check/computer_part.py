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
    """What a program prints; None when it is missing, fails or does not end in time. It and its children are ended."""
    import asyncio

    try:
        process = await asyncio.create_subprocess_exec(
            *arguments, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    except OSError:
        return None
    try:
        async with asyncio.timeout(seconds):
            said, _ = await process.communicate()
    except TimeoutError:
        return None
    finally:
        if process.returncode is None:
            _end(process)
            await child.ended(process)
    return said.decode(errors="replace") if process.returncode == 0 else None


def _end(process: asyncio.subprocess.Process) -> None:
    """With all that it started: a browser's launcher is often a script."""
    with contextlib.suppress(ProcessLookupError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)

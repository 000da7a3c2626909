"""What this process has open and running, to compare before and after."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path

from testroom.server import TestRoom

ASIDE_S = 5.0  # threads that nobody waits for (processes/aside.py) end by themselves, but not at once


def left() -> tuple[list[str], list[str]]:
    """The names of the threads, and the open files; sockets and pipes by kind only, since their numbers change."""
    until = time.monotonic() + ASIDE_S
    while any(t.name == "aside" for t in threading.enumerate()) and time.monotonic() < until:
        time.sleep(0.05)
    gc.collect()
    files = []
    for path in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            files.append(str(path.readlink()).partition(":[")[0])
    return sorted(t.name for t in threading.enumerate()), sorted(files)


def added(before: tuple[list[str], list[str]], after: tuple[list[str], list[str]]) -> list[str]:
    """What has come since. That something of an earlier test has ended meanwhile is as it should be."""
    return [name for old, new in zip(before, after, strict=True) for name in (Counter(new) - Counter(old)).elements()]


async def seconds_to_stop(room: TestRoom) -> float:
    begun = time.monotonic()
    await room.__aexit__()
    return time.monotonic() - begun


def leaves_nothing(visit: Callable[[], Coroutine[None, None, float]]) -> None:
    """A visit says how long its room took to stop. A first one may leave what modules keep; a second leaves no more."""
    found = []
    for _ in range(2):
        assert asyncio.run(visit()) < 2
        found.append(left())
    assert added(*found) == []
    assert "reflector" not in found[1][0]

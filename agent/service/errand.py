"""The parent's side of a child process: it gets its errand, may be told to stop, and is ended when it does not."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from processes import child
from processes.tasks import end

MODULE = "agent.service.work"
STOP_S = 1.5  # to let a room's session go; then it is ended by force
LONGEST_LINE = 1 << 20

Line = Mapping[str, Any]


async def errand(first: Line, stops: tuple[asyncio.Event, ...], seconds: float) -> list[dict[str, Any]]:
    """All that the child says. It is told to stop when one of `stops` is set, and after `seconds`."""
    said: list[dict[str, Any]] = []

    async def read() -> None:
        async for line in child.lines(process):
            said.append(line)

    async with child.started(child.command(MODULE), LONGEST_LINE) as process:
        await child.tell(process, first)
        reading = asyncio.create_task(read())
        stopping = [asyncio.create_task(stop.wait()) for stop in stops]
        await asyncio.wait([reading, *stopping], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if not reading.done():
            await child.tell(process, {"stop": True})
            await asyncio.wait([reading], timeout=STOP_S)
        await end(reading, *stopping)
    return said


def of(said: list[dict[str, Any]], key: str) -> Any:
    """The last thing that was said under that name; None: nothing."""
    return next((line[key] for line in reversed(said) if key in line), None)

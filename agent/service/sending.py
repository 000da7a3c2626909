"""Emptying the spool, in the child process: all destinations side by side, until each has all or does not want more."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from agent.service import outbox
from agent.settings import Settings
from processes.child import Say
from processes.tasks import end
from reports.push import drain
from reports.spool import Spool

TICK_S = 0.2
MOST_S = 120.0  # then this process ends, and another goes on


async def look(settings: Settings, folder: Path, machine: str, say: Say, *, hurry: bool = False) -> None:
    """Only say how it is. `hurry`: the settings are new, so nothing is put off any more. Raises as `send`."""
    ways = outbox.ways(settings, machine)
    with closing(outbox.open_spool(settings, folder)) as spool:
        if spool.set_aside is not None:
            say({"say": f"the spool could not be read, and was set aside as {spool.set_aside}"})
        for way in ways if hurry else ():
            spool.hurry(way.destination.name)
        say(_told(spool, ways, [""] * len(ways)))


async def send(settings: Settings, folder: Path, machine: str, stop: asyncio.Event, say: Say) -> None:
    """Raises UsageError, SpoolError."""
    ways = outbox.ways(settings, machine)
    with closing(outbox.open_spool(settings, folder)) as spool:
        troubles = await asyncio.gather(*(_empty(spool, way, stop) for way in ways))
        say(_told(spool, ways, troubles))


async def _empty(spool: Spool, way: outbox.Way, stop: asyncio.Event) -> str:
    """What the destination was last in trouble about."""
    name, done, troubles = way.destination.name, asyncio.Event(), [""]
    ends = time.monotonic() + MOST_S
    if spool.due(name, time.time()) is None:
        return spool.counts(name).reason
    task = asyncio.create_task(drain(spool, way.destination, done, trust=way.trust(), say=troubles.append))
    while not (stop.is_set() or task.done() or time.monotonic() > ends):
        await asyncio.sleep(TICK_S)
        if await asyncio.to_thread(spool.due, name, time.time()) is None:
            break
    done.set()
    await asyncio.wait([task], timeout=0 if stop.is_set() else TICK_S)
    await end(task)
    prefix, last = f"{name}: ", troubles[-1]
    return spool.counts(name).reason or ("" if last.endswith("arrive again") else last.removeprefix(prefix))


def _told(spool: Spool, ways: Sequence[outbox.Way], troubles: Sequence[str]) -> dict[str, Any]:
    """`wait`: seconds until there is something to send; None: nothing waits."""
    found: dict[str, Any] = {}
    waits: list[float] = []
    now = time.time()
    for way, trouble in zip(ways, troubles, strict=True):
        name = way.destination.name
        counts = spool.counts(name)
        found[name] = {**asdict(counts), "reason": counts.reason or trouble}
        if counts.waiting:
            waits.append(max(0.0, spool.waits_until(name, now) - now))
    return {"spool": found, "wait": min(waits) if waits else None}

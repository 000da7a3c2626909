"""What waits in the spool goes to its destinations: in order, politely, until the far end has it.

A destination that does not answer is nothing unusual: the item waits, longer each time, and what stands in the way is
said once.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reports.push_answers import Answer, Pace
from reports.push_post import Destination, DestinationError, deliver, session, to_collector, to_remote_write
from reports.spool import Item, Spool, SpoolError

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from reports.push_post import Trust

__all__ = ["Destination", "DestinationError", "drain", "send_waiting", "to_collector", "to_remote_write"]
LOOK_S = 30.0  # another process may have put something, or the settings may be new
SPOOL_FAILED_S = 60.0


async def drain(
    spool: Spool,
    destination: Destination,
    stop: asyncio.Event,
    *,
    trust: Trust | None = None,
    wake: asyncio.Event | None = None,
    pace: Pace | None = None,
    say: Callable[[str], None] = lambda _: None,
    clock: Callable[[], float] = time.time,
) -> None:
    """Send until `stop` is set; the attempt under way is ended first (ANSWER_S at most; to cancel loses nothing).

    `wake`: something was put, look now. `trust`: what makes the far end's certificate good; None: Python's own
    default. `say` gets a sentence when a destination begins to fail, fails otherwise, or is well again.
    """
    shift = _Shift(spool, destination, pace or Pace(), say, clock)
    async with session(trust) as http:
        while not stop.is_set():
            await _rest(min(await shift.step(http), LOOK_S), stop, wake)


async def send_waiting(spool: Spool, destination: Destination, *, trust: Trust | None = None, seconds: float) -> str:
    """Send what may be sent now, for at most so long. "" when nothing waits any more, else what stands in the way."""
    shift = _Shift(spool, destination, Pace(between=0.0), lambda _: None, time.time)
    try:
        async with asyncio.timeout(seconds), session(trust) as http:
            while await shift.step(http) == 0:
                pass
            counts = await asyncio.to_thread(spool.counts, destination.name)
    except TimeoutError:
        return "it does not answer in time"
    except SpoolError as error:
        return str(error)
    return shift.refused or shift.trouble or (counts.reason or "it waits" if counts.waiting else "")


@dataclass(slots=True)
class _Shift:
    """One destination's work."""

    spool: Spool
    destination: Destination
    pace: Pace
    say: Callable[[str], None]
    clock: Callable[[], float]
    trouble: str = ""
    refused: str = ""
    dice: random.Random = field(default_factory=random.Random)

    async def step(self, http: ClientSession) -> float:
        """Send one item if one may be sent. Seconds until there may be more to do."""
        try:
            item = await asyncio.to_thread(self.spool.due, self.destination.name, self.clock())
            if item is None:
                return await self._until_next()
            return await self._settle(item, await deliver(http, self.destination, item, self.clock))
        except SpoolError as error:
            self._tell(str(error))
            return SPOOL_FAILED_S

    async def _settle(self, item: Item, answer: Answer) -> float:
        if answer.fate == "done":
            await asyncio.to_thread(self.spool.done, item)
            self._tell("")
            return self.pace.between
        if answer.fate == "refused":
            await asyncio.to_thread(self.spool.refuse, item)
            self.refused = answer.reason
            self._tell(answer.reason)
            return self.pace.between
        return await self._put_off(item, answer)

    async def _put_off(self, item: Item, answer: Answer) -> float:
        wait = self.pace.wait_s(answer, item.tries, self.dice)
        behind = answer.of_this_one and not self.destination.in_order
        until = self.clock() + wait
        await asyncio.to_thread(self.spool.put_off, item, until, answer.reason, behind=behind)
        self._tell(answer.reason)
        return wait

    async def _until_next(self) -> float:
        now = self.clock()
        until = await asyncio.to_thread(self.spool.waits_until, self.destination.name, now)
        return until - now if until > now else LOOK_S

    def _tell(self, trouble: str) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            self.say(f"{self.destination.name}: {trouble or 'reports arrive again'}")


async def _rest(seconds: float, stop: asyncio.Event, wake: asyncio.Event | None) -> None:
    """Until the time is up, something is put, or it is time to stop."""
    waits: list[Awaitable[object]] = [stop.wait()] if wake is None else [stop.wait(), wake.wait()]
    tasks = [asyncio.ensure_future(each) for each in waits]
    try:
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
    if wake is not None:
        wake.clear()

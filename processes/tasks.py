"""Tasks of the event loop that may be ended before they end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

T = TypeVar("T")


async def unless(stop: asyncio.Event, work: Awaitable[T], seconds: float) -> T | None:
    """What `work` returns or raises. None: `stop` was set or the time was over first, and the work has been ended."""
    working, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait((working, stopping), timeout=max(0.0, seconds), return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        await end(working, stopping)


async def end(*tasks: asyncio.Future[Any]) -> list[Any]:
    """Cancel them and wait until they have ended, so that what they hold is let go. Their results and exceptions."""
    for task in tasks:
        task.cancel()
    return await asyncio.gather(*tasks, return_exceptions=True)

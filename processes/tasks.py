"""Tasks of the event loop that are not wanted any more."""

from __future__ import annotations

import asyncio
from typing import Any


async def end(*tasks: asyncio.Task[Any]) -> list[Any]:
    """Cancel them and wait until they have ended, so that what they hold is let go. Their results and exceptions."""
    for task in tasks:
        task.cancel()
    return await asyncio.gather(*tasks, return_exceptions=True)

"""The event loop that the room and its call processes run on."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable


def loop_factory(*, reads_sockets: bool = False) -> Callable[[], asyncio.AbstractEventLoop] | None:
    """For asyncio.Runner: uvloop's where it is installed (the extra [room], not on Windows), else asyncio's own.

    `reads_sockets`: it must have add_reader, which Windows' own kind has not; that kind alone has child processes.
    """
    try:
        import uvloop
    except ImportError:
        return asyncio.SelectorEventLoop if reads_sockets and os.name == "nt" else None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory

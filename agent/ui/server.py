"""The staff page's server: on this computer's loopback address alone, until nobody needs it any longer.

What it answers is in requests.py, whom it answers in guard.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import sys
import time
import weakref
from typing import TYPE_CHECKING, Any, cast

from agent.ui.events import Events
from agent.ui.guard import HOST, Guard, address
from agent.ui.life import Life, Limits
from agent.ui.preview import Previews
from agent.ui.requests import Requests
from agent.ui.running import Flow, HandIn, Make, Running
from agent.ui.state import as_json

if TYPE_CHECKING:
    from pathlib import Path

    from aiohttp import web

    from agent.options import Options

MOST_CONNECTIONS = 32  # a browser has some seven
BACKLOG = 64  # may come at once, and be too many for a moment
IDLE_S = 20.0  # a connection without a whole request
SHUTDOWN_S = 0.3
TICK_S = 0.5


class Page:
    """`async with Page(options, Flow) as page:` serves it. `folder`: the state folder, None without. Raises OSError."""

    def __init__(
        self, options: Options, make: Make, *, folder: Path | None = None, port: int = 0,
        limits: Limits | None = None, hand_in: HandIn | None = None,
    ) -> None:  # fmt: skip
        self.port = port
        self.options = options
        self.previews = Previews()
        self.events = Events(self.document, self._came, self._went)
        self.flow: Flow = make(options, self.events.changed, self.events.level, self.previews.frame)
        self.running = Running(self.flow, self.events.changed, folder, hand_in)
        self.guard, self.door = Guard(folder), Door()
        self.guard.betrayed = self._betrayed
        self.life = Life(limits or Limits(), time.monotonic())
        self._exit = contextlib.AsyncExitStack()

    # ---- its life

    async def __aenter__(self) -> Page:
        from aiohttp import web

        listening = _listening(self.port)
        self.port = listening.getsockname()[1]
        self.guard.at(self.port)
        app = Requests(self).application()
        runner = web.AppRunner(
            app, access_log=None, logger=_silent(), handle_signals=False, handler_cancellation=True,
            keepalive_timeout=IDLE_S, lingering_time=0.5, shutdown_timeout=SHUTDOWN_S,
        )  # fmt: skip
        await runner.setup()
        self._exit.push_async_callback(runner.cleanup)
        server = cast("web.Server", runner.server)
        loop = asyncio.get_running_loop()
        serving = await loop.create_server(lambda: self.door.next(server), sock=listening, backlog=BACKLOG)
        self._exit.callback(serving.close)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Within 3 s: the run and its children first, then the page is told, then nobody is let in."""
        await self.running.close()
        self.previews.end()
        self.events.end()
        await self.events.ended(SHUTDOWN_S)
        await self._exit.aclose()

    def opening(self) -> str:
        """An address that opens the page, once, within a minute."""
        return address(self.port, self.guard.token())

    async def until(self, stop: asyncio.Event) -> None:
        """Until it is told to stop, or has been left alone for so long. A run whose page has gone is stopped."""
        while not stop.is_set():
            now, on = time.monotonic(), self.running.on
            if on:
                self.life.used(now)
            due = self.life.due(now, running=on)
            if due == "end":
                return
            if due == "stop":
                self.running.stop()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), TICK_S)

    def _came(self) -> None:
        self.life.came(time.monotonic())

    def _went(self) -> None:
        self.life.went(time.monotonic())

    def _betrayed(self) -> None:
        """Whoever listens may be the wrong one."""
        self.running.stop()
        self.previews.end()
        self.events.end()

    def document(self) -> dict[str, Any]:
        """The state, as the page gets it."""
        return as_json(self.flow.state)


def _listening(port: int) -> socket.socket:
    """A socket of this computer's own. On Windows another program could bind the same port beside us otherwise."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if sys.platform == "win32":
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((HOST, port))
    except BaseException:
        listening.close()
        raise
    return listening


def _silent() -> logging.Logger:
    """What a stranger sends is no news, and a traceback is for nobody."""
    silent = logging.getLogger("motesklar.ui")
    silent.addHandler(logging.NullHandler())
    silent.propagate = False
    return silent


class Door:
    """So many connections. With one too many, the oldest goes that was not let in: a stranger's, not the page's."""

    def __init__(self) -> None:
        self._kept: weakref.WeakSet[asyncio.BaseTransport] = weakref.WeakSet()

    def keep(self, request: web.Request) -> None:
        """The connection of one who was let in."""
        if request.transport is not None:
            self._kept.add(request.transport)

    def next(self, server: web.Server) -> asyncio.Protocol:
        """What speaks on the connection that comes now."""
        there = [each.transport for each in server.connections if each.transport and not each.transport.is_closing()]
        too_many = max(0, len(there) + 1 - MOST_CONNECTIONS)
        strangers = [each for each in there if each not in self._kept][:too_many]
        for each in strangers:
            each.abort()
        return server() if len(strangers) == too_many else _Refused()


class _Refused(asyncio.Protocol):
    """One connection too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Gone at once."""
        cast("asyncio.Transport", transport).abort()

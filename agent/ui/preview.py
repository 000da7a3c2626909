"""The camera's pictures, to the page's WebSocket (RFC 6455) and nowhere else: the newest, and then it is forgotten."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from processes.tasks import end

if TYPE_CHECKING:
    from aiohttp import web

MOST = 4
_CLOSE_S = 1.0
_SAID_BYTES = 256  # by the page, which has nothing to say


class _Viewer:
    """One picture at the most waits for it: a slow reader misses some."""

    def __init__(self) -> None:
        self.wake = asyncio.Event()
        self.newest: bytes | None = None
        self.ended = False

    def put(self, jpeg: bytes) -> None:
        self.newest = jpeg
        self.wake.set()

    async def take(self) -> bytes | None:
        """The next picture; None: there are no more."""
        while True:
            await self.wake.wait()
            self.wake.clear()
            if self.ended:
                return None
            if self.newest is not None:
                jpeg, self.newest = self.newest, None
                return jpeg


class Previews:
    """Those who look."""

    def __init__(self) -> None:
        self._viewers: set[_Viewer] = set()

    def frame(self, jpeg: bytes) -> None:
        """One picture, JPEG. Without a viewer it is gone at once."""
        for each in self._viewers:
            each.put(jpeg)

    def end(self) -> None:
        """Let go of everybody."""
        for each in self._viewers:
            each.ended = True
            each.newest = None
            each.wake.set()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Binary messages, a picture each, until one of both goes. The page says nothing: a word ends it."""
        from aiohttp import web

        if len(self._viewers) >= MOST:
            raise web.HTTPTooManyRequests
        socket = web.WebSocketResponse(
            compress=False, max_msg_size=_SAID_BYTES, writer_limit=0, timeout=_CLOSE_S, heartbeat=20.0
        )
        viewer = _Viewer()
        self._viewers.add(viewer)
        try:
            await socket.prepare(request)
            sending, hearing = asyncio.ensure_future(_send(socket, viewer)), asyncio.ensure_future(socket.receive())
            try:
                await asyncio.wait((sending, hearing), return_when=asyncio.FIRST_COMPLETED)
            finally:
                await end(sending, hearing)
            await socket.close()
        finally:
            self._viewers.discard(viewer)
            viewer.newest = None
        return socket


async def _send(socket: web.WebSocketResponse, viewer: _Viewer) -> None:
    while (jpeg := await viewer.take()) is not None:
        await socket.send_bytes(jpeg)

"""What happens, told to each page that listens: server-sent events (HTML, 9.2).

`event: state` has the whole state, at most ten times a second and the last always; `event: level` the microphone's
level; `event: end` says that the program ends. `event: alive` comes where nothing else did for so many seconds: a
program that hangs keeps its connections, and only its silence tells the page so.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aiohttp import web

PACE_S = 0.1
HEARTBEAT_S = 5.0
MOST = 8
_HEADERS = {"Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}


class _Listener:
    """What one page has not been told yet: the newest only, however slowly it reads."""

    def __init__(self) -> None:
        self.wake = asyncio.Event()
        self.wake.set()
        self.state, self.level, self.ended = True, None, False  # type: bool, float | None, bool


class Events:
    """`document`: the state as it is now. `came`, `went`: a page listens, or does not any longer."""

    def __init__(
        self, document: Callable[[], dict[str, Any]], came: Callable[[], None], went: Callable[[], None]
    ) -> None:
        self._document, self._came, self._went = document, came, went
        self._listeners: set[_Listener] = set()
        self._line: str | None = None
        self._empty = asyncio.Event()

    def changed(self) -> None:
        """The state has."""
        self._line = None
        for each in self._listeners:
            each.state = True
            each.wake.set()

    def level(self, value: float) -> None:
        """Of the microphone, 0 to 1."""
        for each in self._listeners:
            each.level = value
            each.wake.set()

    def end(self) -> None:
        """No more will happen."""
        for each in self._listeners:
            each.ended = True
            each.wake.set()

    async def ended(self, seconds: float) -> None:
        """Until every page has been told so, or the time is over."""
        if self._listeners:
            self._empty.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._empty.wait(), seconds)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Tell one page until it goes."""
        from aiohttp import web

        if len(self._listeners) >= MOST:
            raise web.HTTPTooManyRequests
        response, listener = web.StreamResponse(headers=_HEADERS), _Listener()
        self._listeners.add(listener)
        self._came()
        try:
            await response.prepare(request)
            await self._tell(response, listener)
        except ConnectionError:
            pass  # it went
        finally:
            self._listeners.discard(listener)
            if not self._listeners:
                self._empty.set()
            self._went()
        return response

    async def _tell(self, response: web.StreamResponse, listener: _Listener) -> None:
        while True:
            try:
                await asyncio.wait_for(listener.wake.wait(), HEARTBEAT_S)
            except TimeoutError:
                await response.write(f'event: alive\ndata: {{"seconds": {HEARTBEAT_S}}}\n\n'.encode())
                continue
            listener.wake.clear()
            last = listener.ended
            await response.write(self._news(listener, last=last).encode())
            if last:
                return
            await asyncio.sleep(PACE_S)

    def _news(self, listener: _Listener, *, last: bool) -> str:
        told = ""
        if listener.state:
            listener.state = False
            told += self._state()
        if listener.level is not None:
            level, listener.level = listener.level, None
            told += f'event: level\ndata: {{"level": {level:.3f}}}\n\n'
        return f"{told}event: end\ndata: {{}}\n\n" if last else told

    def _state(self) -> str:
        """The same line for every page."""
        if self._line is None:
            self._line = f"event: state\ndata: {json.dumps(self._document(), ensure_ascii=False)}\n\n"
        return self._line

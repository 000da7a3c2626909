"""The layout of speedtest's "mini" server, so that a second opinion can be had where no third party is reachable.

Below /v1/speedtest/{session identifier}: a first page that names the upload's extension, latency.txt,
random{side}x{side}.jpg and upload.php. Who has a live session of the room may use it, once, for one group of
transfers: asking for the first page begins it, silence or the session's end ends it. While it goes on it holds a
turn of the room, so that transfers of several callers are not measured against each other.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from testroom.answers import refusal

if TYPE_CHECKING:
    from aiohttp import web

    from testroom.sessions import Sessions

PREFIX = "/v1/speedtest/{id}"
FIRST_PAGE = 'A speed test of the room.\nupload_extension: "php"\n'  # the library looks for the second line
SIDES = frozenset({350, 500, 750, 1000, 1500, 2000, 2500, 3000, 3500, 4000})  # of the pictures, in pixels
BYTES_PER_PIXEL = 2  # about what the original pictures have
MOST_UPLOAD = 1 << 24  # the library's largest body is 7 MiB
MOST_AT_ONCE = 16  # transfers of one group; the library makes 8
WAIT_S = 8.0  # for the turn
TRANSFER_S, GROUP_S, IDLE_S = 30.0, 60.0, 3.0
LOOK_S = 0.1
_BLOCK = 1 << 18

Turn = Callable[[float, str], AbstractAsyncContextManager[object]]  # seconds to wait (then TimeoutError), identifier


class Room(Protocol):
    """What the test needs of the room."""

    sessions: Sessions


@dataclass(slots=True)
class Group:
    """One session's transfers. `under_way` at this moment; `used`: when the last ended; `live`: it is its turn."""

    begun: float = field(default_factory=time.monotonic)
    used: float = field(default_factory=time.monotonic)
    under_way: int = 0
    live: bool = False
    decided: asyncio.Event = field(default_factory=asyncio.Event)  # the turn came, or will not
    holder: asyncio.Task[None] | None = None  # has the turn

    @property
    def spent(self) -> bool:
        """Nothing has moved for a while, or it has gone on for too long."""
        now = time.monotonic()
        return now - self.begun > GROUP_S or (not self.under_way and now - self.used > IDLE_S)

    @contextlib.contextmanager
    def transfer(self) -> Iterator[None]:
        """One transfer of the group, counted."""
        self.under_way += 1
        try:
            yield
        finally:
            self.under_way -= 1
            self.used = time.monotonic()


class SpeedtestMini:
    """`routes()` for the room's application; `close()` when it ends. `turn` is entered for each group."""

    def __init__(self, room: Room, turn: Turn) -> None:
        self._sessions, self._turn = room.sessions, turn
        self._groups: dict[str, Group] = {}
        self._random = memoryview(os.urandom(_BLOCK))  # does not compress; nobody looks at it

    def routes(self) -> list[web.RouteDef]:
        """What the room serves for it."""
        from aiohttp import web

        return [
            web.get(PREFIX, self._first_page, allow_head=False),
            web.get(PREFIX + "/speedtest/latency.txt", self._latency, allow_head=False),
            web.get(PREFIX + r"/speedtest/random{side:\d{1,5}}x{again:\d{1,5}}.jpg", self._download, allow_head=False),
            web.post(PREFIX + "/speedtest/upload.php", self._upload),
        ]

    async def close(self) -> None:
        """Give every turn back."""
        holders = [group.holder for group in self._groups.values() if group.holder is not None]
        for holder in holders:
            holder.cancel()
        await asyncio.gather(*holders, return_exceptions=True)
        self._groups.clear()

    async def _first_page(self, request: web.Request) -> web.Response:
        """Wait for the turn and begin the group."""
        from aiohttp import web

        identifier = self._identifier(request)
        group = self._groups.get(identifier)
        if group is None:
            group = self._begin(identifier)
        came_late = group.decided.is_set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(group.decided.wait(), WAIT_S + 1)
        if not group.live and not came_late:
            if self._groups.get(identifier) is group:
                del self._groups[identifier]  # it may ask again
            raise refusal(503, "room_busy", retry_after_seconds=10)
        self._live(request)
        return web.Response(text=FIRST_PAGE)

    def _begin(self, identifier: str) -> Group:
        for known in [i for i in self._groups if self._sessions.find(i) is None]:
            del self._groups[known]
        group = self._groups[identifier] = Group()
        group.holder = asyncio.create_task(self._hold(identifier, group))
        return group

    async def _hold(self, identifier: str, group: Group) -> None:
        """Have the turn until the group is over. A turn that does not come in time ends it before it begins."""
        try:
            async with self._turn(WAIT_S, identifier):
                group.begun = group.used = time.monotonic()
                group.live = True
                group.decided.set()
                while not group.spent and self._sessions.find(identifier) is not None:  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            return
        finally:
            group.live = False
            group.decided.set()

    def _identifier(self, request: web.Request) -> str:
        identifier = request.match_info["id"]
        session = self._sessions.find(identifier)
        if session is None or session.guest:
            raise refusal(403, "session_expired")
        return identifier

    def _live(self, request: web.Request) -> Group:
        """The caller's group, in its turn. Raises the HTTP refusal."""
        group = self._groups.get(self._identifier(request))
        if group is None or not group.live:
            raise refusal(403, "session_expired")
        if group.under_way >= MOST_AT_ONCE:
            raise refusal(429, "room_too_many_requests")
        return group

    async def _latency(self, request: web.Request) -> web.Response:
        from aiohttp import web

        with self._live(request).transfer():
            return web.Response(text="test=test\n")

    async def _download(self, request: web.Request) -> web.StreamResponse:
        """A picture's worth of random octets. A client that leaves or a time that is over cuts it short."""
        from aiohttp import web

        group, side = self._live(request), int(request.match_info["side"])
        if side not in SIDES or request.match_info["again"] != request.match_info["side"]:
            raise web.HTTPNotFound
        answer = web.StreamResponse(headers={"Content-Type": "image/jpeg", "Cache-Control": "no-store"})
        answer.content_length = rest = BYTES_PER_PIXEL * side * side
        with group.transfer(), contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(TRANSFER_S):
                await answer.prepare(request)
                while rest > 0:
                    await answer.write(self._random[:rest])
                    rest -= _BLOCK
                    await asyncio.sleep(0)  # writing to a client that has left does not wait: let the loop see it
        if rest > 0:  # what was promised does not come: say so by closing
            _abort(request)
        return answer

    async def _upload(self, request: web.Request) -> web.Response:
        """Count the body and let it go; none of it is kept."""
        from aiohttp import web

        group = self._live(request)
        if (request.content_length or 0) > MOST_UPLOAD:
            raise web.HTTPRequestEntityTooLarge(MOST_UPLOAD, request.content_length or 0)
        counted = 0
        try:
            with group.transfer():
                async with asyncio.timeout(TRANSFER_S):
                    async for chunk in request.content.iter_any():
                        counted += len(chunk)
                        if counted > MOST_UPLOAD:
                            raise web.HTTPRequestEntityTooLarge(MOST_UPLOAD, counted)
        except TimeoutError:
            raise web.HTTPRequestTimeout from None
        except ConnectionError:  # the client's time was over, and nobody is there to read the answer
            _abort(request)
        return web.Response(text=f"size={counted}")


def _abort(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()

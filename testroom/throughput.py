"""The room's ndt7 server: who may transfer, when it is their turn, and what is counted.

The upgrade is checked here, on the HTTP server; then `testroom.transfers` has the connection for itself.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import math
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from probes import ndt7, websocket
from testroom.answers import answer, refusal
from testroom.download import Download
from testroom.sessions import Sessions, StampSession
from testroom.transfers import Transfer, Upload
from testroom.turns import Turns

if TYPE_CHECKING:
    from aiohttp import web

MOST_WAIT_S, DEFAULT_WAIT_S = 60.0, 10.0
MOST_OF_SESSION = 40  # transfers of one session
_MOST_QUERY = 4096  # octets, as the specification says


@dataclass(slots=True)
class Counts:
    """For /metrics, by direction, and refusals by reason."""

    transfers: Counter[str] = field(default_factory=Counter)
    bytes: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)


class Throughput:
    """`open_to_all`: also to ndt7 clients that have no session of this room."""

    def __init__(self, sessions: Sessions, *, open_to_all: bool = False) -> None:
        self._sessions, self._open_to_all = sessions, open_to_all
        self.turns = Turns()
        self.counts = Counts()
        self._current: Transfer | None = None

    def routes(self) -> list[web.RouteDef]:
        """For the HTTP server."""
        from aiohttp import web

        return [
            web.get(ndt7.DOWNLOAD_PATH, self._download, allow_head=False),
            web.get(ndt7.UPLOAD_PATH, self._upload, allow_head=False),
        ]

    def close(self) -> None:
        """Break off what runs, and let nobody in."""
        self.turns.close()
        if self._current is not None:
            self._current.abort()

    @asynccontextmanager
    async def turn(self, seconds: float, identifier: str = "") -> AsyncIterator[None]:
        """The room's only place for transfers, for a test of another kind by that session.

        TimeoutError: it did not come within the seconds.
        """
        if not await self.turns.take(seconds):
            raise TimeoutError
        self._sessions.transfer_began(self._sessions.find(identifier))
        try:
            yield
        finally:
            self._sessions.transfer_ended()
            self.turns.give_back()

    async def _download(self, request: web.Request) -> web.StreamResponse:
        return await self._serve(request, Download)

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        return await self._serve(request, Upload)

    async def _serve(self, request: web.Request, kind: type[Transfer]) -> web.StreamResponse:
        try:
            key = _handshake_key(request)
            wait_s = _wait_s(request)
            owner = self._owner(request)
        except _RefusedError as refused:
            self.counts.refused[refused.reason] += 1
            raise refusal(refused.status, refused.code) from None
        if not await self.turns.take(wait_s):
            self.counts.refused["busy"] += 1
            return answer(503, code="room_busy", retry_after_seconds=self.turns.retry_after_s())
        try:
            return await self._transfer(request, key, kind, owner)
        finally:
            self.turns.give_back()

    def _owner(self, request: web.Request) -> StampSession | None:
        """The session that pays for it; None for strangers, where they are let in."""
        token = request.query.get("access_token", "")
        session = self._sessions.find(token) if token else None
        if session is not None and session.guest:
            raise _RefusedError(403, "room_token_refused", "guest")
        if session is None and not self._open_to_all:
            raise _RefusedError(403 if token else 401, "room_token_refused", "token")
        if session is not None and session.transfers >= MOST_OF_SESSION:
            raise _RefusedError(429, "room_too_many_requests", "session_limit")
        return session

    async def _transfer(
        self, request: web.Request, key: str, kind: type[Transfer], owner: StampSession | None
    ) -> web.StreamResponse:
        from aiohttp import web

        transport = request.transport
        if transport is None or transport.is_closing():  # it went while it waited
            return web.Response()
        transfer = self._current = kind(transport)
        self.counts.transfers[transfer.test] += 1
        self._sessions.transfer_began(owner)
        if owner is not None:
            owner.transfers += 1
        try:
            transport.write(_switching(key))
            transfer.begin()
            await asyncio.shield(transfer.done)
        finally:
            self._sessions.transfer_ended()
            self._current = None
            self.counts.bytes[transfer.test] += transfer.payload_bytes
            if not transfer.done.done():
                transfer.abort()
        return web.Response()  # goes nowhere: the connection is closed


class _RefusedError(Exception):
    def __init__(self, status: int, code: str, reason: str) -> None:
        self.status, self.code, self.reason = status, code, reason


def _handshake_key(request: web.Request) -> str:
    """The client's key, if its request is a WebSocket handshake for ndt7 (RFC 6455, section 4.2.1)."""
    headers = request.headers
    key = headers.get("Sec-WebSocket-Key", "")
    protocols = [p.strip() for line in headers.getall("Sec-WebSocket-Protocol", []) for p in line.split(",")]
    fits = (
        headers.get("Upgrade", "").lower() == "websocket"
        and "upgrade" in [part.strip() for part in headers.get("Connection", "").lower().split(",")]
        and headers.get("Sec-WebSocket-Version") == "13"
        and ndt7.SUBPROTOCOL in protocols
        and len(request.query_string) <= _MOST_QUERY
        and _is_key(key)
    )
    if not fits:
        raise _RefusedError(400, "room_protocol", "protocol")
    return key


def _is_key(key: str) -> bool:
    try:
        return len(base64.b64decode(key, validate=True)) == 16
    except (binascii.Error, ValueError):
        return False


def _wait_s(request: web.Request) -> float:
    """How long the caller would wait for its turn."""
    try:
        seconds = float(request.query.get("wait", DEFAULT_WAIT_S))
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= MOST_WAIT_S:
        raise _RefusedError(400, "room_protocol", "protocol")
    return seconds


def _switching(key: str) -> bytes:
    lines = (
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {websocket.accept_key(key)}",
        f"Sec-WebSocket-Protocol: {ndt7.SUBPROTOCOL}",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")

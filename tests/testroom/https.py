"""A room with its HTTPS server, and a client that trusts it by fingerprint."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from testroom import certificate
from testroom.server import RoomSettings, TestRoom

PAIR = certificate.make()
TOKEN = "habo's secret of 24 octets"


@asynccontextmanager
async def serving(**settings: object) -> AsyncIterator[tuple[TestRoom, aiohttp.ClientSession]]:
    """A running room and a client for it."""
    async with TestRoom(RoomSettings(**({"certificate": PAIR} | settings))) as room, visitor(room) as http:  # type: ignore[arg-type]
        yield room, http


def visitor(room: TestRoom, token: str | None = None) -> aiohttp.ClientSession:
    """A client of the room."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    connector = aiohttp.TCPConnector(ssl=aiohttp.Fingerprint(room.fingerprint))
    return aiohttp.ClientSession(room.url.partition("#")[0], connector=connector, headers=headers)


def wanted(seconds: object = 10, packets_per_second: object = 100) -> dict[str, object]:
    """The body of a request for a session."""
    return {"seconds": seconds, "packets_per_second": packets_per_second}

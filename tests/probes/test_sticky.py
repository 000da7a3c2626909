"""Two rooms behind one name: a session's requests all go to the room that gave it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from probes.room import Room
from probes.sticky import Sticky
from testroom import certificate
from testroom.server import RoomSettings, TestRoom

ADDRESSES = ("127.0.0.1", "127.0.0.2")
REQUESTS = 6


class RoundRobin(AbstractResolver):
    """The name has both addresses; every other answer begins with the other one."""

    def __init__(self) -> None:
        self._turn = itertools.cycle((ADDRESSES, ADDRESSES[::-1]))

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        whole: dict[str, Any] = {"hostname": host, "port": port, "family": socket.AF_INET, "proto": 0, "flags": 0}
        return [ResolveResult(host=address, **whole) for address in next(self._turn)]

    async def close(self) -> None: ...


async def test_a_session_stays_with_its_room() -> None:
    pair = certificate.make()
    async with contextlib.AsyncExitStack() as stack:
        one = await stack.enter_async_context(TestRoom(RoomSettings(host=ADDRESSES[0], certificate=pair)))
        other = RoomSettings(host=ADDRESSES[1], port=one.port, certificate=pair)
        await stack.enter_async_context(TestRoom(other))
        session = await Room("rooms.example", one.port, fingerprint=pair.fingerprint).open(None, 1, 50, RoundRobin())
        assert session.http is not None
        path = f"/v1/sessions/{session.identifier}"
        answers = await asyncio.gather(*(session.http.get(path) for _ in range(REQUESTS)))
        assert {answer.status for answer in answers} == {200}
        assert await session.close() is not None


async def test_before_anything_answered_the_one_within_is_asked() -> None:
    resolver = Sticky(RoundRobin())
    assert [(await resolver.resolve("rooms.example"))[0]["host"] for _ in range(2)] == list(ADDRESSES)
    resolver.kept = "::1"
    (only,) = await resolver.resolve("rooms.example", 7)
    assert (only["host"], only["family"], only["port"]) == ("::1", socket.AF_INET6, 7)

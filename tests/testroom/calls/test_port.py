"""A call's UDP port: it answers who knows the password, and says nothing to anybody else."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aioice import stun
from hypothesis import given, settings
from hypothesis import strategies as st

from testroom.calls.port import CallPort, bound


class Room:
    def __init__(self) -> None:
        self.media: list[bytes] = []
        self.sock = bound(("127.0.0.1",), None)
        self.port = CallPort(self.sock, "far", self.media.append)
        self.far = self.socket()

    def socket(self) -> socket.socket:
        far = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        far.connect(("127.0.0.1", self.port.port))
        far.setblocking(False)
        return far

    def check(self, password: str = "", name: str = "", *, nominate: bool = False) -> bytes:
        request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        request.attributes = {"USERNAME": name or f"{self.port.ufrag}:far", "PRIORITY": 1, "ICE-CONTROLLING": 1}
        if nominate:
            request.attributes["USE-CANDIDATE"] = None
        request.add_message_integrity((password or self.port.password).encode())
        return bytes(request)

    async def said(self, far: socket.socket | None = None) -> bytes:
        """What comes within a moment; empty: nothing."""
        try:
            async with asyncio.timeout(0.1):
                return await asyncio.get_running_loop().sock_recv(far or self.far, 2048)
        except TimeoutError:
            return b""


@asynccontextmanager
async def opened() -> AsyncIterator[Room]:
    room = Room()
    try:
        yield room
    finally:
        room.port.close()
        room.far.close()


async def test_a_check_is_answered_with_where_it_came_from() -> None:
    async with opened() as room:
        room.far.send(room.check())
        answer = stun.parse_message(await room.said())
        assert answer.message_class == stun.Class.RESPONSE
        assert answer.attributes["XOR-MAPPED-ADDRESS"] == room.far.getsockname()
        assert answer.check_message_integrity(room.port.password.encode())


@pytest.mark.parametrize("wrong", ["password", "name", "indication", "bytes", "nothing"])
async def test_to_everybody_else_it_is_silent(wrong: str) -> None:
    async with opened() as room:
        datagram = {
            "password": room.check(password="x" * 32),
            "name": room.check(name="someone:else"),
            "indication": bytes(stun.Message(stun.Method.BINDING, stun.Class.INDICATION)),
            "bytes": b"\0\1" + b"x" * 40,
            "nothing": b"",
        }[wrong]
        room.far.send(datagram)
        room.far.send(b"\x80" + b"media of a stranger")
        room.far.send(b"\x16" + b"handshake of a stranger")
        assert await room.said() == b""
        assert room.media == []
        assert not room.port.send(b"to nobody")
        room.far.send(room.check())
        assert await room.said() != b"", "and it has not come to harm"


async def test_datagrams_are_told_apart() -> None:
    async with opened() as room:
        room.far.send(room.check())
        await room.said()
        room.far.send(b"\x80media")
        room.far.send(b"\x16handshake")
        room.far.send(b"\x40of no known kind")
        assert await room.port._recv() == b"\x16handshake"
        assert room.media == [b"\x80media"]
        assert room.port.send(b"back")
        assert await room.said() == b"back"


async def test_it_talks_to_the_address_that_is_nominated() -> None:
    async with opened() as room:
        with room.socket() as other:
            room.far.send(room.check())
            assert await room.said()
            other.send(room.check(nominate=True))
            assert await room.said(other)
            room.port.send(b"media")
            assert (await room.said(other), await room.said()) == (b"media", b"")


async def test_closing_ends_the_wait() -> None:
    async with opened() as room:
        waiting = asyncio.create_task(room.port._recv())
        await asyncio.sleep(0)
        room.port.close()
        room.port.close()
        with pytest.raises(ConnectionError):
            await waiting


def test_ports_are_taken_from_the_range_and_no_other() -> None:
    socks = [bound(("127.0.0.1",), (47401, 47403)) for _ in range(3)]
    try:
        assert {sock.getsockname()[1] for sock in socks} == {47401, 47402, 47403}
        with pytest.raises(OSError, match="in use"):
            bound(("127.0.0.1",), (47401, 47403))
    finally:
        for sock in socks:
            sock.close()


def test_an_address_that_is_not_ours_falls_back_to_the_next() -> None:
    with bound(("192.0.2.1", "127.0.0.1"), None) as sock:
        assert sock.getsockname()[0] == "127.0.0.1"


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=120), st.integers(0, 3))
def test_garbage_is_not_answered_and_does_no_harm(garbage: bytes, first: int) -> None:
    async def send() -> None:
        room = Room()
        try:
            room.port._check(bytes([first]) + garbage, ("127.0.0.1", 9))
            cut = len(garbage) % 80
            room.port._check(room.check()[:cut] + garbage, ("127.0.0.1", 9))
            assert not room.port.send(b"x")
        finally:
            room.port.close()
            room.far.close()

    asyncio.run(send())

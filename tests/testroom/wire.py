"""An ndt7 client that can also misbehave: asyncio streams and the framing, and nothing that keeps to any rule."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from probes import ndt7, websocket
from testroom.server import TestRoom

Way = Literal["download", "upload"]
PATHS: dict[str, str] = {"download": ndt7.DOWNLOAD_PATH, "upload": ndt7.UPLOAD_PATH}
MESSAGE = os.urandom(1 << 16)


@dataclass
class Wire:
    """One connection after its upgrade. What has come is in `texts`, `closed_with` and `reader`."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    frames: websocket.FrameReader = field(default_factory=lambda: websocket.FrameReader(masked=False))
    texts: list[dict[str, Any]] = field(default_factory=list)
    pongs: list[bytes] = field(default_factory=list)
    closed_with: int | None = None
    ended: bool = False

    def take(self, octets: bytes) -> None:
        for message in self.frames.feed(octets):
            if message.opcode == websocket.TEXT:
                self.texts.append(json.loads(message.text))
            elif message.opcode == websocket.PONG:
                self.pongs.append(message.payload)
            elif message.opcode == websocket.CLOSE:
                self.closed_with = int.from_bytes(message.payload[:2], "big")

    async def read(self, seconds: float) -> None:
        """What comes in that time, or until the other end has closed."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self.ended:
                    octets = await self._some()
                    self.ended = not octets
                    self.take(octets)

    async def _some(self) -> bytes:
        try:
            return await self.reader.read(1 << 18)
        except (ConnectionError, ssl.SSLError):
            return b""

    async def send(self, opcode: int, payload: bytes = b"", *, mask: bool = True) -> None:
        self.writer.write(websocket.frame(opcode, payload, websocket.new_mask() if mask else None))
        await self.writer.drain()

    async def send_for(self, seconds: float) -> int:
        """Binary messages; the payload sent. Ends early when the connection does."""
        end, sent = time.monotonic() + seconds, 0
        with contextlib.suppress(ConnectionError):
            while time.monotonic() < end:
                self.writer.write(websocket.frame_header(websocket.BINARY, len(MESSAGE), websocket.new_mask()))
                self.writer.write(MESSAGE)
                await self.writer.drain()
                sent += len(MESSAGE)
        return sent

    async def close(self, seconds: float = 3.0) -> None:
        """The client's part of the closing handshake, and what still comes."""
        with contextlib.suppress(ConnectionError):
            self.writer.write(websocket.close_frame(mask=websocket.new_mask()))
        await self.read(seconds)

    def reset(self) -> None:
        """As a computer that loses its power: no closing of any kind."""
        self.writer.transport.abort()


def request(way: str, query: str = "", key: str = "dGhlIHNhbXBsZSBub25jZQ==") -> bytes:
    return websocket.upgrade_request("room", PATHS[way] + query, key, ndt7.SUBPROTOCOL)


async def raw(room: TestRoom, *, plain: bool = False) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to the room."""
    context = None if plain else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if context is not None:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    port = room.plain_port if plain else room.port
    return await asyncio.open_connection("127.0.0.1", port, ssl=context, limit=1 << 18)


async def ask(room: TestRoom, octets: bytes, *, plain: bool = False) -> tuple[int, Wire]:
    """Send a request; the answer's status, and the connection."""
    reader, writer = await raw(room, plain=plain)
    writer.write(octets)
    head = b""
    while (parts := websocket.split_head(head)) is None:
        some = await asyncio.wait_for(reader.read(4096), 20)
        assert some, "closed without an answer"
        head += some
    wire = Wire(reader, writer)
    status = int(parts[0].split(b" ")[1])
    if status == 101:
        wire.take(parts[1])
    return status, wire


@asynccontextmanager
async def transfer(room: TestRoom, way: str, query: str = "", *, plain: bool = False) -> AsyncIterator[Wire]:
    """A transfer that has begun."""
    status, wire = await ask(room, request(way, query), plain=plain)
    assert status == 101
    try:
        yield wire
    finally:
        wire.reset()
        await asyncio.sleep(0)


async def free(room: TestRoom, within: float = 3.0) -> None:
    """The turn has been given back."""
    end = time.monotonic() + within
    while room.throughput.turns.running:
        assert time.monotonic() < end, "the turn was not given back"
        await asyncio.sleep(0.01)

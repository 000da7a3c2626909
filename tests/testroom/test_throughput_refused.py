"""Who gets no transfer, and clients that misbehave in one: each is dropped in time, and the turn is free."""

import asyncio
import contextlib
import gc
import logging
import socket
import struct
import time
from collections.abc import Awaitable, Callable

import pytest
from aiohttp.web_protocol import RequestHandler

from probes import websocket
from testroom.throughput import MOST_OF_SESSION
from tests.testroom.https import serving, visitor, wanted
from tests.testroom.leftovers import leaves_nothing, seconds_to_stop
from tests.testroom.wire import Wire, ask, free, raw, request, transfer

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="

REFUSED: list[tuple[str, Callable[[bytes], bytes], int]] = [
    ("no token", lambda r: r, 401),
    ("an unknown token", lambda r: r.replace(b" HTTP", b"?access_token=x HTTP"), 403),
    ("an empty token", lambda r: r.replace(b" HTTP", b"?access_token= HTTP"), 401),
    ("no upgrade", lambda r: r.replace(b"Upgrade: websocket", b"X: y"), 400),
    ("no connection upgrade", lambda r: r.replace(b"Connection: Upgrade", b"Connection: close"), 400),
    ("another upgrade", lambda r: r.replace(b"Upgrade: websocket", b"Upgrade: h2c"), 400),
    ("another subprotocol", lambda r: r.replace(b"ndt.v7", b"ndt.v8"), 400),
    ("no subprotocol", lambda r: r.replace(b"Sec-WebSocket-Protocol", b"X"), 400),
    ("another version", lambda r: r.replace(b"Version: 13", b"Version: 8"), 400),
    ("no key", lambda r: r.replace(b"Sec-WebSocket-Key", b"X"), 400),
    ("a short key", lambda r: r.replace(KEY, b"dGhl"), 400),
    ("a key of garbage", lambda r: r.replace(KEY, b"\xff" * 24), 400),
    ("a wait of words", lambda r: r.replace(b" HTTP", b"?wait=long HTTP"), 400),
    ("a wait of NaN", lambda r: r.replace(b" HTTP", b"?wait=nan HTTP"), 400),
    ("a wait below zero", lambda r: r.replace(b" HTTP", b"?wait=-1 HTTP"), 400),
    ("a wait for hours", lambda r: r.replace(b" HTTP", b"?wait=9999 HTTP"), 400),
    ("a long query", lambda r: r.replace(b" HTTP", b"?x=" + b"y" * 5000 + b" HTTP"), 400),
    ("another test", lambda r: r.replace(b"load HTTP", b"load2 HTTP"), 404),
    ("a POST", lambda r: r.replace(b"GET", b"POST"), 405),
    ("a HEAD", lambda r: r.replace(b"GET", b"HEAD"), 405),
]


@pytest.mark.parametrize("way", ["download", "upload"])
async def test_refusals(way: str, caplog: pytest.LogCaptureFixture) -> None:
    async with serving() as (room, _):
        for name, change, status in REFUSED:
            got, wire = await ask(room, change(request(way)))
            wire.reset()
            assert got == status, name
        assert sum(room.throughput.counts.transfers.values()) == 0
        assert room.throughput.counts.refused.keys() == {"token", "protocol"}
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING]


async def test_a_room_without_throughput() -> None:
    async with serving(throughput=False) as (room, http):
        async with http.post("/v1/sessions", json=wanted()) as answer:
            granted = await answer.json()
        status, wire = await ask(room, request("download", f"?access_token={granted['id']}"))
        wire.reset()
        assert status == 404


async def test_an_ended_session_opens_nothing_and_a_live_one_not_for_ever() -> None:
    async with serving() as (room, http):
        async with http.post("/v1/sessions", json=wanted()) as answer:
            granted = await answer.json()
        query = f"?access_token={granted['id']}"
        for number in range(MOST_OF_SESSION + 1):
            status, wire = await ask(room, request("upload", query))
            wire.reset()
            assert status == (101 if number < MOST_OF_SESSION else 429)
        async with http.delete(f"/v1/sessions/{granted['id']}"):
            pass
        status, wire = await ask(room, request("upload", query))
        wire.reset()
        assert status == 403


async def silent(_: Wire) -> None:
    """Nothing at all."""


async def never_reads(wire: Wire) -> None:
    wire.writer.transport.pause_reading()  # type: ignore[attr-defined]


async def slowly(wire: Wire) -> None:
    """The head of a frame, and then no payload."""
    wire.writer.write(websocket.frame_header(websocket.BINARY, 1 << 20, b"mask"))


async def garbage(wire: Wire) -> None:
    wire.writer.write(b"\xff" * 1000)


async def unmasked(wire: Wire) -> None:
    await wire.send(websocket.TEXT, b"{}", mask=False)


async def over_long(wire: Wire) -> None:
    wire.writer.write(websocket.frame_header(websocket.BINARY, 1 << 40, b"mask"))


async def over_long_text(wire: Wire) -> None:
    wire.writer.write(websocket.frame_header(websocket.TEXT, 1 << 20, b"mask"))


async def not_utf8(wire: Wire) -> None:
    await wire.send(websocket.TEXT, b"\xff")


async def binary(wire: Wire) -> None:
    await wire.send(websocket.BINARY, b"x" * 100)


async def resets(wire: Wire) -> None:
    sock = wire.writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    wire.reset()


async def closes_in_the_middle(wire: Wire) -> None:
    wire.writer.write(websocket.frame_header(websocket.BINARY, 1 << 20, b"mask") + b"x" * 1000)
    wire.writer.close()


async def half_closes(wire: Wire) -> None:
    if wire.writer.can_write_eof():
        wire.writer.write_eof()
    else:
        wire.writer.close()


async def floods_with_pings_and_never_reads(wire: Wire) -> None:
    wire.writer.transport.pause_reading()  # type: ignore[attr-defined]
    with contextlib.suppress(ConnectionError):
        for _ in range(2000):
            await asyncio.wait_for(wire.send(websocket.PING, b"x" * 125), 1)


BAD: list[tuple[str, Callable[[Wire], Awaitable[None]], int | None]] = [
    *((way, act, None) for way in ("download", "upload") for act in (resets, closes_in_the_middle, half_closes)),
    *((way, act, 1002) for way in ("download", "upload") for act in (garbage, unmasked)),
    *((way, act, 1009) for way in ("download", "upload") for act in (over_long, over_long_text)),
    *((way, not_utf8, 1007) for way in ("download", "upload")),
    ("download", binary, 1002),
    ("download", never_reads, None),
    ("download", floods_with_pings_and_never_reads, None),
    ("upload", silent, None),
    ("upload", slowly, None),
    ("upload", floods_with_pings_and_never_reads, None),
]


@pytest.mark.parametrize("plain", [False, True], ids=["tls", "plain"])
@pytest.mark.parametrize(("way", "act", "code"), BAD, ids=[f"{way} {act.__name__}" for way, act, _ in BAD])
async def test_bad_clients(
    way: str,
    act: Callable[[Wire], Awaitable[None]],
    code: int | None,
    plain: bool,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("testroom.transfers.IDLE_S", 0.4)
    async with serving(open_ndt7=True, plain_ndt7_port=0) as (room, _):
        async with transfer(room, way, plain=plain) as wire:
            await act(wire)
            if code is not None:
                await wire.read(3)
                assert wire.closed_with in (code, None)  # it may be lost when the room closes with octets unread
                assert wire.ended
            await free(room)
        async with transfer(room, "download") as wire:
            await wire.read(0.3)
            assert wire.frames.binary_bytes > 0
        await free(room)
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING]


async def test_who_goes_while_waiting_takes_no_time() -> None:
    async with serving(open_ndt7=True) as (room, _):
        async with transfer(room, "download"):
            _, writer = await raw(room)
            writer.write(request("upload", "?wait=30"))
            while not room.throughput.turns.waiting:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            writer.transport.abort()
            await asyncio.sleep(0.1)
        async with transfer(room, "upload") as wire:
            await wire.close()
            assert wire.closed_with == 1000
        assert room.throughput.counts.transfers == {"download": 1, "upload": 1}


async def test_the_http_server_forgets_a_connection_that_was_taken_over() -> None:
    def kept() -> int:
        gc.collect()
        return sum(isinstance(each, RequestHandler) for each in gc.get_objects())

    async with serving(open_ndt7=True) as (room, _):
        before = kept()
        for way in ("download", "upload"):
            async with transfer(room, way) as wire:
                await wire.close()
            await free(room)
        await asyncio.sleep(0.05)
        assert kept() == before


async def test_a_request_that_never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("testroom.server._IDLE_S", 0.5)
    async with serving(open_ndt7=True) as (room, _):
        reader, writer = await raw(room)
        began = time.monotonic()
        for octet in request("download")[:30]:
            writer.write(bytes((octet,)))
            await asyncio.sleep(0.01)
        assert await asyncio.wait_for(reader.read(100), 5) == b""
        assert time.monotonic() - began < 3
        writer.close()


def test_stopping_in_the_middle_leaves_nothing() -> None:
    async def visit() -> float:
        async with contextlib.AsyncExitStack() as stack:
            room, _ = await stack.enter_async_context(serving(open_ndt7=True))
            wire = await stack.enter_async_context(transfer(room, "download"))
            waiting = asyncio.create_task(ask(room, request("upload", "?wait=30")))
            await wire.read(0.2)
            assert room.throughput.turns.waiting == 1
            http = await stack.enter_async_context(visitor(room))
            async with http.get("/") as answer:
                assert answer.status == 200
            took = await seconds_to_stop(room)
            status, other = await waiting
            other.reset()
            assert status == 503
            await wire.read(1)
            assert wire.ended
            return took

    leaves_nothing(visit)

"""Speedtest's mini layout in the room: right sizes, counted bodies, nobody without a session, one group at a time."""

from __future__ import annotations

import asyncio
import io
import re
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest

from testroom import speedtest
from testroom.server import TestRoom
from tests.testroom.https import serving, wanted

FILES = ("speedtest/latency.txt", "speedtest/random350x350.jpg")


@pytest.fixture
async def served() -> AsyncIterator[tuple[TestRoom, aiohttp.ClientSession]]:
    async with serving() as (room, http):
        yield room, http


async def session(http: aiohttp.ClientSession, *, begin: bool = True) -> str:
    """The path of a new session's speed test, begun unless said otherwise."""
    async with http.post("/v1/sessions", json=wanted()) as answer:
        path = f"/v1/speedtest/{(await answer.json())['id']}"
    if begin:
        async with http.get(path) as answer:
            assert answer.status == 200
    return path


async def status(http: aiohttp.ClientSession, path: str, **more: object) -> int:
    async with http.request("POST" if more else "GET", path, **more) as answer:  # type: ignore[arg-type]
        return answer.status


async def test_the_first_page_names_the_upload_and_latency_is_what_the_package_expects(served) -> None:
    _, http = served
    path = await session(http)
    async with http.get(path) as answer:
        assert re.findall('upload_?[Ee]xtension: "([^"]+)"', await answer.text()) == ["php"]
    async with http.get(f"{path}/speedtest/latency.txt") as answer:
        assert (await answer.read())[:9] == b"test=test"


@pytest.mark.parametrize("side", sorted(speedtest.SIDES))
async def test_a_picture_has_two_octets_for_each_pixel_and_does_not_compress(served, side: int) -> None:
    _, http = served
    path = await session(http)
    async with http.get(f"{path}/speedtest/random{side}x{side}.jpg?x=1.2") as answer:
        first = await answer.content.readexactly(1000)
        octets = 1000 + sum([len(chunk) async for chunk in answer.content.iter_any()])
        assert octets == answer.content_length == 2 * side * side
    assert len(set(first)) > 200


@pytest.mark.parametrize("octets", [0, 11, 524288, 7340032])
async def test_an_upload_is_counted(served, octets: int) -> None:
    _, http = served
    path = await session(http)
    async with http.post(f"{path}/speedtest/upload.php", data=io.BytesIO(bytes(octets))) as answer:
        assert (answer.status, await answer.text()) == (200, f"size={octets}")


async def test_an_upload_without_a_length_is_counted_and_limited(served, monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(blocks: int) -> AsyncIterator[bytes]:
        for _ in range(blocks):
            yield bytes(10_000)

    monkeypatch.setattr(speedtest, "MOST_UPLOAD", 100_000)
    _, http = served
    path = f"{await session(http)}/speedtest/upload.php"
    assert await status(http, path, data=body(10)) == 200
    assert await status(http, path, data=bytes(100_001)) == 413
    assert await status(http, path, data=body(11)) == 413


@pytest.mark.parametrize("file", ["", *(f"/{file}" for file in FILES)])
async def test_a_stranger_gets_nothing(served, file: str) -> None:
    _, http = served
    assert await status(http, f"/v1/speedtest/nobody{file}") == 403
    assert await status(http, "/v1/speedtest/nobody/speedtest/upload.php", data=b"x") == 403


@pytest.mark.parametrize("name", ["random351x351", "random350x500", "random0x0", "random350x", "random99999x99999"])
async def test_other_pictures_are_not_there(served, name: str) -> None:
    _, http = served
    assert await status(http, f"{await session(http)}/speedtest/{name}.jpg") == 404


async def test_who_did_not_ask_for_the_first_page_has_no_turn(served) -> None:
    _, http = served
    path = await session(http, begin=False)
    assert [await status(http, f"{path}/{file}") for file in FILES] == [403, 403]


async def test_the_end_of_the_session_is_the_end_of_the_test(served) -> None:
    _, http = served
    path = await session(http)
    async with http.delete(path.replace("speedtest", "sessions")) as answer:
        assert answer.status == 200
    assert [await status(http, f"{path}/{file}") for file in FILES] == [403, 403]


async def test_silence_ends_the_group_for_good(served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speedtest, "IDLE_S", 0.2)
    room, http = served
    path = await session(http)
    await asyncio.sleep(0.5)
    assert await status(http, f"{path}/{FILES[0]}") == 403
    assert await status(http, path) == 403
    assert not room.throughput.turns.running


async def test_one_group_at_a_time(served) -> None:
    _, http = served
    first = await session(http)
    second = await session(http, begin=False)
    waiting = asyncio.create_task(status(http, second))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    assert await status(http, f"{first}/{FILES[0]}") == 200
    async with http.delete(first.replace("speedtest", "sessions")):
        pass
    assert await asyncio.wait_for(waiting, 1) == 200
    assert await status(http, f"{second}/{FILES[0]}") == 200


async def test_a_turn_that_does_not_come_is_a_busy_room_and_may_be_asked_for_again(
    served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speedtest, "WAIT_S", 0.2)
    room, http = served
    path = await session(http, begin=False)
    async with room.throughput.turn(0, "another"), http.get(path) as answer:
        assert (answer.status, await answer.json()) == (503, {"code": "room_busy", "retry_after_seconds": 10})
    assert await status(http, path) == 200


async def test_a_client_that_sends_nothing_does_not_stay(served, monkeypatch: pytest.MonkeyPatch) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"slow"
        await asyncio.sleep(5)

    monkeypatch.setattr(speedtest, "TRANSFER_S", 0.3)
    _, http = served
    path = await session(http)
    begun = time.monotonic()
    assert await status(http, f"{path}/speedtest/upload.php", data=body()) == 408
    assert time.monotonic() - begun < 2


async def test_a_client_that_reads_nothing_is_cut_off(served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speedtest, "TRANSFER_S", 0.3)
    room, http = served
    path = await session(http)
    async with http.get(f"{path}/speedtest/random4000x4000.jpg") as answer:
        await asyncio.sleep(0.6)
        with pytest.raises(aiohttp.ClientError):
            await answer.read()
    assert room.throughput.turns.running  # the group goes on; its transfer is over


async def test_a_client_that_leaves_is_noticed(served, caplog: pytest.LogCaptureFixture) -> None:
    room, http = served
    path = await session(http)
    for _ in range(3):
        async with http.get(f"{path}/speedtest/random4000x4000.jpg") as answer:
            await answer.content.readexactly(1000)
            assert answer.connection is not None
            assert answer.connection.transport is not None
            answer.connection.transport.abort()
    await asyncio.sleep(0.2)
    assert [group.under_way for group in room._speedtest._groups.values()] == [0]
    assert caplog.records == []


async def test_only_so_many_transfers_at_once(served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speedtest, "MOST_AT_ONCE", 1)
    _, http = served
    path = await session(http)
    async with http.get(f"{path}/speedtest/random4000x4000.jpg"):
        assert await status(http, f"{path}/{FILES[0]}") == 429

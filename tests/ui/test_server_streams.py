"""What the page is told: the events and the preview, to whom, how often, and until when."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import time

import aiohttp
import psutil
import pytest

from agent.ui import events, preview, server
from agent.ui.server import Page
from agent.ui.state import as_json
from tests.ui.serving import SAME, Visitor, get, key, say, serving, status, told, until

JPEG = b"\xff\xd8 a picture \xff\xd9"


async def test_the_page_is_told_of_each_change_and_of_the_end(visitor: Visitor, page: Page):
    async with visitor.events() as coming:
        assert await anext(coming) == ("state", json.loads(json.dumps(as_json(page.flow.state))))
        begun = time.monotonic()
        for _ in range(100):
            told(page).touch()
            page.events.level(0.25)
            await asyncio.sleep(0.002)
        seen = list[int]()
        level = None
        while not seen or seen[-1] < 100:
            name, data = await anext(coming)
            if name == "state":
                seen.append(data["revision"])
            else:
                level = data
        assert level == {"level": 0.25}
        assert 2 <= len(seen) <= 2 + (time.monotonic() - begun) / events.PACE_S
        page.events.end()
        while (name := (await anext(coming))[0]) == "level":
            pass
        assert name == "end"
    await until(lambda: page.life.pages == 0)


async def test_it_shows_that_it_is_alive(visitor: Visitor, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(events, "HEARTBEAT_S", 0.05)
    async with visitor.events() as coming:
        assert (await anext(coming))[0] == "state"
        assert [await anext(coming) for _ in range(2)] == [("alive", {"seconds": 0.05})] * 2


async def test_a_page_that_goes_is_noticed_at_once(visitor: Visitor, page: Page):
    async with visitor.events() as coming:
        await anext(coming)
        assert page.life.pages == 1
    await until(lambda: page.life.pages == 0, 0.5)


async def test_a_page_that_does_not_read_holds_nobody_up(visitor: Visitor, page: Page):
    _, writer = await asyncio.open_connection("127.0.0.1", page.port, limit=1)
    writer.write(get("/v1/events", await key(page)).replace(b"PORT", str(page.port).encode()))
    await until(lambda: page.life.pages == 1)
    page.flow.state.title = "x" * 200_000
    for _ in range(100):
        told(page).touch()
        await asyncio.sleep(0.01)
    async with visitor.events() as coming:
        assert (await anext(coming))[1]["revision"] == 100
    writer.close()
    await until(lambda: page.life.pages == 0)


async def test_the_preview_is_the_newest_picture_and_nothing_is_kept(visitor: Visitor, page: Page):
    page.previews.frame(b"before anybody looked")
    async with visitor.session.ws_connect(f"{visitor.url}/v1/preview", headers=visitor.headers) as socket:
        for number in range(3):
            page.previews.frame(JPEG + bytes([number]))
        message = await socket.receive(2)
        assert (message.type, message.data) == (aiohttp.WSMsgType.BINARY, JPEG + b"\x02")
        assert all(viewer.newest is None for viewer in page.previews._viewers)
        await socket.send_str("a word")
        assert (await socket.receive(2)).type == aiohttp.WSMsgType.CLOSE
    await until(lambda: not page.previews._viewers)


async def test_many_listeners_and_connections_are_too_many(
    visitor: Visitor, page: Page, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(events, "MOST", 1)
    monkeypatch.setattr(preview, "MOST", 0)
    async with visitor.events() as coming:
        await anext(coming)
        assert (await visitor.get("/v1/events"))[0] == 429
        with pytest.raises(aiohttp.WSServerHandshakeError, match="429"):
            await visitor.session.ws_connect(f"{visitor.url}/v1/preview", headers=visitor.headers)
        monkeypatch.setattr(server, "MOST_CONNECTIONS", 2)
        assert await say(page, get("/")) == ""
    await until(lambda: page.life.pages == 0)
    monkeypatch.undo()
    assert status(await say(page, get("/"))) == 401


async def test_a_thousand_silent_connections_keep_nobody_out(visitor: Visitor, page: Page):
    async with visitor.events() as coming:
        await anext(coming)
        loop, silent = asyncio.get_running_loop(), [socket.socket() for _ in range(1000)]
        for each in silent:
            each.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                await loop.sock_connect(each, ("127.0.0.1", page.port))
        for _ in range(3):  # by new connections too, and who is in stays in
            assert status(await say(page, get("/v1/state", await key(page), *SAME))) == 200
            assert (await visitor.get("/v1/state"))[0] == 200
            told(page).touch()
            assert (await anext(coming))[0] == "state"
        ours = [each for each in psutil.Process().net_connections("tcp4") if each.laddr.port == page.port]
        assert len([each for each in ours if each.status == psutil.CONN_ESTABLISHED]) <= server.MOST_CONNECTIONS
        for each in silent:
            each.close()


async def test_a_connection_that_says_nothing_is_let_go(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(server, "IDLE_S", 0.1)
    async with serving() as page:
        for octets in (b"", b"GET / HT"):
            reader, writer = await asyncio.open_connection("127.0.0.1", page.port)
            writer.write(octets)
            async with asyncio.timeout(3):
                assert await reader.read() == b""
            writer.close()


async def test_with_a_token_in_two_hands_nobody_sees_more(visitor: Visitor, page: Page):
    assert (await visitor.post("start", {"company": "alone"}))[0] == 204
    token = page.guard.token()
    async with (
        visitor.events() as coming,
        visitor.session.ws_connect(f"{visitor.url}/v1/preview", headers=visitor.headers) as socket,
    ):
        await anext(coming)
        assert status(await say(page, get(f"/open/{token}"))) == 303
        assert status(await say(page, get(f"/open/{token}"))) == 401
        assert (await socket.receive(2)).type == aiohttp.WSMsgType.CLOSE
        async with asyncio.timeout(2):
            assert "end" in [name async for name, _ in coming]
    await until(lambda: not page.running.on)
    assert (await visitor.get("/v1/state"))[0] == 401

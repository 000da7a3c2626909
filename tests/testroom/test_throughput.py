"""ndt7 transfers that go well: what moves, what is said about it, whose turn it is."""

import asyncio
import itertools
import json
import sys
import time
from collections.abc import Callable

import pytest
from aiohttp import WSMsgType

from probes import ndt7
from tests.testroom.client import Client
from tests.testroom.https import serving, wanted
from tests.testroom.wire import ask, free, request, transfer

LINUX = sys.platform == "linux"


def loops() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    kinds: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.new_event_loop}
    try:
        import uvloop
    except ImportError:
        return kinds
    return kinds | {"uvloop": uvloop.new_event_loop}


def test_the_rooms_own_loop_is_among_those_tested() -> None:
    assert "uvloop" in loops()


@pytest.mark.parametrize("loop", loops())
@pytest.mark.parametrize("plain", [False, True], ids=["tls", "plain"])
@pytest.mark.parametrize("way", ["download", "upload"])
def test_a_transfer(way: str, plain: bool, loop: str) -> None:
    async def scenario() -> None:
        async with serving(open_ndt7=True, plain_ndt7_port=0) as (room, _):
            async with transfer(room, way, plain=plain) as wire:
                if way == "download":
                    await wire.read(0.9)
                else:
                    sent, _ = await asyncio.gather(wire.send_for(0.9), wire.read(0.9))
                await wire.close()
                measurements = wire.texts
                assert (wire.closed_with, wire.ended) == (1000, True)
            last = measurements[-1]
            moved = wire.frames.binary_bytes if way == "download" else sent
            assert moved > 10_000_000
            assert last["AppInfo"]["NumBytes"] == pytest.approx(moved, rel=0.2 if way == "download" else 0)
            assert 3 <= len(measurements) <= 5  # every 250 ms, and at the end
            assert room.throughput.counts.transfers == {way: 1}
            await free(room)
        check(measurements, way)

    with asyncio.Runner(loop_factory=loops()[loop]) as runner:
        runner.run(scenario())


def check(measurements: list[dict[str, dict[str, int]]], way: str) -> None:
    assert [m.get("ConnectionInfo") is not None for m in measurements] == [True] + [False] * (len(measurements) - 1)
    for earlier, later in itertools.pairwise(measurements):
        assert earlier["AppInfo"]["ElapsedTime"] < later["AppInfo"]["ElapsedTime"]
        assert earlier["AppInfo"]["NumBytes"] <= later["AppInfo"]["NumBytes"]
    for m in measurements:
        assert (m["Origin"], m["Test"]) == ("server", way)
        if LINUX:
            kernel = m["TCPInfo"]["BytesAcked" if way == "download" else "BytesReceived"]
            assert kernel == pytest.approx(m["AppInfo"]["NumBytes"], rel=0.1, abs=8_000_000)
            assert m["CongestionControl"]


async def test_the_server_ends_a_download_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ndt7, "LONGEST_S", 0.6)
    async with serving(open_ndt7=True) as (room, _), transfer(room, "download") as wire:
        began = time.monotonic()
        while wire.closed_with is None and not wire.ended:
            await wire.read(0.05)
        assert wire.closed_with == 1000
        assert 0.55 < time.monotonic() - began < 1.5
        assert wire.texts[-1]["AppInfo"]["ElapsedTime"] >= 600_000
        await wire.close()
        assert wire.ended


async def test_an_upload_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("testroom.transfers.UPLOAD_S", 0.5)
    monkeypatch.setattr("testroom.transfers.CLOSING_S", 0.5)
    async with serving(open_ndt7=True) as (room, _), transfer(room, "upload") as wire:
        began = time.monotonic()
        await asyncio.gather(wire.send_for(5), wire.read(5))
        assert 0.9 < time.monotonic() - began < 3
        assert wire.closed_with == 1000
        assert wire.texts[-1]["AppInfo"]["NumBytes"] > 0


async def test_a_client_that_we_did_not_write_the_framing_of() -> None:
    """aiohttp's WebSocket."""
    async with serving(open_ndt7=True) as (room, http):
        async with http.ws_connect(ndt7.DOWNLOAD_PATH, protocols=[ndt7.SUBPROTOCOL], max_msg_size=0) as ws:
            messages = [await ws.receive(5) for _ in range(50)]
        sizes = [len(m.data) for m in messages if m.type == WSMsgType.BINARY]
        async with http.ws_connect(ndt7.UPLOAD_PATH, protocols=["x", ndt7.SUBPROTOCOL]) as ws:
            for size in sizes:
                await ws.send_bytes(bytes(size))
            await ws.ping(b"are you there")
            said = await ws.receive_json(timeout=5)
        await free(room)
        assert said["AppInfo"]["NumBytes"] == sum(sizes) == room.throughput.counts.bytes["upload"]
    assert messages[0].type == WSMsgType.TEXT
    assert json.loads(messages[0].data)["AppInfo"]["NumBytes"] == 0
    assert sizes[0] == ndt7.FIRST_MESSAGE
    assert sizes[-1] > ndt7.FIRST_MESSAGE


async def test_one_at_a_time_first_come_first_served() -> None:
    async with serving(open_ndt7=True) as (room, _):
        async with transfer(room, "download") as first:
            second = asyncio.create_task(ask(room, request("upload", "?wait=5")))
            await asyncio.sleep(0.1)
            third = asyncio.create_task(ask(room, request("download", "?wait=5")))
            await first.read(0.3)
            assert (room.throughput.turns.waiting, second.done(), third.done()) == (2, False, False)
            await first.close()
        status, wire = await second
        assert status == 101
        await wire.send_for(0.2)
        assert not third.done()
        await wire.close()
        status, wire = await third
        assert status == 101
        wire.reset()


async def test_who_does_not_wait_is_told_when_to_come_again() -> None:
    async with serving(open_ndt7=True) as (room, http), transfer(room, "download"):
        headers = {
            "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol": ndt7.SUBPROTOCOL,
        }  # fmt: skip
        async with http.get(f"{ndt7.UPLOAD_PATH}?wait=0.1", headers=headers) as answer:
            body = await answer.json()
            assert (answer.status, body["code"]) == (503, "room_busy")
            assert 1 <= body["retry_after_seconds"] <= 10
            assert int(answer.headers["Retry-After"]) == body["retry_after_seconds"]


async def test_a_session_opens_it_and_learns_of_others_transfers() -> None:
    async with serving() as (room, http):
        ids = []
        for _ in range(2):
            async with http.post("/v1/sessions", json=wanted()) as answer:
                ids.append((await answer.json())["id"])
        for way in ("download", "upload"):
            async with transfer(room, way, f"?access_token={ids[0]}") as wire:
                if way == "upload":
                    async with http.post("/v1/sessions", json=wanted()) as answer:
                        ids.append((await answer.json())["id"])
                await wire.close()
        async with http.post("/v1/sessions", json=wanted()) as answer:
            ids.append((await answer.json())["id"])
        others = []
        for each in ids:
            async with http.delete(f"/v1/sessions/{each}") as answer:
                others.append((await answer.json())["other_transfers"])
    assert others == [0, 2, 1, 0]


async def test_a_speed_test_of_the_other_kind_has_a_turn_too() -> None:
    async with serving() as (room, http):
        ids = []
        for _ in range(2):
            async with http.post("/v1/sessions", json=wanted()) as answer:
                ids.append((await answer.json())["id"])
        async with http.get(f"/v1/speedtest/{ids[0]}") as answer:
            assert answer.status == 200
        status, wire = await ask(room, request("download", f"?access_token={ids[1]}&wait=0"))
        wire.reset()
        assert status == 503
        others = []
        for each in ids:
            async with http.delete(f"/v1/sessions/{each}") as answer:
                others.append((await answer.json())["other_transfers"])
        assert others == [0, 1]
        await free(room)


@pytest.mark.parametrize("way", ["download", "upload"])
async def test_sessions_and_the_reflector_keep_working_beside_it(way: str) -> None:
    async with serving(open_ndt7=True) as (room, http), transfer(room, way) as wire:
        busy = asyncio.gather(wire.send_for(2) if way == "upload" else asyncio.sleep(0), wire.read(2))
        for _ in range(5):
            began = time.monotonic()
            async with http.post("/v1/sessions", json=wanted()) as answer:
                granted = await answer.json()
            assert time.monotonic() - began < 0.5
            client = Client("127.0.0.1", room.stamp_port, room.sessions.by_ssid[granted["ssid"]])
            await asyncio.to_thread(client.ask)
            await asyncio.sleep(0.1)
        assert not wire.ended
        await busy
        assert wire.texts[-1]["AppInfo"]["NumBytes"] > 100_000_000

"""Calls with a real peer connection: what comes back, what is counted, and how a call ends."""

import asyncio
import os
import time

import pytest

from testroom.calls import CallSettings
from tests.testroom.calling import caller, session_of
from tests.testroom.https import serving
from tests.testroom.test_metrics import samples

HOST = "127.0.0.2"  # aiortc offers no candidate of 127.0.0.1


async def test_sound_and_picture_come_back_and_are_counted() -> None:
    async with serving(calls=CallSettings(), host=HOST) as (room, http), caller(room) as c:
        answer = await c.call()
        assert {line for line in answer.splitlines() if " typ " in line} == {
            f"a=candidate:1 1 udp 2130706431 {HOST} {port} typ host"
            for port in [line.split()[1] for line in answer.splitlines() if line.startswith("m=")][:1]
        }
        await c.until(audio=50, video=30)
        during = await c.account()
        async with http.get("/metrics") as response:
            found = samples(await response.text())
        async with c.http.delete(c.location) as response:
            after = await response.json()
        assert room.calls.open_now == 0
    assert during["state"] == "connected"
    assert after["state"] == "ended"
    assert after["audio_packets"] == after["audio_returned"] >= 50
    assert after["video_frames"] == after["video_returned"] >= 30
    assert (after["audio_lost"], after["video_packets_lost"]) == (0, 0)
    assert found["motesklar_room_calls"] == found["motesklar_room_calls_started_total"] == 1
    assert found["motesklar_room_calls_connected_total"] == 1
    assert found["motesklar_room_calls_limit"] == 40


async def test_sound_alone() -> None:
    async with serving(calls=CallSettings(), host=HOST) as (room, _), caller(room) as c:
        await c.call(video=False)
        await c.until(audio=20)
        assert (await c.account())["video_frames"] == 0


async def test_frames_that_went_back_are_in_the_metrics() -> None:
    async with serving(calls=CallSettings(), host=HOST) as (room, http), caller(room) as c:
        await c.call()
        await c.until(audio=10, video=5)
        async with c.http.delete(c.location) as response:
            after = await response.json()
        async with asyncio.timeout(3):
            while room.calls.returned()["audio"] < after["audio_returned"]:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        async with http.get("/metrics") as response:
            found = samples(await response.text())
    assert found["motesklar_room_call_frames_returned_total[audio]"] == after["audio_returned"]
    assert found["motesklar_room_call_frames_returned_total[video]"] == after["video_returned"]


async def test_hanging_up_is_noticed_at_once() -> None:
    async with serving(calls=CallSettings(), host=HOST) as (room, _), caller(room) as c:
        await c.call(video=False)
        await c.until(audio=5)
        await c.pc.close()
        async with asyncio.timeout(1):
            while room.calls.open_now:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert (await c.account())["state"] == "ended"


@pytest.mark.parametrize("how", ["delete", "session"])
async def test_a_call_that_is_ended_sends_no_more(how: str) -> None:
    async with serving(calls=CallSettings(), host=HOST) as (room, _), caller(room) as c:
        await c.call(video=False)
        await c.until(audio=10)
        ended = c.location if how == "delete" else f"/v1/sessions/{c.session}"
        async with c.http.delete(ended) as response:
            assert response.status == 200
        async with asyncio.timeout(1.5):
            while room.calls.open_now:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.2)
        before = dict(c.received)
        await asyncio.sleep(0.5)
        assert c.received["audio"] - before["audio"] <= 1
        async with c.http.get(c.location) as response:
            said = await response.json()
        assert said.get("state", said.get("code")) == ("ended" if how == "delete" else "session_expired")


async def test_stopping_the_room_in_a_call_takes_less_than_a_second() -> None:
    async with serving(calls=CallSettings(), host=HOST) as (room, _), caller(room) as c:
        await c.call()
        await c.until(audio=5, video=5)
        pids = [process.pid for process in room.calls.processes]
        begun = time.monotonic()
        await room.calls.close()
        assert time.monotonic() - begun < 1
        for pid in pids:
            assert pid is not None
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)


async def test_the_answer_names_what_the_operator_said() -> None:
    settings = CallSettings(address="192.0.2.7", ports=(47310, 47319))
    async with serving(calls=settings, host=HOST) as (room, _), caller(room) as c:
        answer = await c.call()
    (port,) = {line.split()[1] for line in answer.splitlines() if line.startswith("m=")}
    assert 47310 <= int(port) <= 47319
    assert f"a=candidate:1 1 udp 2130706431 192.0.2.7 {port} typ host" in answer
    assert HOST not in answer


async def test_the_answer_comes_at_once() -> None:
    async with serving(calls=CallSettings(), host=HOST) as (room, http):
        session = (await session_of(http))["id"]
        took = []
        for _ in range(3):
            async with caller(room, session) as c:
                offer = await c.offer()
                begun = time.monotonic()
                async with c.http.post(
                    "/v1/call",
                    data=offer,
                    headers={"Content-Type": "application/sdp", "Authorization": f"Bearer {session}"},
                ) as response:
                    assert response.status == 201
                took.append(time.monotonic() - begun)
    assert min(took) < 0.15, "the first may have waited for the process to start"

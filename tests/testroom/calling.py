"""A caller for the tests: aiortc's own peer connection, with tracks that make sound and pictures of their own."""

from __future__ import annotations

import asyncio
import fractions
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import av
import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamTrack

from testroom.server import TestRoom
from tests.testroom.https import visitor, wanted


class Picture(MediaStreamTrack):
    """A number of frames a second, each with its number as its grey level."""

    kind = "video"

    def __init__(self, width: int = 320, height: int = 240, rate: int = 30) -> None:
        super().__init__()
        self.shape, self.rate, self.number, self.begun = (height, width, 3), rate, 0, time.monotonic()

    async def recv(self) -> av.VideoFrame:
        await asyncio.sleep(max(0.0, self.begun + self.number / self.rate - time.monotonic()))
        frame = av.VideoFrame.from_ndarray(np.full(self.shape, self.number % 200 + 20, np.uint8), format="bgr24")
        frame.pts, frame.time_base = self.number * 90_000 // self.rate, fractions.Fraction(1, 90_000)
        self.number += 1
        return frame


class Caller:
    """One call: `received` counts decoded frames by kind."""

    def __init__(self, http: aiohttp.ClientSession, session: str) -> None:
        self.http, self.session = http, session
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.received = {"audio": 0, "video": 0}
        self.location = ""
        self._tasks: list[asyncio.Task[None]] = []
        self.pc.on("track", self._on_track)

    def _on_track(self, track: MediaStreamTrack) -> None:
        self._tasks.append(asyncio.create_task(self._count(track)))

    async def _count(self, track: MediaStreamTrack) -> None:
        while True:
            await track.recv()
            self.received[track.kind] += 1

    async def offer(self, *, audio: bool = True, video: bool = True) -> str:
        """The offer's SDP, complete."""
        if audio:
            self.pc.addTrack(AudioStreamTrack())
        if video:
            self.pc.addTrack(Picture())
        await self.pc.setLocalDescription(await self.pc.createOffer())
        return self.pc.localDescription.sdp

    async def call(self, **kinds: bool) -> str:
        """Offer and answer; the answer."""
        status, text, headers = await ask(self.http, await self.offer(**kinds), self.session)
        assert status == 201, text
        self.location = headers["Location"]
        await self.pc.setRemoteDescription(RTCSessionDescription(text, "answer"))
        return text

    async def until(self, seconds: float = 8.0, **least: int) -> None:
        """Wait until that many frames of each kind have come back."""
        async with asyncio.timeout(seconds):
            while any(self.received[kind] < number for kind, number in least.items()):  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    async def account(self) -> dict[str, Any]:
        """What the room says of it."""
        async with self.http.get(self.location) as response:
            return await response.json()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.pc.close()


async def ask(http: aiohttp.ClientSession, sdp: str | bytes, bearer: str | None) -> tuple[int, str, Any]:
    """POST /v1/call: status, body, headers."""
    headers = {"Content-Type": "application/sdp"} | ({"Authorization": f"Bearer {bearer}"} if bearer else {})
    async with http.post("/v1/call", data=sdp, headers=headers) as response:
        return response.status, await response.text(), response.headers


async def session_of(http: aiohttp.ClientSession, seconds: float = 30) -> dict[str, Any]:
    """A new session."""
    async with http.post("/v1/sessions", json=wanted(seconds)) as response:
        assert response.status == 201, await response.text()
        return await response.json()


@asynccontextmanager
async def caller(room: TestRoom, session: str = "") -> AsyncIterator[Caller]:
    """A caller that has gone afterwards."""
    async with visitor(room) as http:
        made = Caller(http, session or (await session_of(http))["id"])
        try:
            yield made
        finally:
            await made.close()

"""What aiortc sends and receives for us: a track of pictures, one of sound, and what counts those that come back.

Only the child process imports this module. Nothing of it is kept longer than until the next picture.
"""

from __future__ import annotations

import asyncio
import time
from fractions import Fraction
from typing import Any

import numpy as np
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import AudioFrame, VideoFrame

from probes.call.counting import FRAME_S, PACKET_S, Frame, Seen
from probes.call.picture import HEIGHT, WIDTH, Scene, read_stamp
from probes.call.sound import PACKET_SAMPLES, RATE

VIDEO_CLOCK = 90_000
STALLED_S = 0.5


async def _until(moment: float) -> None:
    left = moment - time.monotonic()
    if left > 0:
        await asyncio.sleep(left)


class Pictures(MediaStreamTrack):
    """30 a second by the clock. What was due while the encoder was busy is left out, and noted in `seen.skipped`."""

    kind = "video"

    def __init__(self, scene: Scene, seen: Seen) -> None:
        super().__init__()
        self._scene, self._seen = scene, seen
        self._begun: float | None = None
        self._next = 0

    async def recv(self) -> VideoFrame:
        """The next one that is due."""
        now = time.monotonic()
        if self._begun is None:
            self._begun = now
        due = int((now - self._begun) / FRAME_S)
        self._seen.skipped += [now] * (due - self._next)
        self._next = max(due, self._next)
        await _until(self._begun + self._next * FRAME_S)
        if self.readyState != "live":
            raise MediaStreamError
        picture = self._draw()
        self._seen.pictures.append(time.monotonic())
        self._next += 1
        return picture

    def _draw(self) -> VideoFrame:
        luminance = self._scene.draw(self._next, time.monotonic_ns())
        picture = VideoFrame(WIDTH, HEIGHT, "yuv420p")
        for plane, content in zip(picture.planes, (luminance, self._scene.chroma, self._scene.chroma), strict=True):
            rows = _rows(plane)
            rows[: content.shape[0], : content.shape[1]] = content
        picture.pts, picture.time_base = round(self._next * FRAME_S * VIDEO_CLOCK), Fraction(1, VIDEO_CLOCK)
        return picture


class Voice(MediaStreamTrack):
    """20 ms at a time by the clock, caught up when late; a stall longer than STALLED_S leaves sound out."""

    kind = "audio"

    def __init__(self, phrase: Any) -> None:
        super().__init__()
        self._packets = phrase.reshape(-1, PACKET_SAMPLES)
        self._begun: float | None = None
        self._next = 0

    async def recv(self) -> AudioFrame:
        """The next 20 ms."""
        now = time.monotonic()
        if self._begun is None:
            self._begun = now
        due = int((now - self._begun) / PACKET_S)
        if (due - self._next) * PACKET_S > STALLED_S:
            self._next = due
        await _until(self._begun + self._next * PACKET_S)
        if self.readyState != "live":
            raise MediaStreamError
        sound = AudioFrame(format="s16", layout="mono", samples=PACKET_SAMPLES)
        sound.planes[0].update(self._packets[self._next % len(self._packets)].tobytes())
        sound.pts, sound.sample_rate, sound.time_base = self._next * PACKET_SAMPLES, RATE, Fraction(1, RATE)
        self._next += 1
        return sound


async def watch(track: MediaStreamTrack, seen: Seen) -> None:
    """Take in all that comes, until the track ends."""
    while True:
        try:
            frame = await track.recv()
        except MediaStreamError:
            return
        if isinstance(frame, VideoFrame):
            at = time.monotonic() - seen.releases.held(frame.pts or 0)
            seen.frames.append(returned(frame, max(at, seen.frames[-1].at) if seen.frames else at))


def returned(picture: VideoFrame, at: float) -> Frame:
    """A picture that came back at that time."""
    luminance = _rows(picture.planes[0])[: picture.height, : picture.width]
    size = picture.width, picture.height
    stamp = read_stamp(luminance)
    return Frame(at, size) if stamp is None else Frame(at, size, stamp[0], stamp[1] / 1e9)


def _rows(plane: Any) -> Any:
    """A plane's memory as an array, with the padding at each row's end."""
    return np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)


def listen(receiver: Any, seen: Seen, *, sound: bool) -> None:
    """Note each RTP packet's arrival. `_handle_rtp_packet` is aiortc's own: a test holds that it is there."""
    inner = receiver._handle_rtp_packet

    async def heard(packet: Any, arrival_time_ms: int) -> None:
        seen.last_packet = time.monotonic()
        if sound and packet.payload:
            seen.sound.append((seen.last_packet, packet.timestamp))
        elif packet.payload:
            seen.releases.arrived(packet.timestamp, seen.last_packet)
        await inner(packet, arrival_time_ms=arrival_time_ms)

    receiver._handle_rtp_packet = heard

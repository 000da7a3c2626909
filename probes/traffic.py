"""What is sent and when: traffic shaped like a meeting's, or plain isochronous packets for comparison."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

Stream = Literal["audio", "video"]


@dataclass(frozen=True, slots=True)
class Traffic:
    """A meeting's traffic in one direction; the room sends the same back. The policy's [traffic] gives the figures."""

    video_bytes_per_second: float = 100_000.0
    video_frame_interval_seconds: float = 1 / 30
    video_packet_bytes: int = 1200  # at most
    audio_interval_seconds: float = 0.02
    audio_payload_bytes: int = 160
    playout_buffer_seconds: float = 0.2

    @property
    def bytes_per_second(self) -> float:
        """UDP payload in one direction."""
        return self.video_bytes_per_second + self.audio_payload_bytes / self.audio_interval_seconds


class Planned(NamedTuple):
    """One packet: when (ns after the start), for which stream, how large (octets of UDP payload)."""

    offset_ns: int
    stream: Stream
    size: int


def meeting(seconds: float, traffic: Traffic) -> list[Planned]:
    """Audio evenly, and each video frame as a burst of equal packets."""
    return list(heapq.merge(_audio(seconds, traffic), _video(seconds, traffic)))


def isochronous(seconds: float, interval: float, size: int) -> list[Planned]:
    """One packet of `size` octets every `interval` seconds."""
    count = max(1, round(seconds / interval))
    return [Planned(round(i * interval * 1e9), "audio", size) for i in range(count)]


def _audio(seconds: float, traffic: Traffic) -> Iterator[Planned]:
    yield from isochronous(seconds, traffic.audio_interval_seconds, traffic.audio_payload_bytes)


def _video(seconds: float, traffic: Traffic) -> Iterator[Planned]:
    frame = traffic.video_bytes_per_second * traffic.video_frame_interval_seconds
    if frame < 1:
        return
    packets = math.ceil(frame / traffic.video_packet_bytes)
    size = math.ceil(frame / packets)
    phase = traffic.audio_interval_seconds / 3  # frames do not begin on an audio packet's moment by design
    for i in range(round(seconds / traffic.video_frame_interval_seconds)):
        at = round((i * traffic.video_frame_interval_seconds + phase) * 1e9)
        yield from (Planned(at, "video", size) for _ in range(packets))


def bytes_of(plan: list[Planned]) -> int:
    """UDP payload octets of the whole plan, one direction."""
    return sum(p.size for p in plan)

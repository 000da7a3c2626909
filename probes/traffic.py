"""What is sent and when: traffic shaped like a meeting's, or plain isochronous packets for comparison."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from typing import Literal, NamedTuple

from reports.rules import Traffic

Stream = Literal["audio", "video"]


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
    packets = math.ceil(frame / traffic.video_packet_max_bytes)
    size = math.ceil(frame / packets)
    phase = traffic.audio_interval_seconds / 3  # frames do not begin on an audio packet's moment by design
    for i in range(round(seconds / traffic.video_frame_interval_seconds)):
        at = round((i * traffic.video_frame_interval_seconds + phase) * 1e9)
        yield from (Planned(at, "video", size) for _ in range(packets))


def bytes_of(plan: list[Planned]) -> int:
    """UDP payload octets of the whole plan, one direction."""
    return sum(p.size for p in plan)


def within_budget(seconds: float, traffic: Traffic, most_bytes: float) -> list[Planned]:
    """Audio, and as many of the video frames, evenly chosen, as `most_bytes` (one direction) has room for."""
    audio, video = list(_audio(seconds, traffic)), list(_video(seconds, traffic))
    rest = max(0.0, most_bytes - bytes_of(audio))
    frames = sorted({p.offset_ns for p in video})
    keep = min(1.0, rest / max(1, bytes_of(video)))
    kept = {at for i, at in enumerate(frames) if int((i + 1) * keep) > int(i * keep)}
    return list(heapq.merge(audio, (p for p in video if p.offset_ns in kept)))

"""From what was seen of a call, its quantities: pure functions; times are time.monotonic() in seconds.

Everything is counted from the first picture on, so that the encoder's first key frame and its search for a bit rate are
no faults of the network. Loss and jitter are the STAMP probe's: a WebRTC stack's own are those of its event loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from probes.call.sound import PACKET_SAMPLES, RATE
from probes.statistics import percentile

FRAME_S = 1 / 30
PACKET_S = PACKET_SAMPLES / RATE
FREEZE_TIMES, FREEZE_MORE_S, FREEZE_OVER = 3, 0.15, 30  # W3C webrtc-stats, freezeCount
BUFFER_S = 0.4  # what jitter buffers on the way may add at one go is no missing sound
LEAST_RTTS = 10
VIDEO_FRAMES, SOUND_GAPS = 7.0, 0.1
LEAST_WINDOW_S = 0.3


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture that came back. `number`, `sent_at`: None where its stamp was damaged. `size` in pixels."""

    at: float
    size: tuple[int, int]
    number: int | None = None
    sent_at: float | None = None


class Releases:
    """Since when a picture was whole: aiortc gives it away only when the next begins, and that is nobody's delay.

    `arrived` for each packet of pictures; `held` for each picture that is given away, with the time since the first
    (RTP ticks): seconds that it waited without need.
    """

    def __init__(self) -> None:
        self._times: dict[int, tuple[float, float]] = {}  # by RTP timestamp: first and last packet
        self._order: list[int] = []
        self._origin: int | None = None

    def arrived(self, stamp: int, at: float) -> None:
        """A packet of the picture with that RTP timestamp."""
        if stamp not in self._times:
            self._order.append(stamp)
        self._times[stamp] = self._times.get(stamp, (at, at))[0], at

    def held(self, since_first: int) -> float:
        """0.0 where it cannot be told."""
        if self._origin is None:
            self._origin = self._order[-2] - since_first if len(self._order) > 1 else None
        stamp = None if self._origin is None else (self._origin + since_first) % 2**32
        if stamp not in self._times or stamp == self._order[-1]:
            return 0.0
        follower = self._order[self._order.index(stamp) + 1]
        return max(0.0, self._times[follower][0] - self._times[stamp][1])


@dataclass(slots=True)
class Seen:
    """One attempt's media. `sound`: arrival and RTP timestamp of each audio packet; `pictures`: of the encoded ones."""

    frames: list[Frame] = field(default_factory=list)
    sound: list[tuple[float, int]] = field(default_factory=list)
    pictures: list[float] = field(default_factory=list)
    skipped: list[float] = field(default_factory=list)
    releases: Releases = field(default_factory=Releases)
    last_packet: float | None = None


def whole_frames(frames: Sequence[Frame], size: tuple[int, int]) -> list[Frame]:
    """Each picture of the size that was sent, once, when it first came; those with damaged stamps too."""
    seen: set[int] = set()
    found = []
    for frame in frames:
        if frame.size[0] < size[0] or frame.size[1] < size[1] or frame.number in seen:
            continue
        if frame.number is not None:
            seen.add(frame.number)
        found.append(frame)
    return found


def per_second(times: Sequence[float], start: float, end: float) -> float | None:
    """How many a second after `start`, the one at `start` not counted; None when the time is too short to tell."""
    return sum(start < t <= end for t in times) / (end - start) if end - start >= LEAST_WINDOW_S else None


def frozen_ratio(times: Sequence[float], end: float) -> float | None:
    """The share of the time from the first picture to `end` in freezes.

    A picture stands still when the next comes later than max(3 d, d + 150 ms), d being the mean of the last 30
    intervals (W3C webrtc-stats, freezeCount and totalFreezesDuration); what still stands at the end counts likewise.
    """
    if not times or end - times[0] < LEAST_WINDOW_S:
        return None
    usual: list[float] = [FRAME_S]
    frozen = 0.0
    inside = [t for t in times if t <= end]
    for earlier, later in pairwise([*inside, end]):
        mean = sum(usual[-FREEZE_OVER:]) / len(usual[-FREEZE_OVER:])
        if later - earlier >= max(FREEZE_TIMES * mean, mean + FREEZE_MORE_S):
            frozen += later - earlier
        usual.append(later - earlier)
    return frozen / (end - times[0])


def unwrapped(timestamps: Sequence[int]) -> list[int]:
    """RTP timestamps without their turn at 2**32."""
    found: list[int] = []
    for stamp in timestamps:
        before = found[-1] if found else stamp
        found.append(before + (stamp - before + 2**31) % 2**32 - 2**31)
    return found


def audio_gap_ratio(
    sound: Sequence[tuple[float, int]], start: float, end: float, buffer_s: float = BUFFER_S
) -> float | None:
    """The share of the sound between `start` and `end` of which no packet came; None: too short to tell.

    By the packets' timestamps; sound that falls behind the clock counts where a jitter buffer of `buffer_s` does not
    explain it.
    """
    if end - start < LEAST_WINDOW_S:
        return None
    inside = [(at, stamp) for at, stamp in sound if start <= at <= end]
    if not inside:
        return 1.0
    places = [stamp // PACKET_SAMPLES for stamp in unwrapped([stamp for _, stamp in inside])]
    expected = max(places) - min(places) + 1
    behind = end - inside[0][0] - expected * PACKET_S
    if behind > buffer_s:
        expected += int(behind / PACKET_S)
    return 1 - min(expected, len(set(places))) / expected


def skipped_ratio(pictures: Sequence[float], skipped: Sequence[float], start: float, end: float) -> float | None:
    """Of the pictures that were due, the share that the encoder had no time for."""
    sent, left_out = (sum(start <= t <= end for t in times) for times in (pictures, skipped))
    return left_out / (sent + left_out) if sent + left_out and end - start >= LEAST_WINDOW_S else None


def frame_rtts(frames: Sequence[Frame], start: float) -> list[float]:
    """Round trips of those pictures that were sent after `start`, ascending."""
    return sorted(f.at - f.sent_at for f in frames if f.sent_at is not None and f.sent_at >= start)


def carries(frames_per_second: float, gap_ratio: float) -> str:
    """What of the meeting's call this computer and link can bear: "video", "sound_only" or "nothing"."""
    if gap_ratio >= SOUND_GAPS:
        return "nothing"
    return "video" if frames_per_second >= VIDEO_FRAMES else "sound_only"


@dataclass(slots=True)
class Counted:
    """`values` and `unknown` as in a Draft; `carries`: "" when too little was seen."""

    values: dict[str, float] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)
    carries: str = ""


def count(seen: Seen, joined: float, end: float, size: tuple[int, int]) -> Counted:
    """All that concerns media, until `end`."""
    found = Counted()
    frames = whole_frames(seen.frames, size)
    firsts = {
        "first_audio_seconds": seen.sound[:1] and seen.sound[0][0],
        "first_video_seconds": frames and frames[0].at,
    }
    came = {name: at - joined for name, at in firsts.items() if isinstance(at, float)}
    found.values |= came
    if not came:
        return found
    found.values["first_media_seconds"] = min(came.values())
    start = frames[0].at if frames else seen.sound[0][0]
    _count_pictures(found, seen, frames, start, end)
    _put(found, "call_audio_gap_ratio", audio_gap_ratio(seen.sound, start, end))
    if {"call_frames_per_second", "call_audio_gap_ratio"} <= found.values.keys():
        found.carries = carries(found.values["call_frames_per_second"], found.values["call_audio_gap_ratio"])
    return found


def _count_pictures(found: Counted, seen: Seen, frames: list[Frame], start: float, end: float) -> None:
    times = [f.at for f in frames]
    _put(found, "call_frames_sent_per_second", per_second(seen.pictures, start, end))
    _put(found, "call_frames_skipped_ratio", skipped_ratio(seen.pictures, seen.skipped, start, end))
    _put(found, "call_frames_per_second", per_second(times, start, end))
    if times:
        _put(found, "call_frozen_ratio", frozen_ratio(times, end))
    else:
        found.unknown["call_frozen_ratio"] = "no picture came back"
    rtts = frame_rtts(frames, start)
    for p in (50, 95):
        name = f"call_frame_rtt_p{p}_seconds"
        if len(rtts) < LEAST_RTTS:
            found.unknown[name] = f"only {len(rtts)} pictures came back"
        else:
            found.values[name] = percentile(rtts, p / 100)


def _put(found: Counted, name: str, value: float | None) -> None:
    if value is None:
        found.unknown[name] = "too little time to tell"
    else:
        found.values[name] = value

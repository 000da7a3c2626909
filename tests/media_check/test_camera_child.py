"""How the camera's process watches: what it counts, keeps and leaves, with frames that come as they are told to."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest

from media_check import camera_child, camera_frames
from media_check.camera_frames import Seen
from media_check.camera_modes import Mode
from media_check.camera_opening import Failed
from media_check.camera_pace import pace
from media_check.devices import holders
from processes.child import Line

RATE = 50.0
HERE = "/dev/null"


class Replay:
    """Frames due at RATE from now; `stamp` of each; retrieving takes `decode_s`; None of it: no frame comes."""

    def __init__(
        self,
        stamp: Callable[[int], float] = lambda n: n / RATE,
        decode_s: float = 0.0,
        ends_after: int = 10_000,
        corrupt: Callable[[int], bool] = lambda _: False,
    ) -> None:
        self.stamp, self.decode_s, self.ends_after, self.corrupt = stamp, decode_s, ends_after, corrupt
        self.begun, self.number = time.monotonic(), -1

    def grab(self) -> bool:
        if self.number + 1 >= self.ends_after:
            return False
        self.number += 1
        time.sleep(max(0.0, self.begun + self.number / RATE - time.monotonic()))
        return True

    def get(self, name: int) -> float:
        assert name == cv2.CAP_PROP_POS_MSEC
        return 1000 * (100 + self.stamp(self.number))

    def retrieve(self) -> tuple[bool, Any]:
        time.sleep(self.decode_s)
        if self.corrupt(self.number):
            return False, None
        return True, np.full((4, 6, 3), self.number % 256, np.uint8)


def watched(replay: Replay, seconds: float = 1.2, handle: str = HERE) -> tuple[Seen, list[Line]]:
    seen, said = Seen(), list[Line]()
    camera_child._watch(replay, handle, seconds, seen, said.append)  # type: ignore[arg-type]
    return seen, said


def test_every_frame_is_counted_and_the_settled_ones_kept():
    seen, said = watched(Replay())
    assert len(seen.read) == pytest.approx(1.2 * RATE, abs=3)
    assert pace(seen.stamps)["camera_frames_per_second"] == pytest.approx(RATE)
    first = seen.kept[0]
    assert seen.read[first] - seen.read[0] >= camera_frames.WARM_S > seen.read[first - 1] - seen.read[0]
    assert len(seen.kept) > 0.7 * (len(seen.read) - first)  # not all when this computer is busy
    assert [int(frame[0, 0, 0]) for frame in seen.frames] == seen.kept
    assert said[0].keys() == {"values"}
    assert 4 <= len(said) <= 8  # signs of life, not one of each frame


def test_slow_decoding_does_not_slow_the_camera():
    """Decoding takes longer than a frame lasts: some are counted without being looked at."""
    seen, _ = watched(Replay(decode_s=1.5 / RATE))
    assert len(seen.read) == pytest.approx(1.2 * RATE, abs=4)
    assert 0.3 < len(seen.frames) / (0.6 * RATE) < 0.8


def test_a_frame_that_is_given_twice_is_one():
    seen, _ = watched(Replay(stamp=lambda n: n // 2 / RATE))
    assert len(seen.read) == pytest.approx(0.6 * RATE, abs=3)


def test_a_driver_without_stamps_is_timed_by_our_clock():
    seen, _ = watched(Replay(stamp=lambda n: -100.0))
    assert len(seen.read) == pytest.approx(1.2 * RATE, abs=3)


@pytest.mark.parametrize(
    ("frames", "handle", "code", "seconds"),
    [
        (5, HERE, "camera_silent", 0.5),
        (0, HERE, "camera_silent", 1.2),
        (5, "/dev/video-not-there", "camera_vanished", 0),
    ],
)
def test_frames_that_end(frames: int, handle: str, code: str, seconds: float, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(camera_frames, "SILENT_S", 0.5)
    monkeypatch.setattr(camera_frames, "FIRST_S", 1.2)
    replay = Replay(ends_after=frames)
    with pytest.raises(Failed) as failed:
        watched(replay, handle=handle)
    assert failed.value.code == code
    assert time.monotonic() - replay.begun == pytest.approx(seconds + frames / RATE, abs=0.3)


# ---- what it says -------------------------------------------------------------------------------------------------


def room() -> Any:
    """A picture with something in it."""
    noise = np.random.default_rng(3).integers(60, 190, (12, 20, 3), dtype=np.uint8)
    return cv2.resize(noise, (640, 360), interpolation=cv2.INTER_NEAREST)


def said_of(corrupt: int, facts: dict[str, Any]) -> Any:
    frames = [np.roll(room(), n, axis=1) for n in range(3)]
    times = [n / 30 for n in range(3)]
    said: list[Line] = []
    camera_frames.look(Seen(times, times, list(range(3)), frames, times[:corrupt]), facts, said.append)
    return said[0]["facts"]["camera_picture"]


@pytest.mark.parametrize(
    ("corrupt", "shutter", "words"),
    [(0, "open", {"good", "no_face"}), (3, "open", {"torn"}), (0, "closed", {"covered"}), (3, "closed", {"covered"})],
)
def test_what_the_pictures_alone_do_not_tell(corrupt: int, shutter: str, words: set[str]):
    assert said_of(corrupt, {"shutter": shutter}) in words


def test_nothing_that_can_be_decoded_is_silence():
    with pytest.raises(Failed, match="camera_silent"):
        camera_frames.look(Seen(corrupt=[0.0] * 5), {}, lambda _: None)


@pytest.mark.parametrize(("rows", "left"), [(480, 480), (720, 720), (1080, 540), (2160, 720)])
def test_large_pictures_are_kept_small(rows: int, left: int):
    small = camera_frames.small(np.zeros((rows, rows * 16 // 9, 3), np.uint8))
    assert small.shape[0] == left


def test_a_camera_that_tells_no_rate():
    said: list[Line] = []
    camera_frames.tell_pace(Seen(), Mode(640, 480, ""), said.append)
    assert said == [
        {
            "values": {},
            "unknown": {
                "camera_frames_per_second": "too few frames came",
                "camera_dropped_ratio": "too few frames came",
                "camera_advertised_frames_per_second": "the camera does not tell its rate",
            },
            "facts": {"mode": "640x480"},
        }
    ]


@pytest.mark.parametrize(
    ("handle", "why", "said"),
    [
        (HERE, "camera_busy", "camera_silent"),  # a driver that lets one program in: that is this one
        ("msmf:0", "camera_busy", "camera_busy"),  # Windows' list of those who use a camera does not count us
        (HERE, "camera_forbidden", "camera_forbidden"),
    ],
)
def test_why_no_frames_come(handle: str, why: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_frames, "why", lambda *_: Failed(why))
    with pytest.raises(Failed, match=said):
        camera_frames.missed(handle, time.monotonic() - 5, Seen())


def test_that_it_is_busy_is_said_before_who_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """To look at a process that hangs in a driver may hang."""
    said: list[Line] = []
    monkeypatch.setattr(holders, "held_by", lambda *_: said.append({"looked": True}) or "browser")
    camera_frames.tell(Failed("camera_busy"), HERE, said.append)
    assert [next(iter(line)) for line in said] == ["failed", "looked", "facts"]

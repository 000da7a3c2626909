"""How the viewing's process takes, shows and judges frames that come as they are told to: no camera, no waiting."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from media_check import viewing_child
from media_check.camera_frames import Opened, Seen
from media_check.camera_modes import Mode
from media_check.camera_opening import Failed
from media_check.viewing_child import LONGEST, WATCH_S, Newest, Viewing, judged, packed
from processes.child import Line
from tests.media_check import pictures


class Ends(Exception):  # noqa: N818 - of a replay
    pass


class Replay:
    """A camera whose frames come at `rate` by a clock of its own, which is faster than ours; decoding takes long."""

    def __init__(self, clock: Callable[[], float], rate: float, seconds: float, decode_s: float = 0.0) -> None:
        self.clock, self.rate, self.ends, self.decode_s = clock, rate, seconds * rate, decode_s
        self.number = 0
        self.decoded: list[int] = []

    def grab(self) -> bool:
        self.number += 1
        if self.number > self.ends:
            raise Ends
        return True

    def get(self, name: int) -> float:
        return 1000 * (5 + self.number / self.rate) if name == cv2.CAP_PROP_POS_MSEC else 0.0

    def retrieve(self) -> tuple[bool, Any]:
        self.decoded.append(self.number)
        return True, np.full((4, 6, 3), self.number % 256, np.uint8)


def watched(monkeypatch: pytest.MonkeyPatch, rate: float, seconds: float) -> tuple[Replay, Viewing, list[int]]:
    """Watch so many seconds of frames in no time. Of each frame: how many were in memory then."""
    replay: Replay

    def now() -> float:
        return 1000 + replay.number / replay.rate

    monkeypatch.setattr(viewing_child, "time", SimpleNamespace(monotonic=now))
    monkeypatch.setattr(viewing_child, "_for_ever", lambda step: None)
    replay = Replay(now, rate, seconds)
    viewing = Viewing(Opened(replay, (), {}), "/dev/null", lambda _: None)  # type: ignore[arg-type]
    in_memory: list[int] = []
    came = viewing._came

    def counted(at: float) -> None:
        came(at)
        in_memory.append(len(viewing._seen.frames))

    monkeypatch.setattr(viewing, "_came", counted)
    with pytest.raises(Ends):
        viewing.watch()
    return replay, viewing, in_memory


@pytest.mark.parametrize(
    ("rate", "shown"), [(30, 15), (25, 12.5), (24, 12), (20, 10), (15, 15), (10, 10), (5, 5), (60, 15), (50, 16.7)]
)
def test_rate_of_the_preview(monkeypatch: pytest.MonkeyPatch, rate: int, shown: float):
    replay, _, _ = watched(monkeypatch, rate, 10)
    assert len(replay.decoded) / 10 == pytest.approx(shown, abs=0.5)


def test_memory_stays_flat_for_ten_minutes(monkeypatch: pytest.MonkeyPatch):
    _, viewing, in_memory = watched(monkeypatch, 30, 600)
    assert max(in_memory) == pytest.approx(WATCH_S * 15, abs=2)
    seen = viewing._seen
    assert seen.read[-1] - seen.read[0] <= WATCH_S + 1e-6
    assert len(seen.stamps) == len(seen.read)
    assert len(seen.kept) == len(seen.frames)
    for place, frame in zip(seen.kept, seen.frames, strict=True):  # the numbers still fit
        assert frame[0, 0, 0] == round((seen.read[place] - 1000) * 30) % 256


def test_the_first_frames_are_shown_and_not_judged(monkeypatch: pytest.MonkeyPatch):
    replay, viewing, in_memory = watched(monkeypatch, 30, 0.9)
    assert replay.decoded[0] == 1
    assert in_memory[16] == 0 < in_memory[-1] < 8
    assert viewing._judged_from is None


# ---- what was seen, and what is forgotten -------------------------------------------------------------------------


def test_forgetting_keeps_the_places_right():
    seen = Seen(first=0.0)
    for number in range(10):
        seen.stamps.append(100.0 + number)
        seen.read.append(float(number))
        if number % 3 == 0:
            seen.keep(np.full((1, 1, 3), number, np.uint8))
    seen.corrupt = [2.0, 8.0]
    seen.forget(4.0)
    assert seen.read == [4.0, 5.0, 6.0, 7.0, 8.0, 9.0]
    assert [seen.read[place] for place in seen.kept] == [float(frame[0, 0, 0]) for frame in seen.frames] == [6.0, 9.0]
    assert (seen.stamps[0], seen.corrupt, seen.first) == (104.0, [8.0], 0.0)


# ---- a place for one thing ----------------------------------------------------------------------------------------


def test_who_is_slow_gets_the_newest():
    place = Newest[int]()
    for number in range(5):
        place.put(number)
    assert place.take() == 4


def test_who_is_early_waits():
    place, taken = Newest[int](), list[int]()
    taker = threading.Thread(target=lambda: taken.append(place.take()), daemon=True)
    taker.start()
    time.sleep(0.05)
    assert taken == []
    place.put(3)
    taker.join(2)
    assert taken == [3]


# ---- pictures -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("high", "wide", "shape"),
    [
        (720, 1280, (360, 640)),
        (1080, 1920, (360, 640)),
        (480, 640, (480, 640)),
        (1280, 720, (640, 360)),
        (180, 320, (180, 320)),
        (600, 800, (480, 640)),
    ],
)
def test_size(high: int, wide: int, shape: tuple[int, int]):
    frame = np.full((high, wide, 3), (20, 120, 220), np.uint8)
    shown = cv2.imdecode(np.frombuffer(packed(frame), np.uint8), cv2.IMREAD_COLOR)
    assert shown is not None
    assert shown.shape[:2] == shape
    assert max(shape) <= LONGEST
    assert np.abs(shown.astype(int) - frame[0, 0]).max() <= 3


def test_it_looks_fine():
    """Beside the same frame made as small without any loss; a grainy picture by a cheap camera packs worst."""
    frame = pictures.case("good", pictures.good, 3, ((720, 1280),)).frames[0]
    data = packed(frame)
    shown = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert shown is not None
    wanted = cv2.resize(frame, (640, 360), interpolation=cv2.INTER_AREA)
    assert cv2.PSNR(wanted, shown) > 33
    assert 8_000 < len(data) < 100_000


# ---- judging ------------------------------------------------------------------------------------------------------


def seen_of(label: str) -> Seen:
    made = pictures.case(label, pictures.MAKERS[label], 5, ((360, 640),))
    return Seen(made.times, made.times, list(range(len(made.frames))), made.frames, [], 0.0)


@pytest.mark.parametrize("label", ["good", "covered", "dark", "over_exposed", "no_face"])
def test_each_judgement_is_a_whole_one(label: str):
    found = judged(seen_of(label), Mode(640, 360, "MJPG", 30.0), {"shutter": "open"})
    assert found["facts"]["camera_picture"] == label
    assert found["facts"]["shutter"] == "open"
    assert not found["values"].keys() & found["unknown"].keys()
    assert found["values"].keys() | found["unknown"].keys() == {
        "camera_frames_per_second", "camera_dropped_ratio", "camera_advertised_frames_per_second",
        "camera_black_ratio", "camera_frozen_ratio", "camera_brightness_ratio", "face_height_ratio",
    }  # fmt: skip


def viewing_of(facts: dict[str, Any]) -> tuple[Viewing, list[Line]]:
    said: list[Line] = []
    return Viewing(Opened(Replay(time.monotonic, 30, 1), (), facts), "/dev/null", said.append), said  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("facts", "now", "word"),
    [({}, "closed", "good"), ({"shutter": "open"}, "closed", "covered"), ({"shutter": "closed"}, "open", "good")],
)
def test_a_shutter_that_is_moved_meanwhile(monkeypatch: pytest.MonkeyPatch, facts: dict[str, Any], now: str, word: str):
    monkeypatch.setattr(viewing_child, "ask_shutter", lambda _: now)
    viewing, said = viewing_of(facts)
    viewing._to_judge.put((seen_of("good"), Mode(640, 360, "MJPG", 30.0)))
    viewing._judge()
    assert said[0]["judged"]["facts"]["camera_picture"] == word
    assert said[0]["judged"]["facts"].get("shutter") == (now if facts else None)


def test_what_cannot_be_decoded_ends_it():
    viewing, said = viewing_of({})
    viewing._to_judge.put((Seen([1.0], [1.0], [], [], [1.0], 1.0), Mode(640, 360, "MJPG", 30.0)))
    viewing._judge()
    with pytest.raises(Failed, match="camera_silent"):
        viewing.watch()
    assert not any("judged" in line for line in said)


def test_a_picture_is_one_line():
    viewing, said = viewing_of({})
    viewing._to_show.put(np.zeros((4, 6, 3), np.uint8))
    viewing._show()
    assert base64.b64decode(said[0]["jpeg"]).startswith(b"\xff\xd8")

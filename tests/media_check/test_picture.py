"""`look` on labelled pictures: each fault by its own word, nothing said of good ones, whatever the skin or room."""

from __future__ import annotations

import time
from functools import cache

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from media_check.picture import FAULTS, Look, look, still_ratio
from reports.vocabulary import NAMES
from tests.media_check.pictures import MAKERS, camera, case, scene, verdict
from tests.media_check.scenes import ALBEDO, room, sitting
from tests.media_check.seeds import ALARMS, MISSES, seeds

SMALL = ((360, 640),)
SEEDS = seeds(9000, 3)
SKINS = seeds(700, 2)


@cache
def looks(label: str) -> dict[int, Look]:
    """What is seen in each case of a class, by seed. Made and judged once for all tests."""
    made = (case(label, MAKERS[label], seed, SMALL) for seed in SEEDS)
    return {one.seed: look(one.frames, one.times) for one in made}


def words(label: str) -> dict[int, str]:
    return {seed: verdict(seen) for seed, seen in looks(label).items()}


def frames_of(seed: int, **who: object) -> list[NDArray[np.uint8]]:
    rng = np.random.default_rng(seed)
    return camera(rng, scene(rng, 360, 640, sitting(rng, **who)))


def at(count: int, rate: float = 10.0) -> list[float]:
    return [i / rate for i in range(count)]


@pytest.mark.parametrize("label", MAKERS)
def test_a_fault_is_called_by_its_name(label: str) -> None:
    wrong = {seed: word for seed, word in words(label).items() if word != label}
    assert len(wrong) <= MISSES * len(SEEDS), wrong


@pytest.mark.parametrize("label", MAKERS)
def test_nothing_else_is_called_so(label: str) -> None:
    others = [(made, seed, said) for made in MAKERS if made != label for seed, said in words(made).items()]
    alarms = [(made, seed) for made, seed, said in others if said == label]
    assert len(alarms) <= ALARMS * len(others), alarms


@pytest.mark.parametrize("albedo", ALBEDO)
def test_no_skin_is_a_fault(albedo: float) -> None:
    said = [look(frames_of(seed, albedo=albedo), at(6)) for seed in SKINS]
    assert sum(bool(seen.faults) for seen in said) <= MISSES * len(said), [seen.faults for seen in said]


@pytest.mark.parametrize("height", [0.16, 0.22, 0.3, 0.4])
def test_the_face_is_as_high_as_it_is(height: float) -> None:
    found = look(frames_of(3, height=height, x=0.5, y=0.5, tilt=0.0), at(6)).values["face_height_ratio"]
    assert found == pytest.approx(height, rel=0.15)


def test_brightness_is_the_mean_luma() -> None:
    grey = [np.full((72, 128, 3), 102, np.uint8)] * 3
    assert look(grey, at(3)).values["camera_brightness_ratio"] == pytest.approx(0.4, abs=0.005)


def test_a_third_that_is_black_is_counted_and_the_rest_is_judged() -> None:
    live = frames_of(5)
    seen = look([np.zeros_like(live[0]), np.zeros_like(live[0]), *live[:4]], at(6))
    assert seen.values["camera_black_ratio"] == pytest.approx(1 / 3)
    assert seen.faults == ()


def test_of_a_black_picture_nothing_else_is_said() -> None:
    seen = look([np.zeros((360, 640, 3), np.uint8)] * 6, at(6))
    assert seen.faults == ("covered",)
    assert seen.values["camera_black_ratio"] == 1.0
    assert set(seen.unknown) == {"camera_frozen_ratio", "face_height_ratio"}


@pytest.mark.parametrize(
    ("order", "rate", "share"),
    [
        ("abcdef", 10, 0.0),
        ("aaaaaa", 10, 1.0),
        ("aabbccddeeff", 30, 0.0),  # 15 pictures a second, each given twice: slow, not frozen
        ("abcccccccc", 30, 7 / 9),
        ("abccdefghi", 30, 0.0),  # one repeated at 30 a second is not seen
        ("aaabcd", 10, 2 / 5),
    ],
)  # fmt: skip
def test_frozen_is_what_stands_still_long_enough(order: str, rate: float, share: float) -> None:
    rng = np.random.default_rng(1)
    by_name = {name: rng.integers(3, 250, (72, 128, 3), dtype=np.uint8) for name in set(order)}
    assert still_ratio([by_name[name] for name in order], at(len(order), rate)) == pytest.approx(share)


def test_a_clock_in_a_still_picture_does_not_make_it_live() -> None:
    base = np.random.default_rng(2).integers(3, 250, (720, 1280, 3), dtype=np.uint8)
    ticking = [base.copy() for _ in range(6)]
    for i, frame in enumerate(ticking):
        frame[:16, :16] = 40 * i
    assert still_ratio(ticking, at(6)) == 1.0


@pytest.mark.parametrize(("frames", "times"), [(0, 0), (2, 1)])
def test_what_cannot_be_judged_is_refused(frames: int, times: int) -> None:
    with pytest.raises(ValueError, match="needs"):
        look([np.zeros((36, 64, 3), np.uint8)] * frames, at(times))


def test_one_frame_is_enough_for_all_but_a_freeze() -> None:
    seen = look(frames_of(4)[:1], [0.0])
    assert seen.faults == ()
    assert set(seen.unknown) == {"camera_frozen_ratio"}


def test_several_things_may_be_wrong_and_the_worst_comes_first() -> None:
    rng = np.random.default_rng(6)
    soft = cv2.GaussianBlur(room(rng, 360, 640), (0, 0), 5)
    seen = look(camera(rng, soft), at(6))  # type: ignore[arg-type]
    assert seen.faults == ("blurred", "no_face")


def test_colour_bars_have_no_face_and_no_other_fault() -> None:
    bars = np.repeat(np.array([[0, 0, 0, 1, 1, 1, 0, 1], [0, 1, 1, 0, 0, 1, 0, 1], [1, 0, 1, 0, 1, 0, 0, 1]]).T, 80, 0)
    picture = np.broadcast_to(bars * 180 + 20, (360, 640, 3)).astype(np.float32)
    assert look(camera(np.random.default_rng(1), picture), at(6)).faults == ("no_face",)


def test_all_words_are_known() -> None:
    said = [seen for label in MAKERS for seen in looks(label).values()]
    assert {*MAKERS} - {"good", "black", "frozen"} == set(FAULTS)
    assert {name for seen in said for name in (*seen.values, *seen.unknown)} <= NAMES
    assert {verdict(seen) for seen in said} <= set(MAKERS)


def test_two_and_a_half_seconds_of_720p_are_judged_in_time() -> None:
    rng = np.random.default_rng(8)
    some = camera(rng, room(rng, 720, 1280))  # without a face: the longest search
    frames = [some[i % len(some)] for i in range(75)]
    took = []
    while min(took, default=1) > 0.8 and len(took) < 3:  # other programs' noise only adds
        begun = time.process_time()
        look(frames, at(75, 30))
        took.append(time.process_time() - begun)
    assert min(took) <= 0.8, took

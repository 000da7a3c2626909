"""Rates and dropped frames from times alone; and whose clock counts."""

from __future__ import annotations

import random
from itertools import accumulate, repeat

import pytest

from media_check.camera_pace import clock, pace


def beats(seconds: float, rate: float, dropped: float = 0.0, shaken: float = 0.0, seed: int = 1) -> list[float]:
    """Times of a camera that loses this share of its frames, and whose stamps are off by up to `shaken` of a beat."""
    dice = random.Random(seed)
    count = int(seconds * rate)
    kept = [n for n in range(count) if n in (0, count - 1) or dice.random() >= dropped]
    return [(n + dice.uniform(-shaken, shaken)) / rate for n in kept]


@pytest.mark.parametrize("rate", [7.5, 12.5, 15, 25, 30, 60])
@pytest.mark.parametrize("shaken", [0, 0.1, 0.2])
def test_an_even_camera_drops_nothing(rate: float, shaken: float):
    found = pace(beats(2.5, rate, shaken=shaken))
    assert found["camera_frames_per_second"] == pytest.approx(rate, rel=0.04 if shaken else 1e-6)
    assert found["camera_dropped_ratio"] == 0


@pytest.mark.parametrize("dropped", [0.1, 0.2, 0.4, 0.6])
@pytest.mark.parametrize("seed", range(5))
def test_frames_left_out_are_counted(dropped: float, seed: int):
    times = beats(10, 30, dropped, 0.05, seed)
    found = pace(times)
    assert found["camera_dropped_ratio"] == pytest.approx(dropped, abs=0.08)
    assert found["camera_frames_per_second"] == pytest.approx(30 * (1 - dropped), rel=0.15)


def test_the_beginning_is_left_out():
    slow = list(accumulate([0.0, 0.2, 0.15, *repeat(1 / 30, 50)]))
    found = pace(slow)
    assert found["camera_frames_per_second"] == pytest.approx(30)
    assert found["camera_dropped_ratio"] == pytest.approx(0)


@pytest.mark.parametrize("times", [[], [0.0], [0.0, 0.1, 0.2]])
def test_too_few(times: list[float]):
    assert pace(times) == {}


READ = [10.0, 10.05, 10.06, 10.11, 10.14]
STAMPS = [0.0, 0.033, 0.067, 0.1, 0.133]


@pytest.mark.parametrize(
    ("stamps", "ours"),
    [
        (STAMPS, False),
        ([0.0] * 5, True),
        ([0.0, 0.033, 0.033, 0.1, 0.133], True),
        ([0.0, 33.0, 67.0, 100.0, 133.0], True),
    ],
)
def test_whose_clock(stamps: list[float], ours: bool):
    assert clock(stamps, READ) == (READ if ours else stamps)

"""Cut tops, gaps and the constant ends of a sound."""

from __future__ import annotations

import numpy as np
import pytest

from media_check.waveform import clipped_ratio, gap_ratio, sounding
from tests.media_check.sounds import quantised

RATE = 48_000
TIME = np.arange(RATE) / RATE
NOISE = quantised(np.random.default_rng(1).normal(size=RATE) * 0.1)


def sine(hertz: float, amplitude: float) -> np.ndarray:
    return quantised(np.sin(2 * np.pi * hertz * TIME + 0.1) * amplitude)


@pytest.mark.parametrize("hertz", [50, 100, 440, 3000])
@pytest.mark.parametrize("amplitude", [0.01, 0.3, 0.99])
def test_a_whole_sine_is_not_cut(hertz: int, amplitude: float) -> None:
    assert clipped_ratio(sine(hertz, amplitude)) < 0.0005


@pytest.mark.parametrize("volume", [1.0, 0.3])
@pytest.mark.parametrize("over", [1.1, 2.0])
@pytest.mark.parametrize("sides", ["both", "one"])
def test_a_cut_sine_is_cut_as_long_as_it_is_over_the_end(volume: float, over: float, sides: str) -> None:
    whole = np.sin(2 * np.pi * 300 * TIME + 0.1) * over
    cut = np.clip(whole, -1 if sides == "both" else -9, 1)
    cut = cut / np.abs(cut).max() * volume
    expected = np.mean((whole > 1) | ((whole < -1) & (sides == "both")))
    assert clipped_ratio(quantised(cut)) == pytest.approx(expected, rel=0.15)


@pytest.mark.parametrize(("gap_ms", "found"), [(1, False), (5, True), (40, True)])
@pytest.mark.parametrize("held", [False, True])
def test_gaps_are_counted(gap_ms: int, found: bool, held: bool) -> None:
    sound, size = NOISE.copy(), gap_ms * RATE // 1000
    for start in range(1000, RATE - 4000, 6000):
        sound[start : start + size] = sound[start - 1] if held else 0
    lost = 8 * size / RATE
    assert gap_ratio(sound, RATE) == (pytest.approx(lost, rel=0.1) if found else 0)


def test_a_gate_that_fades_and_cut_tops_are_no_gaps() -> None:
    gated = NOISE * np.clip(np.sin(2 * np.pi * 3 * TIME) * 3, 0, 1)
    assert gap_ratio(quantised(gated), RATE) == 0
    assert gap_ratio(quantised(np.clip(np.sin(2 * np.pi * 20 * TIME) * 4, -0.9, 0.9)), RATE) == 0


@pytest.mark.parametrize(("before", "after"), [(0, 0), (500, 0), (0, 300), (500, 300)])
def test_constant_ends_are_left_out(before: int, after: int) -> None:
    middle = np.arange(1, 100) % 7 + 1.0
    assert len(sounding(np.concatenate((np.zeros(before), middle, np.zeros(after))))) - 99 in range(3)


@pytest.mark.parametrize("sound", [np.zeros(0), np.zeros(9), np.full(9, 0.5)])
def test_sound_without_change_is_none(sound: np.ndarray) -> None:
    awake = sounding(sound)
    assert len(awake) == clipped_ratio(awake) == gap_ratio(awake, RATE) == 0

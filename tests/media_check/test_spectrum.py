"""Where a device cuts, and hum under a voice."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import butter, resample, sosfilt

from media_check import spectrum
from tests.media_check.sounds import quantised, ratio, room_noise


def room(rate: int, level: float) -> np.ndarray:
    return room_noise(rate * 2, rate, np.random.default_rng(7)) * ratio(level)


@pytest.mark.parametrize("rate", [48_000, 44_100])
@pytest.mark.parametrize(("carried", "hertz"), [(8_000, 4_000), (16_000, 8_000), (24_000, 12_000)])
def test_the_cut_is_found(rate: int, carried: int, hertz: int) -> None:
    sound = quantised(resample(resample(room(rate, -45), 2 * carried), 2 * rate))
    assert spectrum.bandwidth(sound, rate) == pytest.approx(hertz, abs=500)


@pytest.mark.parametrize("rate", [48_000, 16_000, 8_000])
def test_without_a_cut_it_is_half_the_rate(rate: int) -> None:
    assert spectrum.bandwidth(quantised(room(rate, -50)), rate) == rate / 2


def test_a_gentle_slope_is_no_cut() -> None:
    dull = sosfilt(butter(2, 2500, fs=48_000, output="sos"), room(48_000, -40))
    assert spectrum.bandwidth(quantised(dull), 48_000) == 24_000


def test_too_quiet_to_tell() -> None:
    assert spectrum.bandwidth(quantised(room(48_000, -96)), 48_000) is None
    assert spectrum.bandwidth(np.zeros(100), 48_000) is None
    assert spectrum.hum(np.zeros(100), 48_000) is None

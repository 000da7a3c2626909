"""The sweep and its matched filter, in rooms made by code."""

from __future__ import annotations

import numpy as np
import pytest

from media_check import echo
from tests.media_check import rooms
from tests.media_check.rooms import OTHERS, RATE, at
from tests.media_check.seeds import many

SECONDS = echo.SWEEP_S + 0.6
PLAYED = echo.sweep(RATE)
PLAYED_DBFS = 10 * np.log10(np.mean(PLAYED.astype(float) ** 2))
LENGTH = round(SECONDS * RATE)
OWN = 0.0002  # the filter's own step at this rate, and rounding
DELAYS, GAINS = (0.01, 0.05, 0.12, 0.2, 0.4), (0, -6, -20, -40, -60)


def heard(sound: np.ndarray, rate: int = RATE) -> echo.Echo:
    return echo.heard(echo.sweep(rate), sound.astype(np.float32), rate)


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
def test_sweep_keeps_its_level_and_sounds_like_speech(rate: int) -> None:
    played = echo.sweep(rate)
    assert played.dtype == np.float32
    assert len(played) == round(echo.SWEEP_S * rate)
    assert np.abs(played).max() == pytest.approx(0.1)  # -20 dBFS
    assert np.abs(played[[0, -1]]).max() < 1e-4
    power = np.abs(np.fft.rfft(played)) ** 2
    frequency = np.fft.rfftfreq(len(played), 1 / rate)
    assert power[frequency < 1000].sum() > 0.6 * power.sum()
    assert power[frequency < 150].sum() < 0.01 * power.sum()


@pytest.mark.parametrize("gain", GAINS)
@pytest.mark.parametrize("delay", DELAYS)
def test_quiet_room(delay: float, gain: int) -> None:
    noise = np.random.default_rng(1).normal(0, 10 ** (-75 / 20), LENGTH)
    found = heard(rooms.echo(PLAYED, SECONDS, delay, gain) + noise)
    assert found.heard
    assert found.delay_seconds == pytest.approx(delay, abs=OWN)
    assert found.return_loss_db == pytest.approx(-gain, abs=0.7)


@pytest.mark.parametrize("rate", [8000, 44100, 48000])
def test_other_rates(rate: int) -> None:
    found = heard(rooms.echo(echo.sweep(rate), SECONDS, 0.123, -30, rate), rate)
    assert found.delay_seconds == pytest.approx(0.123, abs=OWN)
    assert found.return_loss_db == pytest.approx(30, abs=0.7)


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("below", [0, 6, 12])
def test_other_sounds_meanwhile(name: str, below: int) -> None:
    """An echo that is weaker, by `below` dB, than what is heard besides."""
    rng = np.random.default_rng(below)
    for _ in range(2):
        delay, gain = rng.uniform(0.01, 0.4), rng.uniform(-40, -10)
        other = at(OTHERS[name](LENGTH, rng), PLAYED_DBFS + gain + below)
        found = heard(rooms.echo(PLAYED, SECONDS, delay, gain) + other)
        assert found.heard
        assert found.delay_seconds == pytest.approx(delay, abs=0.005)
        assert found.return_loss_db == pytest.approx(-gain, abs={0: 1, 6: 3, 12: 6}[below])


@pytest.mark.parametrize("name", OTHERS)
def test_nothing_is_found_where_nothing_was_played(name: str) -> None:
    rng = np.random.default_rng(3)
    sounds = (at(OTHERS[name](LENGTH, rng), rng.uniform(-60, -10)) for _ in range(many(6)))
    assert [found for found in map(heard, sounds) if found.heard] == []


@pytest.mark.parametrize("lasts", [0.2, 0.4, 0.8])
def test_reverberation_is_counted_and_the_direct_sound_is_first(lasts: float) -> None:
    rng = np.random.default_rng(5)
    wet = rooms.reverberant(rooms.echo(PLAYED, SECONDS, 0.08, -20), rng, lasts)
    found = heard(wet + rng.normal(0, 10 ** (-75 / 20), LENGTH))
    assert found.delay_seconds == pytest.approx(0.08, abs=0.001)
    assert found.return_loss_db == pytest.approx(20 - 10 * np.log10(2), abs=2)


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("clipped", lambda x: np.clip(x * 30, -1, 1)),
        ("a gap of 0.1 s", lambda x: np.where((np.arange(len(x)) // 1600) == 6, 0, x)),
        ("16 bits", lambda x: np.round(x * 32768) / 32768),
        ("upside down", lambda x: -x),
        ("telephone band", lambda x: _telephone(x)),
        ("another clock, 100 ppm", lambda x: np.interp(np.arange(len(x)) * 1.0001, np.arange(len(x)), x)),
    ],
)
def test_bad_microphones_hear_it(what: str, change: object) -> None:
    assert callable(change)
    found = heard(change(rooms.echo(PLAYED, SECONDS, 0.15, -20)) + np.random.default_rng(1).normal(0, 1e-4, LENGTH))
    assert found.heard, what
    assert found.delay_seconds == pytest.approx(0.15, abs=0.001)


def _telephone(sound: np.ndarray) -> np.ndarray:
    spectrum = np.fft.rfft(sound)
    frequency = np.fft.rfftfreq(len(sound), 1 / RATE)
    return np.fft.irfft(np.where((frequency > 300) & (frequency < 3400), spectrum, 0), len(sound))


def test_false_alarms_are_bounded() -> None:
    """The bound is what the noise's own distribution says,."""
    rng = np.random.default_rng(7)
    assert echo.bound(1000, RATE) < echo.bound(100_000, RATE) < echo.BANDS * echo.AT_MOST
    once = echo.bound(round(RATE / (echo.HIGHEST_HZ - echo.LOWEST_HZ)), RATE)
    sums = rng.exponential(size=(1_000_000, echo.BANDS)).sum(axis=1)
    assert np.mean(sums > once) == pytest.approx(echo.FALSE_ALARM, rel=0.4)


def test_zeros_are_not_heard_and_too_short_is_an_error() -> None:
    assert heard(np.zeros(LENGTH)) == echo.NOTHING
    with pytest.raises(ValueError, match="too short"):
        heard(PLAYED)


def test_backwards_is_not_the_sweep() -> None:
    assert not heard(rooms.echo(PLAYED[::-1], SECONDS, 0.1, -10)).heard

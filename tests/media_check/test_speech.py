"""Speech under rumble, and the levels of speech and noise when it is known where speech is."""

from __future__ import annotations

import numpy as np
import pytest

from media_check import speech
from tests.media_check.sounds import ratio
from tests.media_check.voices import ESPEAK, spoken

RATE = 16_000
SPEAKING = np.repeat([0.0, 1.0, 0.0, 1.0], 20)  # of 32 ms each


@pytest.mark.skipif(ESPEAK is None, reason="espeak-ng is not installed")
@pytest.mark.parametrize("language", ["sv", "en"])
def test_speech_is_found_under_a_rumble_that_is_much_louder(language: str) -> None:
    voice = spoken(language, 1, 0, RATE)[: 2 * RATE] * ratio(-48)
    rumble = np.sin(2 * np.pi * 40 * np.arange(len(voice)) / RATE) * ratio(-6)
    assert speech.is_heard(speech.chances(voice + rumble, RATE))
    assert not speech.is_heard(speech.chances(rumble, RATE))


@pytest.mark.skipif(ESPEAK is None, reason="espeak-ng is not installed")
@pytest.mark.parametrize("level", [-75, -60, -20, -3])
def test_speech_is_found_at_any_level(level: float) -> None:
    voice = spoken("sv", 1, 0, RATE)[: 2 * RATE] * ratio(level)
    assert speech.is_heard(speech.chances(np.clip(voice, -1, 1), RATE))


def talked(speech_dbfs: float, noise_dbfs: float) -> np.ndarray:
    """Noise, and more of it where SPEAKING says so."""
    random = np.random.default_rng(4).normal(size=len(SPEAKING) * speech.CHUNK)
    power = ratio(noise_dbfs) ** 2 + np.repeat(SPEAKING, speech.CHUNK) * ratio(speech_dbfs) ** 2
    return random * np.sqrt(power)


@pytest.mark.parametrize(("level", "noise"), [(-25, -60), (-25, -30), (-40, -38)])
def test_the_level_of_speech_is_without_the_noise_under_it(level: float, noise: float) -> None:
    found = speech.levels(talked(level, noise), RATE, SPEAKING)
    assert found.paused
    assert found.speech is not None
    assert 10 * np.log10(found.speech) == pytest.approx(level, abs=0.5)
    assert 10 * np.log10(found.noise) == pytest.approx(noise, abs=0.5)


def test_without_a_pause_the_noise_is_at_most_that_of_the_quietest_moments() -> None:
    found = speech.levels(talked(-25, -60), RATE, np.ones(len(SPEAKING)))
    assert not found.paused
    assert 10 * np.log10(found.noise) == pytest.approx(-60, abs=1)


def test_a_moment_is_no_speech() -> None:
    few = np.zeros(len(SPEAKING))
    few[: speech.SPEECH_CHUNKS - 1] = 1
    assert speech.levels(talked(-25, -60), RATE, few).speech is None

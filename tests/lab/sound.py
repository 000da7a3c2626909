"""Sound for the lab's loop card: what is played on one of its devices is recorded on the other. And a made voice."""

from __future__ import annotations

import contextlib
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reports.record import Device

RATE = 48000
LOOP_IN, LOOP_OUT = "alsa:hw:Loopback,1", "hw:Loopback,0"
PEAK_DBFS = -20.0


def loop_card() -> bool:
    """Is it there? Outside the lab hardly."""
    return Path("/proc/asound/Loopback").exists()


def avx2() -> bool:
    """Of this processor. The guest's has none unless asked, and what finds speech needs it."""
    return " avx2" in Path("/proc/cpuinfo").read_text()


def source(handle: str) -> Device:
    return Device("microphone", "Annas mikrofon", "Microphone", "usb", 0.9, (), None, handle)


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
    sound = np.asarray(voice * (0.3 + 0.7 * np.sin(np.pi * 4 * second) ** 2))
    return sound * 10 ** (PEAK_DBFS / 20) / np.abs(sound).max()


def _strength(frequency: NDArray[Any], formants: NDArray[Any]) -> NDArray[Any]:
    """Of one overtone (n,), given three resonances (n, 3) of 90 Hz width: higher ones are weaker."""
    widths = 1 + ((frequency[:, None] - formants) / 90) ** 2
    return np.asarray((np.array([1.0, 0.5, 0.25]) / widths).sum(axis=1))

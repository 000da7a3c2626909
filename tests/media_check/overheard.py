"""What a sound server's speaker plays, heard by its monitor, and whether it is like something known."""

from __future__ import annotations

import contextlib
import subprocess
import threading
import time
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.signal import correlate

from tests.media_check.pulse import RATE

Sound = NDArray[np.float64]


class Overheard:
    """All that came so far, in mono at RATE."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process, self._data = process, bytearray()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        while part := self._process.stdout.read(4096):
            self._data += part

    @property
    def count(self) -> int:
        """Samples."""
        return len(self._data) // 4

    def sound(self, begin: int = 0, end: int | None = None) -> Sound:
        """(end - begin,) by number of samples."""
        whole = bytes(self._data[: self.count * 4])
        return np.frombuffer(whole, np.float32)[begin:end].astype(np.float64)


@contextlib.contextmanager
def overheard(sink: str) -> Iterator[Overheard]:
    """While the block lasts."""
    words = ["pacat", "--record", "--raw", "--format=float32le", f"--rate={RATE}", "--channels=1"]
    words += ["--latency-msec=50", f"--device={sink}.monitor"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, bufsize=0) as process:
        try:
            heard, until = Overheard(process), time.monotonic() + 5
            while not heard.count:
                assert time.monotonic() < until, f"nothing comes from {sink}"
                time.sleep(0.02)
            yield heard
        finally:
            process.kill()


def sounding(sound: Sound) -> Sound:
    """Without the silence before and after it."""
    (places,) = np.nonzero(sound)
    return sound[places[0] : places[-1] + 1] if len(places) else sound[:0]


def likeness(part: Sound, looped: Sound) -> float:
    """0 to 1: the best correlation of a part with what is repeated for ever, wherever the part was begun."""
    whole = np.tile(looped, 2 + len(part) // len(looped))
    products = correlate(whole, part, mode="valid", method="fft")
    sums = np.cumsum(np.concatenate([[0.0], whole**2]))
    energies = sums[len(part) :] - sums[: -len(part)]
    return float(np.max(products / np.sqrt(energies * np.sum(part**2) + 1e-12)))

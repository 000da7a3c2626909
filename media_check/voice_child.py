"""The child of the voice check: listens as the microphone's does, keeps what it heard, and plays it when it is told to.

Samples exist in this process's memory only. It ends, and overwrites them first, when it is told to end or has kept
them for `hold` seconds; and at once when its parent is gone. It is told, one JSON object a line:

    {"play": speaker's handle, "number": n}    {"stop": n}    {"end": true}

What it says, after what sound_child says of a microphone:

    {"kept": seconds}                                            that much can be played
    {"playing": seconds, "number": n}                            it has begun, and how long it will last
    {"played": n, "failed": code | null, "detail": …, "muted": bool | null}       it has ended
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from queue import Empty, Queue
from typing import TYPE_CHECKING, Any

from media_check.sound_child import SETTLES_S, Ear, judged, listen_to, opened, unheard
from media_check.sound_device import SoundFailure, library, list_again, muted
from media_check.speaker_child import KIND, Mouth, played, speak
from processes import child
from processes.child import Say

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from media_check.speech import Sound

KEPT_S = 8.0  # the last of what was heard
# The highest sample that is played. A voice is some 17 dB fainter than its own peaks (tests/media_check/voices.py), and
# so comes at -29 dBFS: as loud as the tone before it (echo.sweep), and no fright in a headset turned up.
PEAK_DBFS = -12.0
LOUD_PERCENTILE = 95  # of the blocks' peaks: the voice's, whatever bangs there were beside it
BLOCK_S = 0.01
FADE_S = 0.03
TAIL_S = 0.1  # beyond the queue: the sound server has one of its own


class Orders:
    """What the parent says, from another thread."""

    def __init__(self) -> None:
        self._next: Queue[dict[str, Any]] = Queue()
        self._stopped: float = 0

    def hear(self, line: dict[str, Any]) -> None:
        """One of its lines."""
        if "play" in line:
            self._next.put(line)
        elif "stop" in line:
            self._stopped = max(self._stopped, line["stop"])
        else:
            self._stopped = math.inf
            self._next.put(line)

    def stopped(self, number: int) -> bool:
        """Is it not to be played any more?"""
        return number <= self._stopped

    def next(self, until: float) -> dict[str, Any] | None:
        """What to play, waited for until then (time.monotonic()). None: it is over."""
        try:
            order = self._next.get(timeout=max(0.0, until - time.monotonic()))
        except Empty:
            return None
        return order if "play" in order and not math.isinf(self._stopped) else None


@dataclass(slots=True)
class Kept:
    """The last KEPT_S of what a microphone gave: (n,), -1 to 1, at `rate` Hz."""

    samples: NDArray[np.float32]
    rate: int

    @classmethod
    def of(cls, ear: Ear) -> Kept:
        """The microphone is closed, so that a Bluetooth headset sounds well again; what it took is here alone."""
        import numpy as np

        ear.close()
        every = np.nan_to_num(np.concatenate(ear.blocks), copy=False)
        begin = max(round(SETTLES_S * ear.rate), len(every) - round(KEPT_S * ear.rate))
        kept = cls(every[begin:].copy(), ear.rate)
        for taken in (every, *ear.blocks):
            taken[:] = 0
        return kept

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.samples) / self.rate

    def wipe(self) -> None:
        """Overwritten."""
        self.samples[:] = 0


def leveled(samples: Sound, rate: int) -> NDArray[np.float32]:
    """(n,), never amplified and at most at PEAK_DBFS, faded in and out. A bang is held down alone, the voice stays.

    The gain goes in lines from block to block and is at each no higher than the block and both beside it allow.
    """
    import numpy as np

    most, size = 10 ** (PEAK_DBFS / 20), round(BLOCK_S * rate)
    blocks = np.pad(np.abs(samples), (0, -len(samples) % size)).reshape(-1, size)
    if not len(blocks):
        return np.zeros(0, np.float32)
    peaks = np.maximum(blocks.max(axis=1), 1e-9)
    gains = np.minimum(min(1.0, most / float(np.percentile(peaks, LOUD_PERCENTILE))), most / peaks)
    around = np.pad(gains, 1, mode="edge")
    lowest = np.minimum(np.minimum(around[:-2], gains), around[2:])
    place = np.arange(len(samples))
    gain = np.interp(place, (np.arange(len(lowest)) + 0.5) * size, lowest)
    fade = np.minimum(1, np.minimum(place, place[::-1]) / (FADE_S * rate))
    return np.asarray(samples * gain * fade, np.float32)


def at_rate(kept: Kept, rate: int) -> NDArray[np.float32]:
    """What is played on a speaker of that rate, Hz."""
    from media_check.speech import resampled

    if rate == kept.rate:
        return leveled(kept.samples, rate)
    copy = resampled(kept.samples, kept.rate, rate)
    try:
        return leveled(copy, rate)
    finally:
        copy[:] = 0


def listened(first: dict[str, Any], say: Say) -> Kept | None:
    """The microphone has been judged. None: it could not be, and why has been said."""
    (handle,) = first["handles"]
    try:
        ear = opened(library(), handle)
        listen_to([ear], first["seconds"], first["limit"], say)
        say({"handle": handle, **judged(ear, attended=first["attended"])})
        return Kept.of(ear)
    except SoundFailure as failure:
        say(unheard(handle, failure))
        return None


def work(first: dict[str, Any], say: Say, orders: Orders) -> None:
    """As sound_child's, with one handle; then `hold` seconds of playing what is asked for."""
    kept = listened(first, say)
    if kept is None:
        return
    try:
        say({"kept": kept.seconds})
        until = time.monotonic() + first["hold"]
        while (order := orders.next(until)) is not None:
            _play(kept, order, orders, say)
    finally:
        kept.wipe()


def _play(kept: Kept, order: dict[str, Any], orders: Orders, say: Say) -> None:
    number = order["number"]
    off, failed, detail = None, None, ""
    try:
        off = None if orders.stopped(number) else _aloud(kept, order["play"], number, orders, say)
    except SoundFailure as failure:
        failed, detail = failure.code, failure.detail
    say({"played": number, "failed": failed, "detail": detail, "muted": off})


def _aloud(kept: Kept, handle: str, number: int, orders: Orders, say: Say) -> bool | None:
    """Is the speaker's own switch off? SoundFailure: it cannot be opened, or stopped taking the sound."""
    sounddevice = library()
    if not handle.startswith("pulse:"):
        list_again(sounddevice)
    mouth = speak(sounddevice, handle, lambda rate: at_rate(kept, rate))
    try:
        say({"playing": len(mouth.sound) / mouth.rate, "number": number})
        played(mouth, handle, lambda: _unless_stopped(mouth, number, orders))
        time.sleep(min(1.0, mouth.stream.latency) + TAIL_S)
        return muted(KIND, handle)
    finally:
        mouth.close()


def _unless_stopped(mouth: Mouth, number: int, orders: Orders) -> None:
    if orders.stopped(number):
        mouth.hush()


def main() -> None:
    """Its lines are heard from the first one on."""
    orders = Orders()
    child.run(lambda first, say: work(first, say, orders), orders.hear)


if __name__ == "__main__":
    main()

"""The far end of the loop card: what the program plays comes back to it a known number of samples later, and weaker.

`python -m tests.lab.far_end` says "ready". Then each line "DELAY FACTOR" that it is told holds from then on, and it
says how often it was late since the one before. One stream both ways runs all the time, so what it adds of its own is
the same for every DELAY, unless it was late.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from media_check.sound_device import RATE, find, library

CARD = "alsa:hw:Loopback,1"
QUEUE_S = 0.2
BOTH_EARS, ONE = 2, 1  # as the program plays, and as it listens


class Room:
    """A delay line of a second."""

    def __init__(self) -> None:
        self.sound = np.zeros(RATE, np.float32)
        self.at, self.delay, self.factor, self.late = 0, 0, 0.0, 0

    def turn(self, given: Any, wanted: Any, frames: int, _times: Any, status: Any) -> None:
        """A block of what came, and one to give back."""
        now = self.at + np.arange(frames)
        self.sound[now % RATE] = given[:, 0]
        wanted[:, 0] = self.factor * self.sound[(now - self.delay) % RATE]
        self.at += frames
        self.late += bool(status)


def main() -> None:
    sounddevice, room = library(), Room()
    both = find(sounddevice, "microphone", CARD), find(sounddevice, "speaker", CARD)
    with sounddevice.Stream(RATE, 0, both, (BOTH_EARS, ONE), "float32", QUEUE_S, callback=room.turn):
        print("ready", flush=True)
        for line in sys.stdin:
            delay, factor = line.split()
            room.delay, room.factor = int(delay), float(factor)
            late, room.late = room.late, 0
            print(late, flush=True)


if __name__ == "__main__":
    main()

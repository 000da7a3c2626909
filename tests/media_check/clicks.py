"""How late a speaker is heard by a microphone, measured without sweep or filter: `python -m tests.media_check.clicks`.

Clicks are played and looked for among the samples: the median, in seconds, from the block asked for to the block given.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from media_check.sound_child import LATENCY_S
from media_check.sound_device import RATE, find, library

CLICKS, EACH_S = 5, 0.4


def main(speaker: str, microphone: str) -> float:
    sounddevice = library()
    went: list[float] = []
    came: list[float] = []
    at = [0]

    def give(block: np.ndarray, *_: object) -> None:
        block[:] = 0
        place = -at[0] % round(EACH_S * RATE)
        if place < len(block) and at[0] > 0:
            block[place] = 0.5
            went.append(time.monotonic() + place / RATE)
        at[0] += len(block)

    def take(block: np.ndarray, *_: object) -> None:
        place = int(np.argmax(np.abs(block)))
        now = time.monotonic() - (len(block) - place) / RATE
        if abs(block[place, 0]) > 0.1 and (not came or now - came[-1] > EACH_S / 2):
            came.append(now)

    with (
        sounddevice.InputStream(
            RATE, 0, find(sounddevice, "microphone", microphone), 1, "float32", LATENCY_S, None, take
        ),
        sounddevice.OutputStream(RATE, 0, find(sounddevice, "speaker", speaker), 1, "float32", LATENCY_S, None, give),
    ):
        time.sleep((CLICKS + 1) * EACH_S)
    return float(np.median([b - a for a, b in zip(went, came, strict=False)]))


if __name__ == "__main__":
    print(main(*sys.argv[1:]))

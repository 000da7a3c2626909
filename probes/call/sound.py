"""A sound shaped as speech is: a voice's harmonics under formants, in syllables, with a pause after each phrase."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RATE = 48_000
PACKET_SAMPLES = 960  # 20 ms
LOOP_S = 2.0  # a phrase of 1.6 s and a pause; whole syllables and periods, so that it can be repeated
PITCH_HZ, SYLLABLES_PER_S, HIGHEST_HZ = 120.0, 5.0, 4000.0
FORMANTS_HZ = (500.0, 1500.0, 2500.0)
LOUDEST = 9000  # of 32767: some -17 dBFS in a syllable


def phrase() -> NDArray[np.int16]:
    """LOOP_S of it, one channel, 16 bits."""
    import numpy as np

    t = np.arange(int(RATE * LOOP_S)) / RATE
    voice = np.zeros_like(t)
    glide = 0.25 / np.pi * np.sin(2 * np.pi * t)  # the pitch goes up and down, a second at a time
    for harmonic in range(1, int(HIGHEST_HZ / PITCH_HZ)):
        gain = sum(1 / (1 + ((harmonic * PITCH_HZ - f) / 150) ** 2) for f in FORMANTS_HZ) + 0.3 / harmonic
        voice += gain * np.sin(2 * np.pi * harmonic * (PITCH_HZ * t + PITCH_HZ / 60 * glide) + harmonic**2)
    syllables = np.clip(np.sin(2 * np.pi * SYLLABLES_PER_S / 2 * t) ** 2 * 1.3 - 0.15, 0, 1)
    spoken = voice / np.abs(voice).max() * syllables * (t < 0.8 * LOOP_S)
    return np.asarray((spoken * LOUDEST).astype(np.int16))

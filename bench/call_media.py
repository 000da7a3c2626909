"""Sound and picture as a call has them, encoded once: what the callers of the benchmark send round and round."""

from __future__ import annotations

import fractions
from dataclasses import dataclass

import av
import numpy as np
from aiortc.codecs.opus import OpusEncoder
from aiortc.codecs.vpx import Vp8Encoder

PICTURES_PER_S, SOUNDS_PER_S = 30, 50
SECONDS = 3
WIDTH, HEIGHT, BITS_PER_S = 640, 480, 500_000


@dataclass(frozen=True)
class Media:
    """Payloads of RTP packets: of each sound packet, and of each picture."""

    sounds: list[bytes]
    pictures: list[list[bytes]]

    @property
    def packets_per_s(self) -> float:
        return SOUNDS_PER_S + sum(map(len, self.pictures)) / SECONDS

    @property
    def bits_per_s(self) -> float:
        octets = sum(map(len, self.sounds)) * SOUNDS_PER_S / len(self.sounds)
        return 8 * (octets + sum(len(p) for picture in self.pictures for p in picture) / SECONDS)


def make() -> Media:
    """Some seconds of each."""
    return Media(_sounds(), _pictures())


def _sounds() -> list[bytes]:
    encoder, samples = OpusEncoder(), 48_000 // SOUNDS_PER_S
    wave = (8000 * np.sin(np.arange(samples) * 2 * np.pi * 220 / 48_000)).astype(np.int16)
    payloads = []
    for number in range(SOUNDS_PER_S):
        frame = av.AudioFrame.from_ndarray(np.repeat(wave, 2)[None, :], format="s16", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, number * samples, fractions.Fraction(1, 48_000)
        payloads += encoder.encode(frame)[0]
    return payloads


def _pictures() -> list[list[bytes]]:
    encoder, noise = Vp8Encoder(), np.random.default_rng(1)
    encoder.target_bitrate = BITS_PER_S
    still = noise.integers(0, 255, (HEIGHT // 16, WIDTH // 16, 3), np.uint8).repeat(16, 0).repeat(16, 1)
    payloads = []
    for number in range(PICTURES_PER_S * SECONDS):
        moved = np.roll(still, 2 * number, 1)
        moved[::2, ::2] += noise.integers(0, 5, (HEIGHT // 2, WIDTH // 2, 3), np.uint8)
        frame = av.VideoFrame.from_ndarray(moved, format="rgb24")
        frame.pts, frame.time_base = number * 90_000 // PICTURES_PER_S, fractions.Fraction(1, 90_000)
        payloads.append(encoder.encode(frame, force_keyframe=number == 0)[0])
    return payloads

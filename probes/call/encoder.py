"""aiortc's VP8 encoder on a ladder of bit rates.

It starts anew, with a whole picture, at each change of more than a tenth, while other programs' encoders just go on.
In a queue that fills and empties it would do so all the time, and its own pictures would be what fills the queue.
Only the child process imports this module.
"""

from __future__ import annotations

from typing import Any

import aiortc.codecs
from aiortc.codecs import vpx

LADDER_BITS = (250_000, 500_000, 1_000_000)  # per second


class LadderEncoder(vpx.Vp8Encoder):
    """Takes the highest rung that the other end's estimate reaches."""

    @property
    def target_bitrate(self) -> int:
        """Bits per second."""
        return super().target_bitrate

    @target_bitrate.setter
    def target_bitrate(self, bitrate: int) -> None:
        rung = max((bits for bits in LADDER_BITS if bits <= bitrate), default=LADDER_BITS[0])
        vpx.Vp8Encoder.target_bitrate.fset(self, rung)  # type: ignore[attr-defined]


def install(most_bits: int) -> None:
    """For every call of this process: the ladder, and no more than that."""
    vpx.MAX_BITRATE = most_bits
    vpx.DEFAULT_BITRATE = min(vpx.DEFAULT_BITRATE, most_bits)
    codecs: Any = aiortc.codecs
    codecs.Vp8Encoder = LadderEncoder  # where get_encoder looks: a test holds that

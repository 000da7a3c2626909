"""A synthetic picture that moves as a talking head does, and carries its number and time where codecs keep it.

The stamp is three rows of 16x16 blocks of luminance (VP8's macroblocks) at the picture's top: 32 bits of number, 64 of
time.monotonic_ns() and 24 of checksum, most significant bit first, light is 1. Blocks of one brightness cost a codec
little and survive its coarsest quantizer. The time is rounded to 65 µs, so that fewer blocks flicker.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Plane = NDArray[np.uint8]

WIDTH, HEIGHT = 640, 480
BLOCK, COLUMNS, ROWS = 16, WIDTH // 16, 3
DARK, LIGHT, BETWEEN = 56, 200, 128
TIME_STEP_NS = 1 << 16
HEAD_WIDTH, HEAD_HEIGHT = 200, 280


def _bits(number: int, at_ns: int) -> list[int]:
    said = number.to_bytes(4, "big") + (at_ns // TIME_STEP_NS * TIME_STEP_NS).to_bytes(8, "big")
    whole = said + (zlib.crc32(said) >> 8).to_bytes(3, "big")
    return [byte >> bit & 1 for byte in whole for bit in range(7, -1, -1)]


def write_stamp(luminance: Plane, number: int, at_ns: int) -> None:
    """Into the top of a picture's luminance. `number` < 2**32."""
    import numpy as np

    blocks = np.array(_bits(number, at_ns), dtype=np.uint8).reshape(ROWS, COLUMNS) * (LIGHT - DARK) + DARK
    luminance[: ROWS * BLOCK, : COLUMNS * BLOCK] = blocks.repeat(BLOCK, axis=0).repeat(BLOCK, axis=1)


def read_stamp(luminance: Plane) -> tuple[int, int] | None:
    """Number and time; None when it is none, or was damaged."""
    import numpy as np

    if luminance.shape[0] < ROWS * BLOCK or luminance.shape[1] < COLUMNS * BLOCK:
        return None
    inner = luminance[: ROWS * BLOCK, : COLUMNS * BLOCK].reshape(ROWS, BLOCK, COLUMNS, BLOCK)[:, 4:12, :, 4:12]
    whole = np.packbits(inner.mean(axis=(1, 3)) > BETWEEN).tobytes()
    said = whole[:12]
    if (zlib.crc32(said) >> 8).to_bytes(3, "big") != whole[12:]:
        return None
    return int.from_bytes(said[:4], "big"), int.from_bytes(said[4:], "big")


def _texture(height: int, width: int, grain: int, contrast: float, seed: int) -> Any:
    """Soft blotches, about `grain` pixels wide, around zero."""
    import numpy as np

    random = np.random.default_rng(seed)
    coarse = random.normal(0, contrast, (height // grain + 2, width // grain + 2))
    rows, columns = np.linspace(0, coarse.shape[0] - 1.001, height), np.linspace(0, coarse.shape[1] - 1.001, width)
    top, left = rows.astype(int), columns.astype(int)
    down, right = (rows - top)[:, None], (columns - left)[None, :]
    upper = coarse[top][:, left] * (1 - right) + coarse[top][:, left + 1] * right
    lower = coarse[top + 1][:, left] * (1 - right) + coarse[top + 1][:, left + 1] * right
    return upper * (1 - down) + lower * down


class Scene:
    """A still background, a textured head that sways, a mouth that moves, and a camera's grain on the head."""

    def __init__(self) -> None:
        import numpy as np

        background = 110 + _texture(HEIGHT, WIDTH, 40, 25, 1) + _texture(HEIGHT, WIDTH, 6, 4, 2)
        self._background = np.clip(background, 16, 235).astype(np.uint8)
        self._heads = [self._head(grain) for grain in range(4)]
        y, x = np.ogrid[-1 : 1 : HEAD_HEIGHT * 1j, -1 : 1 : HEAD_WIDTH * 1j]
        self._shape = (x * x + y * y) < 1
        self.luminance = self._background.copy()
        self.chroma = np.full((HEIGHT // 2, WIDTH // 2), 128, dtype=np.uint8)

    @staticmethod
    def _head(grain: int) -> Plane:
        import numpy as np

        face = (
            150 + _texture(HEAD_HEIGHT, HEAD_WIDTH, 24, 22, 3) + _texture(HEAD_HEIGHT, HEAD_WIDTH, 3, 2.5, 10 + grain)
        )
        return np.asarray(np.clip(face, 16, 235).astype(np.uint8))

    def draw(self, number: int, at_ns: int) -> Plane:
        """The picture of that number, 30 to the second: valid until the next is drawn."""
        import math

        import numpy as np

        top = 110 + round(14 * math.sin(number / 19))
        left = (WIDTH - HEAD_WIDTH) // 2 + round(40 * math.sin(number / 31))
        face = self._heads[number % len(self._heads)].copy()
        mouth = 6 + round(8 * abs(math.sin(number / 3)))
        face[200 : 200 + mouth, 70:130] = 60
        drawn: Plane = self.luminance
        np.copyto(drawn, self._background)
        np.copyto(drawn[top : top + HEAD_HEIGHT, left : left + HEAD_WIDTH], face, where=self._shape)
        write_stamp(drawn, number, at_ns)
        return drawn

"""Sharpness and torn pictures: what goes wrong in the lens, and between camera and program. Pure; used by picture.py.

Sharpness: the width of the strongest edges, from how much they fade under two known blurs (Zhuo and Sim, "Defocus map
estimation from a single image", Pattern Recognition 2011). Torn: rows that do not belong to the rows above them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from media_check.light import luma

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FINE, COARSE = 1.0, 3.0  # pixels at 360 rows: the two known blurs; the fine one takes the grain and JPEG's blocks away
EDGES = 0.01  # of the pixels: the strongest edges
EDGE_LEAST = 2.0  # levels a pixel: weaker ones are grain
SHARPEST = 75  # of 100: the sharper of them count, since a room behind may be out of focus
BLURRED = 1.7  # pixels at 360 rows, 3.4 at 720: letters on a wall become unreadable, faces lose their eyes
TORN_FRAMES = 0.15  # of the frames: a first one that is broken is usual, and nobody sees it
JUMP = 5.0  # levels between two rows, beside what is between them in the other frames
JUMP_RATIO = 3.5  # of the usual between the rows near by: a tear is one row high
LEFT_GREY, LEFT_GREEN = (128, 128, 128), (0, 135, 0)  # BGR of what was not decoded: all 128, or all 0, in YCbCr
LEFT_NEAR = 8  # levels around them
LEFT_SPREAD = 1.0  # levels within a row: a real grey wall has grain
LEFT_ROWS = 0.08  # of the height
SHIFT_LEAST = 8  # columns: a row that fits the one above when shifted by more is torn
SHIFT_LIKE, SHIFT_UNLIKE = 0.9, 0.6  # correlation shifted, and in place


def faults(small: Sequence[NDArray[np.uint8]], mean: NDArray[np.float32]) -> list[str]:
    """Words of picture.FAULTS that are about sharpness and order. `small`: frames (H, W, 3), `mean` theirs."""
    found = []
    if is_torn(small):
        found.append("torn")
    elif is_blurred(mean):
        found.append("blurred")
    return found


def is_blurred(mean: NDArray[np.float32]) -> bool:
    """Whether even the sharpest edges are wide, or there is none."""
    width = edge_width(mean)
    return width is None or width > BLURRED


def edge_width(mean: NDArray[np.float32]) -> float | None:
    """Spread of the sharper edges in pixels at 360 rows, as a Gaussian's sigma. None: no edge stands out."""
    import numpy as np

    grey = luma(mean)
    fine, coarse = _slope(grey, FINE), _slope(grey, COARSE)
    strong = fine >= max(EDGE_LEAST, float(np.quantile(fine, 1 - EDGES)))
    if strong.mean() < EDGES / 10:
        return None
    ratio = float(np.percentile(fine[strong] / np.maximum(coarse[strong], 1e-3), SHARPEST))
    if ratio <= 1.0:
        return COARSE * 10
    return float(np.sqrt(max(0.0, (COARSE**2 - (ratio * FINE) ** 2) / (ratio**2 - 1))))


def _slope(grey: NDArray[np.float32], blur: float) -> NDArray[np.float32]:
    """Steepness in levels a pixel after a Gaussian blur."""
    import cv2

    soft = cv2.GaussianBlur(grey, (0, 0), blur)
    across, down = cv2.Sobel(soft, cv2.CV_32F, 1, 0, scale=0.125), cv2.Sobel(soft, cv2.CV_32F, 0, 1, scale=0.125)
    return cv2.magnitude(across, down)  # type: ignore[return-value]


def is_torn(small: Sequence[NDArray[np.uint8]]) -> bool:
    """Whether rows are shifted, missing or from another picture in TORN_FRAMES of the frames."""
    import cv2
    import numpy as np

    planes = [cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY).astype(np.float32) for frame in small]
    steps = np.array([np.abs(np.diff(plane, axis=0)).mean(axis=1) for plane in planes])
    jumps = _jumps(steps)
    broken = sum(
        bool(jump or _is_half_decoded(frame) or _is_shifted(plane, step))
        for frame, plane, step, jump in zip(small, planes, steps, jumps, strict=True)
    )
    return broken >= max(1, TORN_FRAMES * len(planes))


def _jumps(steps: NDArray[np.float32]) -> list[bool]:
    """Frames with a step between two rows that neither the other frames nor the rows near by have. `steps` (N, H-1)."""
    import numpy as np

    extra = steps - np.median(steps, axis=0) if len(steps) > 2 else np.zeros_like(steps)
    usual = np.array([_usual(row) for row in steps])
    jumped = (extra > JUMP) & (steps > JUMP_RATIO * usual)
    return [bool(row.any()) for row in jumped]


def _usual(steps: NDArray[Any]) -> NDArray[Any]:
    """The median of the six steps on either side."""
    import numpy as np

    wide = np.pad(steps, 6, mode="reflect")
    return np.asarray(np.median(np.lib.stride_tricks.sliding_window_view(wide, 13), axis=1))


def _is_half_decoded(frame: NDArray[np.uint8]) -> bool:
    """Rows without any grain in the colour that decoders leave where data is missing."""
    import numpy as np

    some = frame[:, ::4]
    spread, level = some.std(axis=1).max(axis=1), some.mean(axis=1)
    left = np.zeros(len(frame), dtype=bool)
    for colour in (LEFT_GREY, LEFT_GREEN):
        left |= (np.abs(level - np.array(colour)) < LEFT_NEAR).all(axis=1)
    return bool((left & (spread < LEFT_SPREAD)).mean() > LEFT_ROWS)


def _is_shifted(plane: NDArray[np.float32], steps: NDArray[np.float32]) -> bool:
    """Whether below the strongest step the picture goes on, but further to the side."""
    import numpy as np

    strongest = np.argsort(steps)[-3:]
    return any(steps[at] > JUMP and _fits_shifted(plane[at], plane[at + 1]) for at in strongest)


def _fits_shifted(above: NDArray[np.float32], below: NDArray[np.float32]) -> bool:
    """Circular correlation of two rows, by FFT: like another far to the side, and unlike in place."""
    import numpy as np

    a, b = above - above.mean(), below - below.mean()
    size = float(np.sqrt((a @ a) * (b @ b)))
    if size < len(a) * 25:  # rows of less than 5 levels' spread say nothing
        return False
    fit = np.fft.irfft(np.fft.rfft(b) * np.conj(np.fft.rfft(a)), n=len(a)) / size
    best = int(np.argmax(fit))
    shift = min(best, len(a) - best)
    return bool(shift > SHIFT_LEAST and fit[best] > SHIFT_LIKE and fit[0] < SHIFT_UNLIKE)

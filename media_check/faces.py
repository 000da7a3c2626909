"""Where a face is in a picture: OpenCV's Haar cascade, whose model lies in the pinned opencv-python-headless < 5 wheel.

Viola and Jones, "Rapid object detection using a boosted cascade of simple features" (CVPR 2001). It finds faces that look
towards the camera. It says where a face is, never whose; nothing of it is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MODEL = "haarcascade_frontalface_alt2.xml"  # of the four frontal ones the fastest, with as many of real faces found
SCALE = 1.1  # the step between window sizes; 1.2 is twice as fast and misses more of the slightly turned ones
NEIGHBOURS = 3  # windows that must agree: OpenCV's default
SMALLEST = 0.05  # of the picture's height: below it a face is a dozen grains of noise
NEAR = 0.15  # from here on it is a person at the desk; looked for first, in a small copy
PADDING = 0.12  # of the height: a face cut by the border is found when the border is drawn out
NEAR_HEIGHT = 240  # rows: the cascade's window has 20, which is 0.083 of them
FAR_HEIGHT = 432  # rows: a face of SMALLEST has 21


@dataclass(frozen=True)
class Face:
    """A box around brows to chin, in shares of the picture's width (x, width) and height (y, height)."""

    x: float
    y: float
    width: float
    height: float

    @property
    def margin(self) -> float:
        """Distance to the nearest border, in shares of that side; below 0 it is cut."""
        return min(self.x, self.y, 1 - self.x - self.width, 1 - self.y - self.height)


def find(luma: NDArray[np.uint8]) -> Face | None:
    """The largest face in a picture of luma (H, W), 0-255, or None: a near one, a near one in the shade, a far one."""
    return (
        _search(luma, NEAR_HEIGHT, NEAR * 0.75, 1.0)
        or _search(_lifted(luma), NEAR_HEIGHT, NEAR * 0.75, 1.0)
        or _search(luma, FAR_HEIGHT, SMALLEST, NEAR)
    )


def _lifted(luma: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Local contrast evened out, so that a face before a window has features."""
    import cv2

    return cv2.createCLAHE(clipLimit=4.0, tileGridSize=(4, 4)).apply(luma)  # type: ignore[return-value]


def _search(luma: NDArray[np.uint8], rows: int, least: float, most: float) -> Face | None:
    """Faces between `least` and `most` of the height, in a copy of at most `rows` rows."""
    import cv2

    high, wide = luma.shape
    factor = min(1.0, rows / high)
    small = cv2.resize(luma, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA) if factor < 1 else luma
    edge = round(PADDING * small.shape[0])
    padded = cv2.copyMakeBorder(small, edge, edge, edge, edge, cv2.BORDER_REPLICATE)
    smallest, largest = (max(20, round(share * small.shape[0])) for share in (least, most))
    boxes: Any = _cascade().detectMultiScale(
        padded, SCALE, NEIGHBOURS, minSize=(smallest, smallest), maxSize=(largest, largest)
    )
    if len(boxes) == 0:
        return None
    x, y, width, height = (float(side) for side in max(boxes, key=lambda box: box[3]))
    across, down = wide * factor, high * factor
    return Face((x - edge) / across, (y - edge) / down, width / across, height / down)


@lru_cache(maxsize=1)
def _cascade() -> Any:
    """The detector. RuntimeError when the wheel lacks its model (OpenCV 5 does)."""
    import cv2

    cascade = cv2.CascadeClassifier(cv2.data.haarcascades + MODEL)
    if cascade.empty():
        raise RuntimeError(f"OpenCV {cv2.__version__} has no {MODEL}")
    return cascade

"""Where a face is in a picture: OpenCV's Haar cascade, whose model lies in the pinned opencv-python-headless < 5 wheel.

Viola and Jones, "Rapid object detection using a boosted cascade of simple features" (CVPR 2001). It finds faces that
look towards the camera. It says where a face is, never whose; nothing of it is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MODEL = "haarcascade_frontalface_alt2.xml"  # of the four frontal ones the fastest, with as many of real faces found
SCALE = 1.1  # the step between window sizes; 1.2 is twice as fast and misses more of the slightly turned ones
NEIGHBOURS = 3  # windows that must agree: OpenCV's default
SURE_NEIGHBOURS = 8  # real faces have 10 to 40; a bookshelf or a picture on the wall has been seen with 5
FAR_NEIGHBOURS = 2  # a small face fits fewer windows; two frames must show it anyway
SHADE_NEIGHBOURS = 6  # one picture alone, so more
SMALLEST = 0.05  # of the picture's height: below it a face is a dozen grains of noise
NEAR = 0.15  # from here on it is a person at the desk; looked for first, in a small copy
PADDING = 0.12  # of the height: a face cut by the border is found when the border is drawn out
NEAR_HEIGHT = 240  # rows: the cascade's window has 20, which is 0.083 of them
FAR_HEIGHT = 540  # rows: a face of SMALLEST has 27; at 432 every third of the small ones is missed


@dataclass(frozen=True)
class Face:
    """A box around brows to chin, in shares of the picture's width (x, width) and height (y, height)."""

    x: float
    y: float
    width: float
    height: float

    def is_at(self, other: Face) -> bool:
        """Whether both are one face that moved a little."""
        near = abs(self.x - other.x) < self.width / 2 and abs(self.y - other.y) < self.height / 2
        return near and 0.6 < self.height / other.height < 1.6

    @property
    def margin(self) -> float:
        """Distance to the nearest border, in shares of that side; below 0 it is cut."""
        return min(self.x, self.y, 1 - self.x - self.width, 1 - self.y - self.height)


def find(luma: NDArray[np.uint8]) -> Face | None:
    """The surest face in a picture of luma (H, W), 0-255, or None. Near ones are looked for first: that is quick.

    The cascade evens out light and contrast in each window, so a face in the shade needs no lifting beforehand.
    """
    near, agree = _search(luma, NEAR_HEIGHT, NEAR * 0.75, 1.0, NEIGHBOURS)
    if agree >= SURE_NEIGHBOURS:
        return near
    far, agree_far = _search(luma, FAR_HEIGHT, SMALLEST, NEAR, FAR_NEIGHBOURS)
    return far if agree_far > agree else near


def find_in_shade(luma: NDArray[np.float32]) -> Face | None:
    """A near face in the darkest third of the levels of the mean (H, W) of frames, whose steps are finer than 1."""
    import numpy as np

    lifted = np.clip(luma * 3, 0, 255).astype(np.uint8)
    return _search(lifted, NEAR_HEIGHT, NEAR * 0.75, 1.0, SHADE_NEIGHBOURS)[0]


def _search(luma: NDArray[np.uint8], rows: int, least: float, most: float, agree: int) -> tuple[Face | None, int]:
    """The face between `least` and `most` of the height that most windows agree on, and how many."""
    import cv2

    high, wide = luma.shape
    factor = rows / high
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    small = cv2.resize(luma, None, fx=factor, fy=factor, interpolation=how)
    edge = round(PADDING * small.shape[0])
    padded = cv2.copyMakeBorder(small, edge, edge, edge, edge, cv2.BORDER_REPLICATE)
    smallest, largest = (max(20, round(share * small.shape[0])) for share in (least, most))
    boxes, windows = _cascade().detectMultiScale2(
        padded, SCALE, agree, minSize=(smallest, smallest), maxSize=(largest, largest)
    )
    if len(boxes) == 0:
        return None, 0
    count, box = max(
        (int(count), tuple(float(side) for side in box)) for box, count in zip(boxes, windows, strict=True)
    )
    x, y, width, height = box
    across, down = wide * factor, high * factor
    return Face((x - edge) / across, (y - edge) / down, width / across, height / down), count


@lru_cache(maxsize=1)
def _cascade() -> Any:
    """The detector. RuntimeError when the wheel lacks its model (OpenCV 5 does)."""
    import cv2

    cascade = cv2.CascadeClassifier(str(Path(cv2.__file__).parent / "data" / MODEL))
    if cascade.empty():
        raise RuntimeError(f"OpenCV {cv2.__version__} has no {MODEL}")
    return cascade

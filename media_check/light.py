"""Light and colour of a camera's picture: too little, too much, from behind, tinted. Pure; used by picture.py.

All take `mean`, the mean of some frames as float32 (H, W, 3) BGR, 0-255: noise and flicker are evened out in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from media_check.faces import Face

    Mean = NDArray[np.float32]

DARK_MEAN = 56  # the whole picture: a well-lit room with dark walls has more
DARK_HIGH = 84  # its lighter parts (the 95th of 100): skin of any tone, a shirt, a wall in enough light reach it
WHITE = 248  # nothing is left to be seen in it; the steps to 255 are for JPEG
OVER_SHARE = 0.33  # of the picture is white: a window of half that is only a window
OVER_FACE = 0.2  # of the face is white
BACK_BRIGHT = 165  # the brighter quarter around the face: a window or a lamp, not a wall in the same light
BACK_SHADE = 72  # the face's brightest tenth is below: also dark skin in light has highlights, eyes and teeth above
BACK_RATIO = 0.42  # the face's brightest tenth of the surrounding's
CAST_MEAN = 0.19  # the tint of the whole in shares of its luma; a painted wall has 0.15
CAST_SHARE = 0.075  # tint that all but CAST_PART have, in the same direction: a coloured wall leaves other things alone
CAST_PART = 20  # of 100: clothes, books and pictures may have the opposite colour


def faults(mean: Mean, face: Face | None) -> list[str]:
    """Words of picture.FAULTS that are about light."""
    found = []
    if is_dark(mean):
        found.append("dark")
    if is_backlit(mean, face):
        found.append("backlit")
    elif is_over_exposed(mean, face):  # not of a window behind a face in the shade: less light would not help
        found.append("over_exposed")
    if not found and is_tinted(mean):
        found.append("colour_cast")
    return found


def texture(mean: Mean) -> float:
    """What is in the picture besides a smooth surface: the spread in levels after a quadratic one is fitted away."""
    import cv2
    import numpy as np

    small = np.asarray(cv2.resize(luma(mean), (32, 18), interpolation=cv2.INTER_AREA), dtype=np.float64)
    y, x = np.mgrid[-1:1:18j, -1:1:32j]
    surface = np.stack([np.ones_like(x), x, y, x * y, x * x, y * y, x**3, y**3], axis=-1).reshape(-1, 8)
    fit, *_ = np.linalg.lstsq(surface, small.ravel(), rcond=None)
    return float(np.std(small.ravel() - surface @ fit))


def luma(mean: Mean) -> Mean:
    """(H, W) luma, 0-255."""
    import cv2

    return cv2.cvtColor(mean, cv2.COLOR_BGR2GRAY)  # type: ignore[return-value]


def is_dark(mean: Mean) -> bool:
    """Whether the whole picture lacks light, its lighter parts too."""
    import numpy as np

    grey = luma(mean)
    return bool(grey.mean() < DARK_MEAN and np.percentile(grey, 95) < DARK_HIGH)


def is_over_exposed(mean: Mean, face: Face | None) -> bool:
    """Whether much of the picture, or of the face, is white."""
    import numpy as np

    white = np.partition(mean, 1, axis=2)[..., 1] >= WHITE  # two of three colours: warm light leaves blue some room
    if white.mean() > OVER_SHARE:
        return True
    return face is not None and bool(_inside(white, face).mean() > OVER_FACE)


def could_be_backlit(mean: Mean) -> bool:
    """Whether some of the picture is so bright that a face may be lost in the shade."""
    import numpy as np

    return bool(np.percentile(luma(mean), 80) > BACK_BRIGHT)


def is_backlit(mean: Mean, face: Face | None) -> bool:
    """Whether the face is in the shade of what is behind it."""
    import numpy as np

    if face is None:
        return False
    grey = luma(mean)
    own = float(np.percentile(_inside(grey, face), 90))
    behind = float(np.percentile(_around(grey, face), 75))
    return behind > BACK_BRIGHT and own < BACK_SHADE and own < BACK_RATIO * behind


def is_tinted(mean: Mean) -> bool:
    """Whether all of it leans to one colour (BT.601 colour differences in shares of luma)."""
    import cv2
    import numpy as np

    small = cv2.resize(mean, (64, 36), interpolation=cv2.INTER_AREA)
    bright = luma(np.asarray(small, dtype=np.float32))
    usable = (bright > 40) & (bright < 245)
    if usable.mean() < 0.05:
        return False
    parts = np.asarray(small, dtype=np.float64)[usable]
    tint = (parts[:, (0, 2)] - bright[usable, None]) / bright[usable, None]
    centre = tint.mean(axis=0)
    size = float(np.hypot(*centre))
    if size < CAST_MEAN:
        return False
    along = tint @ (centre / size)
    return bool(np.percentile(along, CAST_PART) > CAST_SHARE)


def _inside(plane: NDArray[Any], face: Face) -> NDArray[Any]:
    """The middle of a face's box: skin, eyes and mouth, no background."""
    return _cut(plane, face.x + face.width * 0.2, face.y + face.height * 0.15, face.width * 0.6, face.height * 0.75)


def _around(plane: NDArray[Any], face: Face) -> NDArray[Any]:
    """What is beside and above the head, as wide again on each side."""
    import numpy as np

    left = _cut(plane, face.x - face.width, face.y - face.height / 2, face.width * 0.8, face.height * 1.5)
    right = _cut(plane, face.x + face.width * 1.2, face.y - face.height / 2, face.width * 0.8, face.height * 1.5)
    return np.concatenate([left.ravel(), right.ravel()])


def _cut(plane: NDArray[Any], x: float, y: float, width: float, height: float) -> NDArray[Any]:
    """A box in shares of the sides; what lies outside the picture is left away, one pixel is always there."""
    high, wide = plane.shape
    top, left = (max(0, min(size - 1, round(at * size))) for at, size in ((y, high), (x, wide)))
    bottom, right = max(top + 1, round((y + height) * high)), max(left + 1, round((x + width) * wide))
    return plane[top:bottom, left:right]

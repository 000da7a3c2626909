"""The detector on real faces (scikit-image's: one portrait, and some small ones of Labeled Faces in the Wild)."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import data

from media_check import faces
from media_check.faces import Face, find, find_in_shade
from tests.media_check.seeds import ALARMS, MISSES, many

PIXELS = 160


def in_a_room(patch: NDArray[np.float64]) -> NDArray[np.uint8]:
    """A small face, enlarged, before a wall of its own border."""
    large = cv2.resize((patch * 255).astype(np.uint8), (PIXELS, PIXELS), interpolation=cv2.INTER_CUBIC)
    return cv2.copyMakeBorder(large, 100, 100, 240, 240, cv2.BORDER_REPLICATE)  # type: ignore[return-value]


def drawn(skin: float, size: int) -> NDArray[np.uint8]:
    """Ovals for hair, face, eyes, brows, cheeks, nose, mouth and chin before a grey wall; `size` in pixels."""
    picture = np.full((720, 1280), 150, np.float32)
    parts = [(0, -0.12, 0.5, 0.62, skin * 0.35), (0, 0, 0.42, 0.58, skin), (0, -0.12, 0.42, 0.12, skin * 0.9)]
    for side in (-0.19, 0.19):
        parts += [(side, -0.1, 0.12, 0.06, skin * 0.75), (side, -0.1, 0.08, 0.035, skin * 0.9 + 40)]
        parts += [
            (side, -0.1, 0.035, 0.035, 20),
            (side, -0.2, 0.12, 0.025, skin * 0.4),
            (side, 0.13, 0.1, 0.08, skin * 1.08),
        ]
    parts += [(0, 0.05, 0.045, 0.14, skin * 1.12), (0, 0.2, 0.09, 0.025, skin * 0.7)]
    parts += [(0, 0.33, 0.16, 0.045, skin * 0.55), (0, 0.44, 0.14, 0.05, skin * 1.05)]
    for x, y, wide, high, level in parts:
        centre, axes = (round(640 + x * size), round(360 + y * size)), (round(wide * size), round(high * size))
        cv2.ellipse(picture, centre, axes, 0, 0, 360, float(level), -1)
    soft = cv2.GaussianBlur(picture, (0, 0), size / 40) + np.random.default_rng(1).normal(0, 3, picture.shape)
    return np.clip(soft, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("size", [80, 160, 400])
@pytest.mark.parametrize("skin", [220, 140, 70, 45])
def test_a_drawn_face_is_found_in_the_middle_in_any_skin(skin: float, size: int) -> None:
    face = find(drawn(skin, size))
    assert face is not None
    assert (face.x + face.width / 2, face.y + face.height / 2) == pytest.approx((0.5, 0.5), abs=0.05)
    assert face.height * 720 == pytest.approx(1.1 * size, rel=0.2)


def test_nearly_all_people_are_found_and_nearly_nothing_else() -> None:
    some = slice(None, None, 100 // min(100, many(25)))
    people, other = (data.lfw_subset()[half][some] for half in (slice(100), slice(100, None)))
    missed = sum(find(in_a_room(patch)) is None for patch in people)
    assert missed <= MISSES * len(people)
    assert sum(find(in_a_room(patch)) is not None for patch in other) <= ALARMS * len(other)


@pytest.mark.parametrize("tone", [1.0, 0.5, 0.25])
def test_a_real_face_is_found_where_it_is_in_any_light(tone: float) -> None:
    picture = cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2GRAY)
    face = find((picture * tone).astype(np.uint8))
    assert face is not None
    assert (face.x + face.width / 2, face.y + face.height / 2) == pytest.approx((0.44, 0.225), abs=0.03)


def test_in_the_shade_the_mean_of_frames_shows_what_one_frame_does_not() -> None:
    picture = cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2GRAY).astype(np.float32) * 0.1
    assert find(picture.astype(np.uint8)) is None
    assert find_in_shade(picture) is not None


def test_a_face_cut_by_the_border_is_found_outside_of_it() -> None:
    picture = cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2GRAY)[:, 185:]
    face = find(picture)  # type: ignore[arg-type]
    assert face is not None
    assert face.margin < 0


@pytest.mark.parametrize(
    ("face", "margin"),
    [(Face(0.4, 0.3, 0.2, 0.3), 0.3), (Face(0.1, 0.3, 0.2, 0.3), 0.1), (Face(0.9, 0.3, 0.2, 0.3), -0.1)],
)
def test_the_margin_is_to_the_nearest_border(face: Face, margin: float) -> None:
    assert face.margin == pytest.approx(margin)


def test_without_its_model_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faces, "MODEL", "none.xml")
    faces._cascade.cache_clear()
    with pytest.raises(RuntimeError, match=r"none\.xml"):
        find(np.zeros((90, 160), np.uint8))
    faces._cascade.cache_clear()

"""Light and colour of a picture, on both sides of each limit, without looking for a face."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from media_check import light
from media_check.faces import Face
from tests.media_check.pictures import CASTS, exposed, scene

FACE = Face(0.4, 0.3, 0.2, 0.4)


@cache
def room(seed: int) -> light.Mean:
    return scene(np.random.default_rng(seed), 90, 160)


def flat(level: float) -> light.Mean:
    return np.full((90, 160, 3), level, np.float32)


def faced(face: float, behind: float) -> light.Mean:
    """One level where FACE is, another around it."""
    picture = flat(behind)
    picture[27:63, 64:96] = face
    return picture


@pytest.mark.parametrize("gains", CASTS)
@pytest.mark.parametrize("seed", range(11, 14))
def test_a_tint_of_everything_is_a_cast(gains: tuple[float, float, float], seed: int) -> None:
    assert not light.is_tinted(room(seed))
    assert light.is_tinted(exposed(room(seed), np.array(gains)))


def test_a_painted_wall_is_no_cast() -> None:
    """All leans to one colour; then a quarter of it does not, which leaves the mean above its limit."""
    picture = flat(150) * np.array([0.6, 0.95, 1.2], np.float32)
    assert light.is_tinted(picture)
    picture[:, :40] = 120
    assert not light.is_tinted(picture)


@pytest.mark.parametrize(("level", "dark"), [(20, True), (54, True), (58, False), (150, False)])
def test_dark_is_the_whole_picture(level: float, dark: bool) -> None:
    assert light.is_dark(flat(level)) == dark
    assert not light.is_dark(np.concatenate([flat(20)] * 9 + [flat(160)]))  # something in it has light


@pytest.mark.parametrize(("share", "over"), [(0.25, False), (0.4, True)])
@pytest.mark.parametrize("white", [(255, 255, 255), (200, 250, 255)])
def test_white_is_over_exposed_when_it_is_much(share: float, over: bool, white: tuple[int, int, int]) -> None:
    picture = flat(120)
    picture[: round(90 * share)] = white
    assert light.is_over_exposed(picture, None) == over


@pytest.mark.parametrize(("face", "over"), [(240, False), (252, True)])
def test_a_white_face_is_over_exposed(face: float, over: bool) -> None:
    assert light.is_over_exposed(faced(face, 120), FACE) == over


@pytest.mark.parametrize(
    ("face", "behind", "backlit"),
    [(50, 220, True), (68, 170, True), (68, 160, False), (76, 220, False), (140, 220, False), (50, 60, False)],
)
def test_backlit_is_a_dark_face_before_much_light(face: float, behind: float, backlit: bool) -> None:
    picture = faced(face, behind)
    assert light.is_backlit(picture, FACE) == backlit
    assert light.could_be_backlit(picture) == (behind > 165)
    assert not light.is_backlit(picture, None)


def test_a_window_behind_a_shaded_face_is_not_too_much_light() -> None:
    assert light.faults(faced(50, 255), FACE) == ["backlit"]
    assert light.faults(faced(120, 255), FACE) == ["over_exposed"]


def test_things_on_a_surface_are_texture_and_its_light_is_not() -> None:
    down, across = np.mgrid[-1:1:90j, -1:1:160j]
    lit = (90 + 30 * across - 20 * down - 25 * across**2).astype(np.float32)[..., None].repeat(3, axis=2)
    assert light.texture(lit) < 0.5
    lit[30:60, 50:90] += 15
    assert light.texture(lit) > 2

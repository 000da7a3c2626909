"""Sharpness against blurs that are known, and each way in which a picture tears."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from media_check import tears
from tests.media_check.pictures import TEARS, Frames, good
from tests.media_check.scenes import Random

ROWS, COLUMNS = 360, 640
SEEDS = range(40, 43)


def board(blur: float) -> NDArray[np.float32]:
    """Squares of 40 pixels, out of focus by `blur` pixels (a Gaussian's sigma)."""
    squares = np.indices((ROWS // 40, COLUMNS // 40)).sum(axis=0) % 2
    sharp = np.kron(60 + 120.0 * squares, np.ones((40, 40))).astype(np.float32)
    return np.repeat(cv2.GaussianBlur(sharp, (0, 0), blur)[..., None], 3, axis=2)


@pytest.mark.parametrize("blur", [1.2, 2.2, 4.0])
def test_the_width_of_an_edge_is_the_blur(blur: float) -> None:
    width = tears.edge_width(board(blur))
    assert width == pytest.approx(blur, abs=0.25)
    assert tears.is_blurred(board(blur)) == (blur > 2)


def test_where_no_edge_is_nothing_is_sharp() -> None:
    slope = np.broadcast_to(np.linspace(60, 190, COLUMNS, dtype=np.float32)[:, None], (ROWS, COLUMNS, 3))
    assert tears.edge_width(np.ascontiguousarray(slope)) is None
    assert tears.is_blurred(np.ascontiguousarray(slope))


@pytest.mark.parametrize("how", TEARS)
@pytest.mark.parametrize("seed", SEEDS)
def test_every_way_of_tearing(how: Callable[[Random, NDArray[np.uint8]], NDArray[np.uint8]], seed: int) -> None:
    rng = np.random.default_rng(seed)
    frames = whole(seed)
    broken = [how(rng, frame) for frame in frames]
    assert tears.is_torn(broken)
    assert tears.is_torn(broken[:1] + frames[1:])  # one of six
    assert tears.faults(broken, np.mean(broken, axis=0, dtype=np.float32)) == ["torn"]


@pytest.mark.parametrize("colour", [(128, 128, 128), (0, 135, 0)])
def test_rows_that_are_never_decoded(colour: tuple[int, int, int]) -> None:
    """The same rows in every frame: no frame has a step that the others have not."""
    frames = [frame.copy() for frame in whole(SEEDS[0])]
    for frame in frames:
        frame[250:] = colour
    assert tears.is_torn(frames)


def test_bars_before_a_step_of_light_are_not_torn() -> None:
    """Rows that fit the one above as well when shifted: by a bar's width."""
    bars = np.tile(np.repeat(np.uint8([60, 160]), 20), COLUMNS // 40)
    picture = np.repeat(np.broadcast_to(bars, (ROWS, COLUMNS))[..., None], 3, axis=2).astype(np.int16)
    picture[ROWS // 2 :] += 50
    noise = np.random.default_rng(2).integers(-4, 5, (6, *picture.shape))
    assert not tears.is_torn(list((picture + noise).astype(np.uint8)))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_whole_picture_is_neither_torn_nor_blurred(seed: int) -> None:
    frames = whole(seed)
    assert tears.faults(frames, np.mean(frames, axis=0, dtype=np.float32)) == []


@cache
def whole(seed: int) -> Frames:
    return good(np.random.default_rng(seed), ROWS, COLUMNS)

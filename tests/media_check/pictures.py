"""Labelled camera pictures made by code: what `look` must say of some frames of them.

Every case is a scene (scenes.py), a fault put into it, and what a cheap camera adds: grain, JPEG, a little movement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from media_check.picture import Look, look
from tests.media_check.scenes import Picture, Random, Sitting, room, sitting, with_person

Frames = list[NDArray[np.uint8]]
FRAMES, INTERVAL_S = 6, 0.1
SIZES = ((360, 640), (360, 640), (480, 640), (720, 1280))


@dataclass(frozen=True)
class Case:
    """`label`: good, black, frozen or a fault of picture.FAULTS."""

    label: str
    seed: int
    frames: Frames
    times: list[float]


def verdict(seen: Look) -> str:
    """One word for a look: black or frozen where those rows are red, else the first fault, else good."""
    if seen.values["camera_black_ratio"] > 1 / 3:
        return "black"
    if seen.values.get("camera_frozen_ratio", 0.0) > 1 / 3:
        return "frozen"
    return seen.faults[0] if seen.faults else "good"


def judged(case: Case) -> str:
    return verdict(look(case.frames, case.times))


def cases(count: int, seed: int, sizes: tuple[tuple[int, int], ...] = SIZES) -> Iterator[Case]:
    """`count` of each label, in turn. The same seed makes the same pictures."""
    for at in range(count):
        for label, make in MAKERS.items():
            yield case(label, make, seed + at, sizes)


def case(label: str, make: Callable[[Random, int, int], Frames], seed: int, sizes: tuple[tuple[int, int], ...]) -> Case:
    rng = np.random.default_rng([seed, list(MAKERS).index(label)])
    high, wide = sizes[int(rng.integers(len(sizes)))]
    return Case(label, seed, make(rng, high, wide), [i * INTERVAL_S for i in range(FRAMES)])


def exposed(picture: Picture, factor: float | NDArray[np.float64]) -> Picture:
    """More or less light, in linear light; what exceeds the sensor is white."""
    return np.clip(255 * (factor * (picture / 255) ** 2.2) ** (1 / 2.2), 0, 255).astype(np.float32)


def camera(rng: Random, picture: Picture, grain: float | None = None) -> Frames:
    """Frames of one scene as a camera gives them: soft optics, grain in blotches, a hand's shake, flicker, MJPG."""
    grain = float(rng.uniform(1, 7)) if grain is None else grain
    quality, optics = int(rng.uniform(60, 96)), rng.uniform(0.3, 0.75) * picture.shape[0] / 360
    soft = cv2.GaussianBlur(picture, (0, 0), optics)
    return [_frame(rng, soft, grain, quality) for _ in range(FRAMES)]


def _frame(rng: Random, soft: NDArray[np.float32], grain: float, quality: int) -> NDArray[np.uint8]:
    high, wide = soft.shape[:2]
    noise = rng.standard_normal((high // 2 + 1, wide + 1, 3), dtype=np.float32)
    noise = np.concatenate([noise, np.roll(noise, wide // 3, axis=1)])[:high, :wide]
    moved = np.roll(soft, int(rng.integers(-1, 2)), axis=1) * rng.uniform(0.985, 1.015)
    raw = np.clip(moved + grain * noise, 0, 255).astype(np.uint8)
    _, packed = cv2.imencode(".jpg", raw, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(packed, cv2.IMREAD_COLOR)  # type: ignore[return-value]


def scene(rng: Random, high: int, wide: int, who: Sitting | None = None) -> Picture:
    return exposed(with_person(room(rng, high, wide), who or sitting(rng)), rng.uniform(0.75, 1.25))


def good(rng: Random, high: int, wide: int) -> Frames:
    return camera(rng, scene(rng, high, wide))


def black(rng: Random, high: int, wide: int) -> Frames:
    return camera(rng, np.full((high, wide, 3), rng.choice([0, 0, 4, 16]), np.float32), rng.choice([0, 1, 3]))


def covered(rng: Random, high: int, wide: int) -> Frames:
    """A cap, tape or a finger: one surface, some light from a side, grain of a sensor that sees little."""
    down, across = np.mgrid[-1 : 1 : high * 1j, -1 : 1 : wide * 1j]
    slope = 1 + rng.uniform(-0.3, 0.3) * across + rng.uniform(-0.3, 0.3) * down - rng.uniform(0, 0.2) * across**2
    colour = rng.uniform(26, 110) * np.array([rng.uniform(0.5, 1), rng.uniform(0.6, 1), 1])
    return camera(rng, np.clip(slope[..., None] * colour, 0, 255).astype(np.float32), rng.uniform(8, 28))


def dark(rng: Random, high: int, wide: int) -> Frames:
    return camera(rng, exposed(scene(rng, high, wide), rng.uniform(0.01, 0.06)), rng.uniform(3, 9))


def over_exposed(rng: Random, high: int, wide: int) -> Frames:
    return camera(rng, exposed(scene(rng, high, wide), rng.uniform(6, 12)))


def backlit(rng: Random, high: int, wide: int) -> Frames:
    """Before a window that fills much of the wall; the camera has set itself by the window."""
    behind = np.clip(room(rng, high, wide) * 0.7, 0, 255)
    left, right = int(wide * rng.uniform(0, 0.15)), int(wide * rng.uniform(0.85, 1))
    behind[int(high * rng.uniform(0, 0.1)) : int(high * rng.uniform(0.6, 0.9)), left:right] = rng.uniform(205, 250)
    picture = with_person(behind, sitting(rng), rng.uniform(0.025, 0.07))
    return camera(rng, picture)


def blurred(rng: Random, high: int, wide: int) -> Frames:
    return camera(rng, cv2.GaussianBlur(scene(rng, high, wide), (0, 0), rng.uniform(2.2, 7) * high / 360))  # type: ignore[arg-type]


def frozen(rng: Random, high: int, wide: int) -> Frames:
    frames = good(rng, high, wide)
    still = int(rng.integers(3, FRAMES + 1))
    return frames[: FRAMES - still] + [frames[FRAMES - still]] * still


def torn(rng: Random, high: int, wide: int) -> Frames:
    """Packets of the camera's are lost: rows slide aside, are not decoded, or belong to another place."""
    how, frames = rng.choice(TEARS), good(rng, high, wide)  # type: ignore[arg-type]
    broken = rng.random(FRAMES) < rng.uniform(0.4, 1)
    broken[int(rng.integers(FRAMES))] = True
    return [how(rng, frame) if hit else frame for hit, frame in zip(broken, frames, strict=True)]


def slid(rng: Random, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    high, wide = frame.shape[:2]
    at, out = int(high * rng.uniform(0.25, 0.75)), frame.copy()
    out[at:] = np.roll(out[at:], int(wide * rng.uniform(0.08, 0.5)), axis=1)
    return out


def undecoded(rng: Random, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    out = frame.copy()
    out[int(len(out) * rng.uniform(0.3, 0.8)) :] = rng.choice(np.array([(128, 128, 128), (0, 135, 0)]))
    return out


def misplaced(rng: Random, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.roll(frame, int(len(frame) * rng.uniform(0.25, 0.75)), axis=0)


TEARS = (slid, undecoded, misplaced)
CASTS = ((0.35, 0.75, 1.1), (1.3, 0.8, 0.45), (0.6, 1.2, 0.55), (1.2, 0.5, 1.2))  # of blue, green and red light


def colour_cast(rng: Random, high: int, wide: int) -> Frames:
    gains = np.array(CASTS)[rng.integers(4)]
    return camera(rng, exposed(scene(rng, high, wide), gains * rng.uniform(0.9, 1.05, 3)))


def face_small(rng: Random, high: int, wide: int) -> Frames:
    who = sitting(rng, height=float(rng.uniform(0.065, 0.1)), y=float(rng.uniform(0.25, 0.6)))
    return camera(rng, scene(rng, high, wide, who))


def face_at_edge(rng: Random, high: int, wide: int) -> Frames:
    """Beside the picture, or cut above, so that a border runs through or along the face."""
    height = float(rng.uniform(0.18, 0.4))
    half, over = height / 2, rng.uniform(-0.1, 0.02)
    across = half * high / wide + over * height * high / wide
    place = [{"x": across}, {"x": 1 - across}, {"y": half + over * height}][int(rng.integers(3))]
    return camera(rng, scene(rng, high, wide, sitting(rng, height=height, **place)))


def no_face(rng: Random, high: int, wide: int) -> Frames:
    return camera(rng, room(rng, high, wide))


MAKERS: dict[str, Callable[[Random, int, int], Frames]] = {
    make.__name__: make
    for make in (
        good, black, covered, dark, over_exposed, backlit, blurred, frozen, torn, colour_cast,
        face_small, face_at_edge, no_face,
    )
}  # fmt: skip

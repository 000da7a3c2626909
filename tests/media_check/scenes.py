"""Rooms and people made by code, as (H, W, 3) BGR float32 pictures, 0-255. The one real face is scikit-image's."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import data

Picture = NDArray[np.float32]
Random = np.random.Generator
FACE_BOX = (177, 66, 97, 97)  # x, y, width, height in the source: what the detector calls the face
SOURCE_ROWS = 420  # below them she holds a helmet
ALBEDO = (1.15, 1.0, 0.8, 0.62, 0.46, 0.34, 0.26)  # of the skin against the source's, light to deep


@dataclass(frozen=True)
class Sitting:
    """Where the face is (centre, height) in shares of the picture, how deep the skin, how it is turned and lit."""

    x: float
    y: float
    height: float
    albedo: float
    mirrored: bool
    tilt: float
    light: float
    clothes: tuple[float, float, float]


@lru_cache(maxsize=1)
def portrait() -> tuple[Picture, Picture, Picture]:
    """The astronaut, her outline and her skin, both 0-1 (rows, columns)."""
    source = np.ascontiguousarray(data.astronaut()[:SOURCE_ROWS, :, ::-1])
    marks = np.full(source.shape[:2], cv2.GC_PR_BGD, np.uint8)
    marks[:, :30] = marks[:150, :110] = marks[:200, 330:] = marks[300:, 420:] = cv2.GC_BGD
    cv2.ellipse(marks, (225, 330), (150, 130), 0, 0, 360, cv2.GC_PR_FGD, -1)
    cv2.ellipse(marks, (225, 100), (85, 95), 0, 0, 360, cv2.GC_PR_FGD, -1)
    cv2.ellipse(marks, (225, 110), (48, 75), 0, 0, 360, cv2.GC_FGD, -1)
    cv2.ellipse(marks, (210, 220), (92, 68), 0, 0, 360, cv2.GC_FGD, -1)  # the ring of the suit, and the neck in it
    marks[200:, 195:245] = marks[250:, 110:330] = cv2.GC_FGD
    cv2.setRNGSeed(1)
    cv2.grabCut(source, marks, None, np.zeros((1, 65)), np.zeros((1, 65)), 3, cv2.GC_INIT_WITH_MASK)
    outline = cv2.GaussianBlur((marks & 1).astype(np.float32), (0, 0), 1.0)
    return source.astype(np.float32), outline, _skin(source)


def _skin(source: NDArray[np.uint8]) -> Picture:
    oval = np.zeros(source.shape[:2], np.float32)
    cv2.ellipse(oval, (226, 125), (50, 66), 0, 0, 360, 1.0, -1)
    tones = cv2.cvtColor(source, cv2.COLOR_BGR2YCrCb)
    like = cv2.inRange(tones, (70, 136, 85), (255, 180, 130)).astype(np.float32) / 255  # type: ignore[arg-type]
    return cv2.GaussianBlur(oval * like, (0, 0), 2.0)  # type: ignore[return-value]


def toned(albedo: float, clothes: tuple[float, float, float]) -> Picture:
    """The portrait dressed anew, with a skin that throws back less, while shine, eyes and teeth stay what they are."""
    source, _, skin = portrait()
    grey = source[190:] @ np.array([0.114, 0.587, 0.299], np.float32)
    source = np.concatenate([source[:190], np.clip(grey[..., None] / 110 * np.array(clothes), 0, 240)])
    light = (source / 255) ** 2.2
    shine = np.clip(light.min(axis=2, keepdims=True) - 0.45, 0, 1) * 0.5
    other = np.clip((light - shine) * albedo ** np.array([1.15, 1.05, 0.9]) + shine, 0, 1)
    mixed = np.clip(light + (other - light) * skin[..., None], 0, 1)
    return (255 * mixed ** (1 / 2.2)).astype(np.float32)


def sitting(rng: Random, **fixed: Any) -> Sitting:
    """Somebody at a desk, the face well inside the picture."""
    height = float(rng.uniform(0.17, 0.42))
    chosen = {
        "height": height,
        "x": float(rng.uniform(0.3, 0.7)),
        "y": float(rng.uniform(0.12 + height / 2, max(0.13 + height / 2, 0.52))),
        "albedo": float(rng.choice(ALBEDO)),
        "mirrored": bool(rng.random() < 0.5),
        "tilt": float(rng.uniform(-6, 6)),
        "light": float(rng.uniform(-0.25, 0.25)),
        "clothes": tuple(rng.uniform(20, 200) + rng.uniform(-20, 20, 3)),
    }
    return Sitting(**(chosen | fixed))


def with_person(room: Picture, who: Sitting, shade: float = 1.0) -> Picture:
    """Somebody before the room; `shade` is the light on the person in shares of the room's, linear."""
    high, wide = room.shape[:2]
    person, outline = toned(who.albedo, who.clothes), portrait()[1]
    if who.mirrored:
        person, outline = person[:, ::-1].copy(), outline[:, ::-1].copy()
    across = np.linspace(1 - who.light, 1 + who.light, person.shape[1], dtype=np.float32)[None, :, None]
    person = np.clip(person * across * shade ** (1 / 2.2), 0, 255)
    down = round(FACE_BOX[3] / who.height) + 10
    person = cv2.copyMakeBorder(person, 0, down, 0, 0, cv2.BORDER_REPLICATE)  # type: ignore[assignment]
    outline = cv2.copyMakeBorder(outline, 0, down, 0, 0, cv2.BORDER_REPLICATE)  # type: ignore[assignment]
    scale = who.height * high / FACE_BOX[3]
    left = person.shape[1] - FACE_BOX[0] - FACE_BOX[2] if who.mirrored else FACE_BOX[0]
    middle = (left + FACE_BOX[2] / 2, FACE_BOX[1] + FACE_BOX[3] / 2)
    turn = cv2.getRotationMatrix2D(middle, who.tilt, scale)
    turn[:, 2] += np.array([who.x * wide, who.y * high]) - np.array(middle)
    if scale < 1:  # else thin lines of the source become steps
        person, outline = (cv2.GaussianBlur(plane, (0, 0), 0.4 / scale) for plane in (person, outline))  # type: ignore[assignment]
    person = cv2.warpAffine(person, turn, (wide, high), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[assignment]
    outline = cv2.warpAffine(outline, turn, (wide, high), flags=cv2.INTER_LINEAR)  # type: ignore[assignment]
    return np.clip(room + (person - room) * outline[..., None], 0, 255).astype(np.float32)


def room(rng: Random, high: int, wide: int) -> Picture:
    """A wall in some colour and light, with things on and before it."""
    level, hue = rng.uniform(90, 205), rng.uniform(-14, 14, 3)
    across = np.linspace(rng.uniform(0.8, 1.1), rng.uniform(0.8, 1.1), wide)
    down = np.linspace(rng.uniform(0.85, 1.1), rng.uniform(0.85, 1.1), high)
    picture = ((level + hue) * (across[None, :, None] * down[:, None, None])).astype(np.float32)
    for thing in rng.permutation(np.array([_shelf, _window, _lamp, _frame, _door, _plant], dtype=object))[:4]:
        thing(rng, picture)
    _desk(rng, picture)
    return np.clip(picture, 2, 245)


def _box(rng: Random, picture: Picture, size: tuple[float, float, float, float]) -> tuple[int, int, int, int]:
    """A place for a thing: least and most width, least and most height in shares."""
    high, wide = picture.shape[:2]
    w, h = int(wide * rng.uniform(*size[:2])), int(high * rng.uniform(*size[2:]))
    return int(rng.uniform(0, wide - w)), int(rng.uniform(0, (high - h) * 0.7)), w, h


def _shelf(rng: Random, picture: Picture) -> None:
    x, y, w, h = _box(rng, picture, (0.15, 0.4, 0.4, 0.8))
    picture[y : y + h, x : x + w] = rng.uniform(30, 120)
    for top in np.linspace(y, y + h, 5)[:4].astype(int):
        at, rows = x + 3, h // 4
        while at < x + w - 8:
            book = int(rng.uniform(0.006, 0.02) * picture.shape[1]) + 2
            colour = rng.uniform(25, 170) + rng.uniform(-30, 50, 3)
            picture[top + int(rows * rng.uniform(0.1, 0.3)) : top + rows - 3, at : min(at + book, x + w - 3)] = colour
            at += book + 1


def _window(rng: Random, picture: Picture) -> None:
    x, y, w, h = _box(rng, picture, (0.1, 0.22, 0.3, 0.55))
    picture[y : y + h, x : x + w] = rng.uniform(215, 255)
    bar = max(2, w // 20)
    picture[y : y + h, x + w // 2 - bar : x + w // 2 + bar] = 150
    cv2.rectangle(picture, (x, y), (x + w, y + h), (160.0, 160.0, 160.0), bar)


def _lamp(rng: Random, picture: Picture) -> None:
    high, wide = picture.shape[:2]
    x, y, r = rng.uniform(0, wide), rng.uniform(0, high / 3), rng.uniform(0.03, 0.06) * high
    down, across = np.mgrid[0:high, 0:wide]
    far = np.hypot(across - x, down - y)
    picture += (90 * np.exp(-((far / (r * 4)) ** 2)) + 200 * (far < r)).astype(np.float32)[..., None]


def _frame(rng: Random, picture: Picture) -> None:
    x, y, w, h = _box(rng, picture, (0.08, 0.2, 0.12, 0.3))
    picture[y : y + h, x : x + w] = rng.uniform(20, 230, 3)
    for _ in range(4):
        centre = (int(rng.uniform(x, x + w)), int(rng.uniform(y, y + h)))
        cv2.circle(
            picture[y : y + h, x : x + w], (centre[0] - x, centre[1] - y), h // 6, rng.uniform(0, 255, 3).tolist(), -1
        )
    cv2.rectangle(picture, (x, y), (x + w, y + h), rng.uniform(10, 90, 3).tolist(), 3)


def _door(rng: Random, picture: Picture) -> None:
    x, y, w, _ = _box(rng, picture, (0.12, 0.2, 0.7, 0.8))
    picture[y // 3 :, x : x + w] *= rng.uniform(0.6, 0.9)


def _plant(rng: Random, picture: Picture) -> None:
    x, y, w, h = _box(rng, picture, (0.1, 0.2, 0.2, 0.4))
    for _ in range(25):
        centre = (int(rng.uniform(x, x + w)), int(rng.uniform(y, y + h)))
        colour = (rng.uniform(20, 60), rng.uniform(60, 130), rng.uniform(20, 80))
        cv2.ellipse(picture, centre, (w // 5 + 1, h // 14 + 1), rng.uniform(0, 180), 0, 360, colour, -1)


def _desk(rng: Random, picture: Picture) -> None:
    rows = int(picture.shape[0] * rng.uniform(0.05, 0.2))
    grained = 1 + 0.03 * np.cumsum(rng.uniform(-1, 1, (rows, 1, 1)), axis=0) / np.sqrt(rows)  # wood, lit from a side
    across = np.linspace(1, rng.uniform(0.85, 1.15), picture.shape[1])[None, :, None]
    picture[-rows:] = rng.uniform(40, 190) * grained * across * np.array([rng.uniform(0.6, 1), rng.uniform(0.8, 1), 1])

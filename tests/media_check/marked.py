"""Pictures and sound that are known again wherever they turn up, and a camera that gives such pictures.

`install()` is called first thing in every Python process of a traced program. The camera takes the place of OpenCV's
VideoCapture, which is the boundary to the device; all that is ours is the real thing.
"""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

HANDLE, NAME = "marked:0", "Marked camera"
HEIGHT, WIDTH, RATE = 720, 1280, 30.0
FRAMES, SHIFT = 4, 4  # each is the one before moved by so many columns, so that nothing stands still
BLOCK, EACH = 16, 80  # bytes that are looked for, one such block in each 80: a run of 96 of them holds one
LEAST_DIFFERENT = 6  # bytes of a block, to be like nothing else
LEAKS = "MARKED_LEAKS"


@cache
def picture() -> NDArray[np.uint8]:
    """(720, 1280, 3): a soft pattern with a grain that no other picture has."""
    random = np.random.default_rng(720)
    coarse = random.integers(60, 190, (3, 5, 3)).repeat(HEIGHT // 3, 0).repeat(WIDTH // 5, 1)
    return np.asarray(coarse + random.integers(-9, 10, coarse.shape), np.uint8)


def sound(clean: NDArray[Any]) -> NDArray[np.float32]:
    """(n,) of -1..1 in steps of 16 bits, which a sound server hands on exactly as they are."""
    return np.asarray(np.round(clean * 32767) / 32768, np.float32)


# ---- known again --------------------------------------------------------------------------------------------------


def blocks_of_picture() -> frozenset[bytes]:
    """Each eighth row as it is, with red and blue exchanged, and in grey: green alone, or a mean."""
    frame = picture()[::8]
    return _blocks([frame, frame[..., ::-1], frame[..., 1], frame.mean(2).astype(np.uint8)])


def blocks_of_sound(samples: NDArray[np.float32]) -> frozenset[bytes]:
    """As captured (32 bits), in 16 bits either way round, and in 64."""
    whole = np.round(samples * 32768)
    return _blocks([samples, samples.astype("f8"), whole.astype("<i2"), whole.astype(">i2")])


def _blocks(forms: Iterable[NDArray[Any]]) -> frozenset[bytes]:
    found = set[bytes]()
    for form in forms:
        data = form.tobytes()
        found |= {data[at : at + BLOCK] for at in range(0, len(data) - BLOCK, EACH)}
    return frozenset(block for block in found if len(set(block)) >= LEAST_DIFFERENT)


def holds(data: bytes, blocks: frozenset[bytes]) -> bool:
    """Is any of the blocks in it, anywhere?"""
    return any(data[at : at + BLOCK] in blocks for at in range(len(data) - BLOCK + 1))


# ---- the camera ---------------------------------------------------------------------------------------------------


class Camera:
    """What OpenCV's VideoCapture would be, for a camera of 720p that shows the picture and lets it wander."""

    def __init__(self, *_: object) -> None:
        import cv2

        self.number, self.begun = -1, time.monotonic()
        letters = cv2.VideoWriter.fourcc(*"MJPG")
        self.says = {
            cv2.CAP_PROP_FRAME_WIDTH: WIDTH, cv2.CAP_PROP_FRAME_HEIGHT: HEIGHT, cv2.CAP_PROP_FPS: RATE,
            cv2.CAP_PROP_FOURCC: letters,
        }  # fmt: skip
        self.clock = cv2.CAP_PROP_POS_MSEC
        self.frames = [np.roll(picture(), SHIFT * number, axis=1) for number in range(FRAMES)]

    def isOpened(self) -> bool:
        return True

    def set(self, *_: object) -> bool:
        return True

    def get(self, what: int) -> float:
        return 1000 * (100 + self.number / RATE) if what == self.clock else float(self.says.get(what, 0))

    def grab(self) -> bool:
        self.number += 1
        time.sleep(max(0.0, self.begun + self.number / RATE - time.monotonic()))
        return True

    def retrieve(self) -> tuple[bool, NDArray[np.uint8]]:
        frame = self.frames[self.number % FRAMES].copy()
        if ways := os.environ.pop(LEAKS, ""):
            importlib.import_module("tests.media_check.leaks").leak(ways.split(), frame)
        return True, frame

    def release(self) -> None:
        pass


def install() -> None:
    """In the process that looks for devices there is such a camera; in the one that opens it, it opens."""
    words = " ".join(sys.orig_argv)
    if "media_check.devices.child" in words:
        from media_check.devices import v4l2
        from media_check.devices.seen import Seen

        v4l2.cameras = lambda *_: [Seen("camera", NAME, HANDLE, model=NAME, bus="usb")]
    if "media_check.camera_child" in words or "media_check.viewing_child" in words:
        import cv2

        cv2.VideoCapture = Camera  # type: ignore[assignment,misc]

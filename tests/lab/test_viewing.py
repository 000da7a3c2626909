"""A camera that is viewed, on the kernel's virtual webcams (vivid) and on v4l2loopback, which a test feeds.

The guest emulates its processor: a judgement takes many times longer there, and fewer pictures come.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from media_check import viewing
from reports.draft import Draft
from tests.lab.test_camera import BLACK, CAMERA, USUAL, control, errand

LOOPBACK = "/dev/video10"
FIRST_S = 40.0  # for a judgement
HIGH, WIDE = 480, 640
FEEDER = """
import fcntl, itertools, struct, sys, time
import numpy as np

node, high, wide, saved = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
picture = np.zeros((high, wide, 3), np.uint8)
picture[: high // 2, : wide // 2], picture[: high // 2, wide // 2 :] = (200, 60, 60), (60, 200, 60)
picture[high // 2 :, : wide // 2], picture[high // 2 :, wide // 2 :] = (60, 60, 200), (200, 200, 200)
np.save(saved, picture)
of_bgr = np.array([(0.098, 0.439, -0.071), (0.504, -0.291, -0.368), (0.257, -0.148, 0.439)])  # ITU-R BT.601
luma = picture @ of_bgr + (16, 128, 128)
random, frames = np.random.default_rng(3), []
for _ in range(4):
    packed = np.empty((high, wide, 2), np.uint8)  # YUYV
    packed[..., 0] = luma[..., 0] + random.integers(-3, 4, (high, wide))
    packed[:, ::2, 1], packed[:, 1::2, 1] = luma[:, ::2, 1], luma[:, 1::2, 2]
    frames.append(packed.tobytes())
with open(node, "r+b", buffering=0) as camera:
    form = (2, wide, high, 0x56595559, 1, wide * 2, wide * high * 2, 8, 0)  # v4l2_format of a VIDEO_OUTPUT
    fcntl.ioctl(camera, 0xC0D05605, bytearray(struct.pack("=I4x8I", *form).ljust(208, b"\\0")))  # VIDIOC_S_FMT
    print("fed", flush=True)
    for frame in itertools.cycle(frames):
        camera.write(frame)
        time.sleep(0.08)
"""


@pytest.fixture(autouse=True)
def usual(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cameras as they are; and time for a processor that is emulated."""
    if not Path(CAMERA).exists():
        pytest.skip("no virtual camera: LAB_CAMERAS")
    control(**USUAL)
    monkeypatch.setattr(viewing, "HANGS_S", FIRST_S)
    monkeypatch.setattr(viewing, "FIRST_S", FIRST_S)


class Viewing:
    """One viewing while it goes on."""

    def __init__(self, handle: str = CAMERA) -> None:
        self.errand, self.until = errand(handle), asyncio.Event()
        self.frames: list[tuple[float, bytes]] = []
        self.hints: list[Draft] = []

    async def whole(self) -> Draft:
        draft = await viewing.view(self.errand, self._frame, self.hints.append, self.until)
        draft.measurement()
        print(draft.values, draft.facts, draft.failure, len(self.frames), len(self.hints))
        return draft

    def _frame(self, data: bytes) -> None:
        self.frames.append((time.monotonic(), data))

    async def hint(self, word: str) -> Draft:
        """Wait for such a judgement."""
        async with asyncio.timeout(FIRST_S):
            while not (self.hints and self.hints[-1].facts["camera_picture"] == word):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        return self.hints[-1]


def picture(data: bytes) -> Any:
    import cv2

    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)


async def test_six_seconds_and_a_hand_before_the_lens():
    given = Viewing()
    running = asyncio.create_task(given.whole())
    async with asyncio.timeout(FIRST_S):
        while not given.frames or given.frames[-1][0] - given.frames[0][0] < 6:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    pauses = [after - before for (before, _), (after, _) in pairwise(given.frames)]
    rate = len(pauses) / sum(pauses)
    print(f"{rate:.1f} pictures a second, the longest pause {max(pauses):.2f} s")
    assert rate > 0.5  # an emulated processor takes a tenth of a second and more to decode one
    assert max(picture(given.frames[-1][1]).shape) <= 640
    assert picture(given.frames[-1][1]).mean() > 30
    control(test_pattern=BLACK)
    covered = await given.hint("covered")
    assert covered.values["camera_black_ratio"] > 0.5
    assert picture(given.frames[-1][1]).mean() < 10
    given.until.set()
    draft = await running
    assert draft.failure is None
    assert draft.facts["camera_picture"] == "covered"


async def test_unplugged_in_the_middle():
    given = Viewing()
    running = asyncio.create_task(given.whole())
    async with asyncio.timeout(FIRST_S):
        while len(given.frames) < 5:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await asyncio.to_thread(control, disconnect=1)
    pulled = time.monotonic()
    draft = await running
    assert time.monotonic() - pulled < 2
    assert draft.failure is not None
    assert draft.failure.code == "camera_vanished"


@pytest.fixture
def fed(tmp_path: Path) -> Iterator[Any]:
    """v4l2loopback shows a picture of four colours; that picture (H, W, 3)."""
    if not Path(LOOPBACK).exists():
        pytest.skip("no v4l2loopback")
    saved = tmp_path / "picture.npy"
    words = [sys.executable, "-c", FEEDER, LOOPBACK, str(HIGH), str(WIDE), str(saved)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as feeder:
        assert feeder.stdout is not None
        assert feeder.stdout.readline() == "fed\n"
        yield np.load(saved)
        feeder.kill()


async def test_what_is_shown_is_what_the_camera_sees(fed: Any):
    given = Viewing(LOOPBACK)
    running = asyncio.create_task(given.whole())
    async with asyncio.timeout(FIRST_S):
        while len(given.frames) < 5:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    given.until.set()
    draft = await running
    assert draft.failure is None
    shown = picture(given.frames[4][1]).astype(float)
    assert shown.shape == fed.shape
    assert np.abs(shown - fed).mean() < 6
    assert np.abs(shown[..., ::-1] - fed).mean() > 30  # its colours are the right way round

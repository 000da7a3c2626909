"""The camera check on the kernel's virtual webcams (vivid): rates, a black picture, drops, other programs, unplugging.

The guest emulates its processor: looking at pictures takes many times longer there, so deadlines are far.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from media_check import camera
from media_check.errand import Errand, Step
from processes import child
from reports.advice import text
from reports.draft import Draft
from reports.record import Device

CAMERA, OTHER = "/dev/video0", "/dev/video1"
USUAL = {
    "test_pattern": 0,
    "osd_text_mode": 2,
    "horizontal_movement": 5,
    "percentage_of_dropped_buffers": 0,
}
BLACK = 5
FAR_S = 90.0
NOBODY = 65534


def control(handle: str = CAMERA, **controls: int) -> None:
    """Turn the virtual camera's knobs."""
    words = ",".join(f"{name}={value}" for name, value in controls.items())
    subprocess.run(["v4l2-ctl", "-d", handle, "-c", words], check=True, timeout=20, capture_output=True)


@pytest.fixture(autouse=True)
def usual() -> None:
    if not Path(CAMERA).exists():
        pytest.skip("no virtual camera: LAB_CAMERAS")
    for handle in (CAMERA, OTHER):
        control(handle, **USUAL)


def errand(handle: str = CAMERA) -> Errand:
    device = Device("camera", "vivid", "Test camera", "virtual", 0.9, (), None, handle)
    return Errand((device,), time.monotonic() + FAR_S, asyncio.Event())


async def checked(given: Errand) -> Draft:
    draft = await camera.check(given)
    print({name: value for name, value in asdict(draft).items() if name != "unknown"})
    draft.measurement()
    return draft


async def test_each_camera_has_its_own_picture():
    """One shows a moving picture at its advertised rate, the other is black.

    An emulated computer that stands still for a moment loses frames, and is truthfully told so: the best of three.
    """
    control(OTHER, test_pattern=BLACK)
    covered = await checked(errand(OTHER))
    for _ in range(3):
        draft = await checked(errand())
        if draft.values["camera_dropped_ratio"] < 0.1:  # 0.04 is one frame
            break
    assert (draft.failure, covered.failure) == (None, None)
    advertised = draft.values["camera_advertised_frames_per_second"]
    assert draft.values["camera_frames_per_second"] == pytest.approx(advertised, rel=0.05)
    assert draft.values["camera_dropped_ratio"] < 0.1
    assert draft.values["camera_black_ratio"] == 0
    assert draft.values["camera_frozen_ratio"] < 0.05
    modes = draft.facts["modes"]
    assert isinstance(modes, tuple)
    assert any(mode.startswith(f"{draft.facts['mode']} ") for mode in modes)
    assert any(mode.startswith("1280x720 ") for mode in modes)
    assert covered.values["camera_black_ratio"] == 1
    assert covered.facts["camera_picture"] == "covered"


async def test_a_still_picture_and_dropped_frames_are_found(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(camera, "WATCH_S", 5)  # chance drops them
    control(horizontal_movement=3, percentage_of_dropped_buffers=40)
    values = (await checked(errand())).values
    assert values["camera_frozen_ratio"] > 0.9
    assert values["camera_dropped_ratio"] == pytest.approx(0.4, abs=0.15)
    assert values["camera_frames_per_second"] < 0.8 * values["camera_advertised_frames_per_second"]


@pytest.fixture
def other_program() -> Iterator[None]:
    """It streams from the second camera."""
    words = ["v4l2-ctl", "-d", OTHER, "--stream-mmap", "--stream-to=/dev/null", "--stream-count=10000"]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as other:
        assert other.stderr is not None
        other.stderr.read(1)  # it tells of its first frame
        yield
        other.kill()


@pytest.mark.usefixtures("other_program")
async def test_another_program_has_it():
    draft = await checked(errand(OTHER))
    assert draft.failure is not None
    assert draft.failure.code == "camera_busy"


@pytest.fixture
def roots_only() -> Iterator[None]:
    """The second camera is for root alone."""
    node = Path(OTHER)
    mode = node.stat().st_mode & 0o777
    node.chmod(0o600)
    yield
    node.chmod(mode)


@pytest.mark.usefixtures("roots_only")
async def test_not_allowed(monkeypatch: pytest.MonkeyPatch):
    become = f"import os; os.setgroups([]); os.setuid({NOBODY})"
    work = "from media_check import camera_child as c; c.run(c.work)"
    monkeypatch.setattr(camera, "COMMAND", (sys.executable, "-P", "-W", "ignore", "-c", f"{become}; {work}"))
    draft = await checked(errand(OTHER))
    assert draft.failure is not None
    assert draft.failure.code == "camera_forbidden"


async def test_unplugged_in_the_middle(monkeypatch: pytest.MonkeyPatch):
    pulling: list[asyncio.Future[float]] = []

    def pull() -> float:
        control(disconnect=1)
        return time.monotonic()

    def heard(step: Step) -> None:
        if step.what == "watching" and step.fraction > 0 and not pulling:
            pulling.append(asyncio.get_running_loop().run_in_executor(None, pull))

    given = errand()
    given.progress = heard
    with monkeypatch.context() as longer:
        longer.setattr(camera, "WATCH_S", 20)
        draft = await checked(given)
    ended = time.monotonic()
    assert draft.failure is not None
    assert draft.failure.code == "camera_vanished"
    assert pulling
    assert ended - await pulling[0] <= 2
    assert "unplugged" in text(f"failure.{draft.failure.code}", "en")


def test_the_child_is_the_real_one():
    assert child.command("media_check.camera_child") == camera.COMMAND

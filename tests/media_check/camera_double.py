"""Cameras that a test holds, where there are none: what stands for OpenCV's VideoCapture and for the device node.

A camera is a file beneath /dev/shm, its handle. While the file is there the camera is plugged in; what it holds (JSON:
name, bus, shows, state) is what the camera does, and may be written anew at any time. So whatever opens the handle,
asks whether it is there, or looks who has it open meets the real system. It gives JPEGs at 30 a second, as most
cameras do, made by pictures.py.

`python -m tests.media_check.camera_double MODULE`: one of the camera's processes, with these cameras in place of real
ones; without MODULE, the process that lists the devices. Both find them by FOLDER in the environment.
"""

from __future__ import annotations

import errno
import json
import os
import runpy
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

FOLDER = "MOTESKLAR_TEST_CAMERAS"
MODULE = "tests.media_check.camera_double"
HIGH, WIDE, RATE, QUEUE = 720, 1280, 30.0, 4
SEED = 7
STATES = ("runs", "frozen", "silent", "hangs", "busy", "forbidden")


# ---- the test's side ----------------------------------------------------------------------------------------------


@lru_cache(maxsize=32)
def packed(label: str) -> tuple[bytes, ...]:
    """Some frames of a label of pictures.MAKERS, as JPEG."""
    import cv2

    from tests.media_check import pictures

    made = pictures.case(label, pictures.MAKERS[label], SEED, ((HIGH, WIDE),))
    return tuple(cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes() for frame in made.frames)


@dataclass(frozen=True)
class Camera:
    """One of them. Its orders are obeyed at its next frame."""

    node: Path
    name: str = "USB-kamera"
    bus: str = "usb"

    @property
    def handle(self) -> str:
        return str(self.node)

    def shows(self, label: str = "good", state: str = "runs") -> None:
        """One of pictures.MAKERS. `state`: of STATES; a frozen one goes on to give its last frame."""
        assert state in STATES
        folder = self.node.parent / "pictures" / label
        if not folder.exists():
            folder.mkdir(parents=True)
            for number, frame in enumerate(packed(label)):
                (folder / f"{number}.jpg").write_bytes(frame)
        self.node.write_text(json.dumps({"name": self.name, "bus": self.bus, "shows": label, "state": state}))

    def vanishes(self) -> None:
        """It is unplugged. `shows` plugs another one in."""
        self.node.unlink()

    @contextmanager
    def held_by(self, program: str) -> Iterator[None]:
        """A program of this name has it open and takes its pictures; it is no child of whoever asks."""
        with tempfile.TemporaryDirectory() as folder:
            path = shutil.copy(shutil.which("sleep") or "sleep", Path(folder) / program)
            words = ("sh", "-c", 'exec 3<"$1"; "$0" 60 >/dev/null 2>&1 & echo $!', path, self.handle)
            holder = int(subprocess.run(words, stdout=subprocess.PIPE, check=True, timeout=5).stdout)
            self.shows(state="busy")
            try:
                yield
            finally:
                os.kill(holder, signal.SIGKILL)


@contextmanager
def cameras(*names: str, bus: str = "usb") -> Iterator[list[Camera]]:
    """Cameras of these names, plugged in. Processes find them by FOLDER, which is set to the folder of their nodes."""
    folder = Path(tempfile.mkdtemp(prefix="motesklar-cameras-", dir="/dev/shm"))
    try:
        made = [Camera(folder / f"video{number}", name, bus) for number, name in enumerate(names)]
        for camera in made:
            camera.shows()
        yield made
    finally:
        shutil.rmtree(folder)


def put_in(monkeypatch: pytest.MonkeyPatch, held: Sequence[Camera]) -> None:
    """This process's own checks find these cameras."""
    monkeypatch.setenv(FOLDER, str(held[0].node.parent))
    for module, name, value in _replaced():
        monkeypatch.setattr(module, name, value)


def install() -> None:
    """The same for good: of a program that is to be run with them."""
    for module, name, value in _replaced():
        setattr(module, name, value)


def _replaced() -> Iterator[tuple[Any, str, Any]]:
    from media_check import camera, devices, viewing
    from processes import child

    yield camera, "COMMAND", (*child.command(MODULE), "media_check.camera_child")
    yield viewing, "COMMAND", (*child.command(MODULE), "media_check.viewing_child")
    yield devices, "CHILD", MODULE


# ---- in the camera's process --------------------------------------------------------------------------------------


class VideoCapture:
    """What OpenCV's would be for such a camera, as far as it is used."""

    def __init__(self, source: str, *_: object) -> None:
        self.node, self.number, self.begun = Path(source), -1, time.monotonic()
        self.orders: dict[str, str] = {}
        self.frames: dict[str, list[bytes]] = {}
        self.frame = b""
        self.plugged = self._number()

    def _number(self) -> int:
        """Of the device: another one has another, though it is at the same place. 0: there is none."""
        try:
            return self.node.stat().st_ino
        except OSError:
            return 0

    def isOpened(self) -> bool:
        self._obey()
        return self.plugged != 0 and self.orders.get("state") not in ("busy", "forbidden")

    def _obey(self) -> None:
        try:
            self.orders = json.loads(self.node.read_text())
        except (OSError, ValueError):  # gone; or just being written
            return
        if self.orders["state"] == "hangs":
            time.sleep(600)

    def grab(self) -> bool:
        self._obey()
        if self._number() != self.plugged:
            return False
        if self.orders["state"] == "silent":
            time.sleep(1.0)  # as OpenCV waits
            return False
        self.number += 1
        late = int((time.monotonic() - self.begun) * RATE) - self.number
        self.number += late if late > QUEUE else 0  # nobody took them from the driver
        time.sleep(max(0.0, self.begun + self.number / RATE - time.monotonic()))
        self._next()
        return True

    def _next(self) -> None:
        label = self.orders["shows"]
        if label not in self.frames:
            files = sorted((self.node.parent / "pictures" / label).iterdir())
            self.frames[label] = [file.read_bytes() for file in files]
        if self.orders["state"] != "frozen" or not self.frame:
            self.frame = self.frames[label][self.number % len(self.frames[label])]

    def retrieve(self) -> tuple[bool, Any]:
        import cv2
        import numpy as np

        return True, cv2.imdecode(np.frombuffer(self.frame, np.uint8), cv2.IMREAD_COLOR)

    def set(self, *_: object) -> bool:
        return True

    def get(self, what: int) -> float:
        import cv2

        says = {
            cv2.CAP_PROP_FRAME_WIDTH: WIDE, cv2.CAP_PROP_FRAME_HEIGHT: HIGH, cv2.CAP_PROP_FPS: RATE,
            cv2.CAP_PROP_FOURCC: cv2.VideoWriter.fourcc(*"MJPG"),
            cv2.CAP_PROP_POS_MSEC: 1000 * (self.begun + self.number / RATE),
        }  # fmt: skip
        return float(says.get(what, 0))

    def release(self) -> None:
        pass


def asking(camera: int) -> Any:
    """Instead of the ioctls of an open node: all are unknown to it, but one that is busy or forbidden says so."""
    try:
        state = json.loads(os.pread(camera, 4096, 0))["state"]
    except ValueError:
        state = ""
    refusal = {"busy": errno.EBUSY, "forbidden": errno.EACCES}.get(state, errno.ENOTTY)

    def ask(request: int, argument: bytes) -> bytes:
        raise OSError(refusal, os.strerror(refusal))

    return ask


def listed() -> list[Any]:
    """The cameras that are plugged in, as the platform's own list would have them."""
    from media_check.devices.seen import Seen

    found = []
    for node in sorted(Path(os.environ[FOLDER]).glob("video*")):
        says = json.loads(node.read_text())
        fixed = says["bus"] != "usb"
        found.append(
            Seen("camera", says["name"], str(node), model=says["name"], bus="usb", unit=node.name, fixed=fixed)
        )
    return found


def main() -> None:
    if len(sys.argv) > 1:
        import cv2

        from media_check import camera_modes

        cv2.VideoCapture = VideoCapture  # type: ignore[assignment,misc]
        camera_modes.asking = asking
        runpy.run_module(sys.argv[1], run_name="__main__")
        return
    from media_check.devices import child as devices_child
    from media_check.devices import v4l2
    from processes import child

    v4l2.cameras = lambda *_: listed()
    child.run(devices_child.work)


if __name__ == "__main__":
    main()

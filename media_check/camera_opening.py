"""Opening a camera, and why one does not open: by errno, for OpenCV tells no reasons. For the camera check's child."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from media_check import camera_modes
from media_check.camera_modes import HEIGHT, RATE, WIDTH, Ask, Mode
from media_check.devices import consent, holders

if TYPE_CHECKING:
    from cv2 import VideoCapture

CODES = {
    errno.EBUSY: "camera_busy",
    errno.EACCES: "camera_forbidden",
    errno.EPERM: "camera_forbidden",
    errno.ENOENT: "camera_vanished",
    errno.ENODEV: "camera_vanished",
    errno.ENXIO: "camera_vanished",
}
CONSENT = r"Software\Microsoft\Windows\CurrentVersion\CapabilityAccessManager\ConsentStore\webcam"


class Failed(Exception):  # noqa: N818 - a camera that does not work is data
    """Why there is nothing to look at: a failure code."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code, self.detail = code, detail


def ask_driver(handle: str, facts: dict[str, Any]) -> tuple[Mode, ...]:
    """The modes offered, where the system tells them. Failed: the driver will not have us."""
    if not handle.startswith("/dev/"):
        return ()
    with _refusals(), _node(handle) as ask:
        camera_modes.take(ask)
        modes = camera_modes.offered(ask)
        closed = camera_modes.shutter_closed(ask)
    if modes:
        best = camera_modes.sizes(modes)
        facts["modes"] = [f"{mode} {mode.rate:.3g}/s" if mode.rate else str(mode) for mode in best]
    if closed is not None:
        facts["shutter"] = "closed" if closed else "open"
    return modes


def ask_shutter(handle: str) -> str | None:
    """closed | open, while it gives frames. None: the driver does not tell, or no more."""
    try:
        with _node(handle) as ask:
            closed = camera_modes.shutter_closed(ask)
    except OSError:
        return None
    return None if closed is None else "closed" if closed else "open"


@contextmanager
def _node(handle: str) -> Iterator[Ask]:
    camera = os.open(handle, os.O_RDWR | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    try:
        yield camera_modes.asking(camera)
    finally:
        os.close(camera)


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        code = CODES.get(error.errno or 0)
        raise (Failed(code) if code else Failed("camera_silent", os.strerror(error.errno or 0))) from None


@contextmanager
def opened(handle: str, mode: Mode | None) -> Iterator[VideoCapture]:
    """The camera, in that mode or the nearest that OpenCV finds. Failed: it does not open."""
    import cv2

    wanted = mode or Mode(WIDTH, HEIGHT, "MJPG", RATE)
    parameters = (
        (cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*wanted.fourcc)),
        (cv2.CAP_PROP_FRAME_WIDTH, wanted.width),
        (cv2.CAP_PROP_FRAME_HEIGHT, wanted.height),
        (cv2.CAP_PROP_FPS, min(wanted.rate or RATE, RATE)),
    )
    source, system = _source(handle)
    camera = cv2.VideoCapture(source, system)
    try:
        if not camera.isOpened():
            raise why(handle, "it does not open")
        for name, value in parameters:  # a camera may refuse one and still give pictures
            camera.set(name, value)
        yield camera
    finally:
        camera.release()


def _source(handle: str) -> tuple[str | int, int]:
    """What OpenCV calls that camera: a device node, or a number at the handle's end; and by which system."""
    import cv2

    if handle.startswith("/dev/"):
        return handle, cv2.CAP_V4L2
    systems = {"win32": cv2.CAP_MSMF, "darwin": cv2.CAP_AVFOUNDATION}
    return int(handle.rpartition(":")[2]), systems.get(sys.platform, cv2.CAP_ANY)


def why(handle: str, detail: str) -> Failed:
    """OpenCV tells no reasons: ask the system."""
    if handle.startswith("/dev/"):
        try:
            with _refusals(), _node(handle):
                pass
        except Failed as failed:
            return failed
    if _forbidden_by_windows():
        return Failed("camera_forbidden")
    if sys.platform == "win32" and holders.by_consent(consent.entries("webcam"), consent.key(sys.executable)):
        return Failed("camera_busy")
    return Failed("camera_silent", detail)


def _forbidden_by_windows() -> bool:
    """Has the user, or who runs this computer, switched cameras off for programs?"""
    if sys.platform == "win32":
        import winreg

        for root in (winreg.HKEY_LOCAL_MACHINE, winreg.HKEY_CURRENT_USER):
            for key in (CONSENT, CONSENT + r"\NonPackaged"):
                with suppress(OSError), winreg.OpenKey(root, key) as opened_key:
                    if winreg.QueryValueEx(opened_key, "Value")[0] == "Deny":
                        return True
    return False

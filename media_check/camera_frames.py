"""What came of a camera, and what is said of it: shared by the processes that watch one. Frames stay in memory."""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from media_check import camera_modes
from media_check.camera_modes import HEIGHT, Mode
from media_check.camera_opening import Failed, ask_driver, opened, why
from media_check.camera_pace import clock, pace
from media_check.devices import holders

if TYPE_CHECKING:
    from cv2 import VideoCapture
    from numpy import uint8
    from numpy.typing import NDArray

    from processes.child import Say

WARM_S = 0.6  # from the first frame: exposure and colours settle; what comes is counted, not looked at
CORRUPT_MOST = 0.05  # of the frames, that could not be decoded
SILENT_S = 1  # whole seconds without a frame, as OpenCV counts them
FIRST_S = 2.5  # without the first one: cameras start slowly
SETTINGS = {
    "OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT": str(SILENT_S),
    "OPENCV_VIDEOIO_MSMF_ENABLE_HW_TRANSFORMS": "0",  # with them, opening takes many seconds
    "OPENCV_LOG_LEVEL": "SILENT",
}


@dataclass(slots=True)
class Seen:
    """What came: times of frames by the driver's clock and ours (seconds), and those to look at, in memory.

    `first`: when the first of all came. `kept`: the frames' places in `read`. `corrupt`: when one was not decoded.
    """

    stamps: list[float] = field(default_factory=list)
    read: list[float] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)
    frames: list[NDArray[uint8]] = field(default_factory=list)
    corrupt: list[float] = field(default_factory=list)
    first: float | None = None

    def keep(self, frame: NDArray[uint8]) -> None:
        """To be looked at; it is the one that came last."""
        self.kept.append(len(self.read) - 1)
        self.frames.append(small(frame))

    def forget(self, before: float) -> None:
        """All that came before then."""
        gone = sum(when < before for when in self.read)
        frames = sum(place < gone for place in self.kept)
        del self.stamps[:gone], self.read[:gone], self.frames[:frames]
        self.kept[:] = [place - gone for place in self.kept[frames:]]
        self.corrupt[:] = [when for when in self.corrupt if when >= before]


@dataclass(frozen=True, slots=True)
class Opened:
    """A camera that is about to give frames; its modes, and facts, as the driver tells them."""

    camera: VideoCapture
    modes: tuple[Mode, ...]
    facts: dict[str, Any]


# ---- opening ------------------------------------------------------------------------------------------------------


@contextmanager
def watched(handle: str, say: Say) -> Iterator[Opened]:
    """Open it, and say what becomes known. Failed: why there is nothing to watch."""
    os.environ.update(SETTINGS)
    try:
        importlib.import_module("cv2")
    except ImportError:
        raise Failed("device_library_missing", "opencv") from None
    say({"stage": "opening"})
    facts: dict[str, Any] = {}
    modes = ask_driver(handle, facts)
    say({"facts": facts})
    with opened(handle, camera_modes.fitting(modes)) as camera:
        say({"stage": "frames"})
        yield Opened(camera, modes, facts)


def tell(failed: Failed, handle: str, say: Say) -> None:
    """Why; and then what kind of program has a camera that is busy: one that hangs in its driver may hang us too."""
    say({"failed": failed.code, "detail": failed.detail})
    if failed.code == "camera_busy":
        say({"facts": {"held_by": holders.held_by(handle, os.getppid())}})


# ---- watching -----------------------------------------------------------------------------------------------------


def missed(handle: str, last: float, seen: Seen) -> None:
    """No frame came; the last one did then. Failed: nor will there be more."""
    patience = FIRST_S if seen.first is None else SILENT_S
    reason = why(handle, "no frames come")
    if reason.code == "camera_busy" and handle.startswith("/dev/"):
        reason = Failed("camera_silent", "no frames come")  # it is we who have it
    if reason.code == "camera_vanished" or time.monotonic() - last >= patience:
        raise reason
    seen.corrupt.append(time.monotonic())
    time.sleep(0.01)


def count(camera: VideoCapture, now: float, seen: Seen) -> bool:
    """Note a frame that was grabbed. False: it is the same frame once more."""
    import cv2

    stamp = camera.get(cv2.CAP_PROP_POS_MSEC) / 1000
    if seen.stamps and stamp > 0 and stamp == seen.stamps[-1]:
        return False
    seen.stamps.append(stamp)
    seen.read.append(now)
    if seen.first is None:
        seen.first = now
    return True


def is_warming(now: float, seen: Seen) -> bool:
    """Exposure and colours settle."""
    return seen.first is None or now - seen.first < WARM_S


def decoded(camera: VideoCapture, now: float, seen: Seen) -> NDArray[uint8] | None:
    """The grabbed frame (H, W, 3). None: it is corrupt, which is noted."""
    came, frame = camera.retrieve()
    if came and frame is not None and frame.ndim == 3:
        return frame  # type: ignore[return-value]
    seen.corrupt.append(now)
    return None


def small(frame: NDArray[uint8]) -> NDArray[uint8]:
    """At most 720 rows, by leaving out rows and columns: a second of 4K frames would fill the memory."""
    step = -(-frame.shape[0] // HEIGHT)
    return frame[::step, ::step].copy() if step > 1 else frame


def mode_of(found: Opened) -> Mode:
    """As it says that it runs."""
    import cv2

    camera = found.camera
    code = int(camera.get(cv2.CAP_PROP_FOURCC)) & 0xFFFFFFFF
    letters = code.to_bytes(4, "little").decode("ascii", "replace").strip("\0 ")
    width, height = int(camera.get(cv2.CAP_PROP_FRAME_WIDTH)), int(camera.get(cv2.CAP_PROP_FRAME_HEIGHT))
    rate = camera.get(cv2.CAP_PROP_FPS)
    told = [mode.rate for mode in found.modes if (mode.width, mode.height, mode.fourcc) == (width, height, letters)]
    return Mode(width, height, letters if letters.isalnum() else "", rate if rate > 0 else max(told, default=0.0))


# ---- telling ------------------------------------------------------------------------------------------------------


def tell_pace(seen: Seen, mode: Mode, say: Say) -> None:
    """How evenly the frames came, and in which mode."""
    values, unknown = pace(clock(seen.stamps, seen.read)), {}
    if not values:
        unknown = dict.fromkeys(("camera_frames_per_second", "camera_dropped_ratio"), "too few frames came")
    if mode.rate:
        values["camera_advertised_frames_per_second"] = mode.rate
    else:
        unknown["camera_advertised_frames_per_second"] = "the camera does not tell its rate"
    say({"values": values, "unknown": unknown, "facts": {"mode": str(mode).strip()}})


def look(seen: Seen, facts: dict[str, Any], say: Say) -> None:
    """The picture's values and its first fault, "good" without one. Failed: nothing can be decoded."""
    import cv2

    from media_check import picture

    if not seen.frames:
        raise Failed("camera_silent", "what comes cannot be decoded")
    if not hasattr(cv2, "CascadeClassifier"):
        raise Failed("device_library_missing", "OpenCV 4, for faces: this is another")
    times = clock(seen.stamps, seen.read)
    found = picture.look(seen.frames, [times[number] for number in seen.kept])
    faults = set(found.faults)
    if len(seen.corrupt) > CORRUPT_MOST * len(seen.read):
        faults.add("torn")
    if facts.get("shutter") == "closed":
        faults.add("covered")
    word = next((word for word in picture.FAULTS if word in faults), "good")
    say({"values": found.values, "unknown": found.unknown, "facts": {**found.facts, "camera_picture": word}})

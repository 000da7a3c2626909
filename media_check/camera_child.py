"""The camera check's own process: it opens one camera, looks at what comes, and says numbers and words about it.

Frames exist in this process's memory only. Lines said: {"stage"} (opening, frames, looking), {"values", "unknown",
"facts"} as they become known, {"frames": so many yet}, {"failed": code, "detail"} or {"last": true} at the end.
"""

from __future__ import annotations

import importlib
import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from media_check import camera_modes
from media_check.camera_modes import HEIGHT, Mode
from media_check.camera_opening import Failed, ask_driver, opened, why
from media_check.camera_pace import clock, pace
from processes.child import Say, run

if TYPE_CHECKING:
    from cv2 import VideoCapture
    from numpy import uint8
    from numpy.typing import NDArray

WARM_S = 0.6  # from the first frame: exposure and colours settle; what comes is counted, not looked at
TELL_S = 0.2  # between two signs of life
WAITED_S = 0.002  # a frame that is there sooner had been waiting: we are behind
SKIP_MOST = 2  # frames in a row that are not looked at
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
    """What came: times of all frames by the driver's clock and ours (seconds), and those to look at, in memory."""

    stamps: list[float] = field(default_factory=list)
    read: list[float] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)
    frames: list[NDArray[uint8]] = field(default_factory=list)
    corrupt: int = 0


def work(errand: dict[str, Any], say: Say) -> None:
    """`errand`: handle of the camera, seconds to watch it."""
    try:
        _check(str(errand["handle"]), float(errand["seconds"]), say)
    except Failed as failed:
        say({"failed": failed.code, "detail": failed.detail})
    else:
        say({"last": True})


def _check(handle: str, seconds: float, say: Say) -> None:
    os.environ.update(SETTINGS)
    try:
        importlib.import_module("cv2")
    except ImportError:
        raise Failed("device_library_missing", "opencv") from None
    say({"stage": "opening"})
    facts: dict[str, Any] = {}
    modes = ask_driver(handle, facts)
    say({"facts": facts})
    seen = Seen()
    with opened(handle, camera_modes.fitting(modes)) as camera:
        say({"stage": "frames"})
        _watch(camera, handle, seconds, seen, say)
        mode = _mode(camera, modes)
    _tell_pace(seen, mode, say)
    say({"stage": "looking"})
    _look(seen, facts, say)


# ---- watching -----------------------------------------------------------------------------------------------------


def _watch(camera: VideoCapture, handle: str, seconds: float, seen: Seen, say: Say) -> None:
    """Count what comes for so long from the first frame, and keep it in memory. Failed: it ends."""
    begun, told = time.monotonic(), 0.0
    last = begun  # a frame, or the beginning
    while not seen.read or time.monotonic() - seen.read[0] < seconds:
        asked = time.monotonic()
        if not camera.grab():
            _missed(handle, last, seen)
            continue
        last = _came(camera, asked, seen)
        if len(seen.read) == 1:
            say({"values": {"camera_open_seconds": last - begun}})
        if last - told >= TELL_S:
            told = last
            say({"frames": len(seen.read)})


def _missed(handle: str, last: float, seen: Seen) -> None:
    """No frame. Failed: nor will there be more."""
    patience = SILENT_S if seen.read else FIRST_S
    reason = why(handle, "no frames come")
    if reason.code == "camera_vanished" or time.monotonic() - last >= patience:
        raise reason
    seen.corrupt += 1
    time.sleep(0.01)


def _came(camera: VideoCapture, asked: float, seen: Seen) -> float:
    """Note a frame, and keep it if it is time to look; decoding must not be what slows the camera."""
    import cv2

    now = time.monotonic()
    stamp = camera.get(cv2.CAP_PROP_POS_MSEC) / 1000
    if seen.stamps and stamp > 0 and stamp == seen.stamps[-1]:
        return now  # the same frame once more
    seen.stamps.append(stamp)
    seen.read.append(now)
    number = len(seen.read) - 1
    skipped = number - seen.kept[-1] - 1 if seen.kept else 0
    behind = now - asked < WAITED_S and skipped < SKIP_MOST
    if now - seen.read[0] < WARM_S or (behind and number):
        return now
    decoded, frame = camera.retrieve()
    if not decoded or frame is None or frame.ndim != 3:
        seen.corrupt += 1
        return now
    seen.kept.append(number)
    seen.frames.append(_small(frame))
    return now


def _small(frame: Any) -> NDArray[uint8]:
    """At most 720 rows, by leaving out rows and columns: a second of 4K frames would fill the memory."""
    step = -(-frame.shape[0] // HEIGHT)
    small: NDArray[uint8] = frame[::step, ::step].copy() if step > 1 else frame
    return small


def _mode(camera: VideoCapture, modes: tuple[Mode, ...]) -> Mode:
    """As it says that it runs."""
    import cv2

    code = int(camera.get(cv2.CAP_PROP_FOURCC)) & 0xFFFFFFFF
    letters = code.to_bytes(4, "little").decode("ascii", "replace").strip("\0 ")
    width, height = int(camera.get(cv2.CAP_PROP_FRAME_WIDTH)), int(camera.get(cv2.CAP_PROP_FRAME_HEIGHT))
    rate = camera.get(cv2.CAP_PROP_FPS)
    told = [mode.rate for mode in modes if (mode.width, mode.height, mode.fourcc) == (width, height, letters)]
    return Mode(width, height, letters if letters.isalnum() else "", rate if rate > 0 else max(told, default=0.0))


# ---- telling ------------------------------------------------------------------------------------------------------


def _tell_pace(seen: Seen, mode: Mode, say: Say) -> None:
    values, unknown = pace(clock(seen.stamps, seen.read)), {}
    if not values:
        unknown = dict.fromkeys(("camera_frames_per_second", "camera_dropped_ratio"), "too few frames came")
    if mode.rate:
        values["camera_advertised_frames_per_second"] = mode.rate
    else:
        unknown["camera_advertised_frames_per_second"] = "the camera does not tell its rate"
    say({"values": values, "unknown": unknown, "facts": {"mode": str(mode).strip()}})


def _look(seen: Seen, facts: dict[str, Any], say: Say) -> None:
    """The picture's values and its first fault, "good" without one."""
    import cv2

    from media_check.picture import FAULTS, look

    if not seen.frames:
        raise Failed("camera_silent", "what comes cannot be decoded")
    if not hasattr(cv2, "CascadeClassifier"):
        raise Failed("device_library_missing", "OpenCV 4, for faces: this is another")
    times = clock(seen.stamps, seen.read)
    found = look(seen.frames, [times[number] for number in seen.kept])
    faults = set(found.faults)
    if seen.corrupt > CORRUPT_MOST * len(seen.read):
        faults.add("torn")
    if facts.get("shutter") == "closed":
        faults.add("covered")
    picture = next((word for word in FAULTS if word in faults), "good")
    say({"values": found.values, "unknown": found.unknown, "facts": {**found.facts, "camera_picture": picture}})


if __name__ == "__main__":
    run(work)

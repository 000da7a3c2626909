"""The camera check's own process: it opens one camera, looks at what comes, and says numbers and words about it.

Frames exist in this process's memory only. Lines said: {"stage"} (opening, frames, looking), {"values", "unknown",
"facts"} as they become known, {"frames": so many yet}, {"failed": code, "detail"} or {"last": true} at the end.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from media_check.camera_frames import (
    Seen,
    count,
    decoded,
    is_warming,
    look,
    missed,
    mode_of,
    tell,
    tell_pace,
    watched,
)
from media_check.camera_opening import Failed
from processes.child import Say, run

if TYPE_CHECKING:
    from cv2 import VideoCapture

TELL_S = 0.2  # between two signs of life
WAITED_S = 0.002  # a frame that is there sooner had been waiting: we are behind
SKIP_MOST = 2  # frames in a row that are not looked at


def work(errand: dict[str, Any], say: Say) -> None:
    """`errand`: handle of the camera, seconds to watch it."""
    handle = str(errand["handle"])
    try:
        _check(handle, float(errand["seconds"]), say)
    except Failed as failed:
        tell(failed, handle, say)
    else:
        say({"last": True})


def _check(handle: str, seconds: float, say: Say) -> None:
    seen = Seen()
    with watched(handle, say) as found:
        _watch(found.camera, handle, seconds, seen, say)
        mode = mode_of(found)
    tell_pace(seen, mode, say)
    say({"stage": "looking"})
    look(seen, found.facts, say)


# ---- watching -----------------------------------------------------------------------------------------------------


def _watch(camera: VideoCapture, handle: str, seconds: float, seen: Seen, say: Say) -> None:
    """Count what comes for so long from the first frame, and keep it in memory. Failed: it ends."""
    begun, told = time.monotonic(), 0.0
    last = begun  # a frame, or the beginning
    while seen.first is None or time.monotonic() - seen.first < seconds:
        asked = time.monotonic()
        if not camera.grab():
            missed(handle, last, seen)
            continue
        last = time.monotonic()
        if count(camera, last, seen):
            _keep(camera, asked, last, seen)
        if len(seen.read) == 1:
            say({"values": {"camera_open_seconds": last - begun}})
        if last - told >= TELL_S:
            told = last
            say({"frames": len(seen.read)})


def _keep(camera: VideoCapture, asked: float, now: float, seen: Seen) -> None:
    """If it is time to look; decoding must not be what slows the camera."""
    number = len(seen.read) - 1
    skipped = number - seen.kept[-1] - 1 if seen.kept else 0
    behind = number > 0 and now - asked < WAITED_S and skipped < SKIP_MOST
    if behind or is_warming(now, seen):
        return
    frame = decoded(camera, now, seen)
    if frame is not None:
        seen.keep(frame)


if __name__ == "__main__":
    run(work)

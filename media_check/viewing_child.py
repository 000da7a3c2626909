"""The viewing's own process: it opens one camera, shows what comes and judges it again and again, until it is killed.

Lines said are the camera check's (media_check.camera_child), and besides {"jpeg": a picture in base64} and {"judged":
{"values", "unknown", "facts"}}, each a whole judgement of the last frames. Frames exist in this process's memory only,
those of the last WATCH_S and those being looked at; the pictures go to the parent and nowhere else.
"""

from __future__ import annotations

import base64
import os
import threading
import time
from collections.abc import Callable
from copy import copy
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from media_check.camera_frames import (
    Opened,
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
from media_check.camera_modes import Mode
from media_check.camera_opening import Failed, ask_shutter
from processes.child import Say, run

if TYPE_CHECKING:
    from numpy import uint8
    from numpy.typing import NDArray

T = TypeVar("T")

WATCH_S = 2.2  # that are kept and judged, as the camera check does
JUDGE_S = 2.0  # from one judgement's beginning to the next one's
SHOW_S = 0.055  # at least between two pictures: 15 a second of a camera's 30, 12.5 of its 25
TELL_S = 0.2  # without a picture: a sign of life
LONGEST, QUALITY = 640, 80  # pixels of the longer side; of JPEG


class Newest(Generic[T]):
    """A place for one thing, which a newer one takes from it: who is slow gets fewer, not older ones."""

    def __init__(self) -> None:
        self._things: list[T] = []
        self._there = threading.Condition()

    def put(self, thing: T) -> None:
        """Never waits."""
        with self._there:
            self._things[:] = [thing]
            self._there.notify()

    def take(self) -> T:
        """Wait for one."""
        with self._there:
            self._there.wait_for(lambda: self._things)
            return self._things.pop()


def work(errand: dict[str, Any], say: Say) -> None:
    """`errand`: handle of the camera."""
    handle = str(errand["handle"])
    try:
        with watched(handle, say) as found:
            Viewing(found, handle, say).watch()
    except Failed as failed:
        tell(failed, handle, say)


class Viewing:
    """One open camera: this thread takes its frames, another shows them, and a third judges them."""

    def __init__(self, found: Opened, handle: str, say: Say) -> None:
        self._found, self._handle, self._say = found, handle, say
        self._seen = Seen()
        self._to_show: Newest[NDArray[uint8]] = Newest()
        self._to_judge: Newest[tuple[Seen, Mode]] = Newest()
        self._shown = self._told = self._next = 0.0
        self._judged_from: float | None = None
        self._judging = False
        self._failed: Failed | None = None

    def watch(self) -> None:
        """Failed: it ends. It does not end otherwise."""
        for always in (self._show, self._judge):
            threading.Thread(target=_for_ever, args=(always,), daemon=True).start()
        begun = last = time.monotonic()
        while self._failed is None:
            if not self._found.camera.grab():
                missed(self._handle, last, self._seen)
                continue
            last = time.monotonic()
            if self._seen.first is None:
                self._say({"values": {"camera_open_seconds": last - begun}})
            if count(self._found.camera, last, self._seen):
                self._came(last)
        raise self._failed

    def _came(self, now: float) -> None:
        """A frame. Decoding takes more of the computer than all else, so only what is to be shown is decoded."""
        self._seen.forget(now - WATCH_S)
        if now >= self._next:
            self._decode(now)
        if now - max(self._shown, self._told) >= TELL_S:
            self._told = now
            self._say({"frames": len(self._seen.read)})
        self._hand_over(now)

    def _decode(self, now: float) -> None:
        """At most half of the time, on a slow computer: else it would seem that the camera drops frames."""
        frame = decoded(self._found.camera, now, self._seen)
        self._next = now + max(SHOW_S, 2 * (time.monotonic() - now))
        if frame is None:
            return
        self._shown = now
        self._to_show.put(frame)
        if not is_warming(now, self._seen):
            self._seen.keep(frame)

    def _hand_over(self, now: float) -> None:
        """What is kept, to be judged, when it is time. A judgement that takes long delays the next, nothing else.

        A slow computer may have decoded nothing yet; if nothing can be, that is a judgement.
        """
        assert self._seen.first is not None
        due = self._seen.first + WATCH_S if self._judged_from is None else self._judged_from + JUDGE_S
        if now >= due and not self._judging and (self._seen.frames or self._seen.corrupt):
            self._judged_from, self._judging = now, True
            self._to_judge.put((_copied(self._seen), mode_of(self._found)))

    def _show(self) -> None:
        self._say({"jpeg": base64.b64encode(packed(self._to_show.take())).decode("ascii")})

    def _judge(self) -> None:
        seen, mode = self._to_judge.take()
        try:
            self._say({"judged": judged(seen, mode, self._facts())})
        except Failed as failed:
            self._failed = failed
        self._judging = False

    def _facts(self) -> dict[str, Any]:
        """The driver's, as they are now: the shutter may have been opened meanwhile."""
        shutter = ask_shutter(self._handle) if "shutter" in self._found.facts else None
        return self._found.facts | ({"shutter": shutter} if shutter else {})


def _copied(seen: Seen) -> Seen:
    """Its lists are others; the frames are the same ones."""
    other = copy(seen)
    other.stamps, other.read, other.kept = [*seen.stamps], [*seen.read], [*seen.kept]
    other.frames, other.corrupt = [*seen.frames], [*seen.corrupt]
    return other


def judged(seen: Seen, mode: Mode, facts: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What the camera check would say of them. Failed: nothing can be decoded."""
    shutter = {name: facts[name] for name in ("shutter",) if name in facts}
    whole: dict[str, dict[str, Any]] = {"values": {}, "unknown": {}, "facts": shutter}

    def gather(line: Any) -> None:
        for part, found in whole.items():
            found |= line.get(part, {})

    tell_pace(seen, mode, gather)
    look(seen, facts, gather)
    return whole


def packed(frame: NDArray[uint8]) -> bytes:
    """A frame (H, W, 3) as JPEG, its longer side LONGEST or, if it is smaller, as it is."""
    import cv2

    factor = LONGEST / max(frame.shape[:2])
    if factor < 1:
        frame = cv2.resize(frame, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    _, data = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return data.tobytes()


def _for_ever(step: Callable[[], None]) -> None:
    """A thread's work. What breaks is a defect, and ends the process, as it would in the first thread."""
    try:
        while True:
            step()
    except BaseException:  # noqa: BLE001 - see above
        import traceback

        traceback.print_exc()
        os._exit(1)


if __name__ == "__main__":
    run(work)

"""What a camera's frames show: pure analysis, arrays in, values out. Nothing is opened, kept or written.

`look` takes what was read in a few seconds and says how much of it is black or stands still, how bright it is, whether
a face is in it, and what others would complain of. All limits are in levels of 8-bit luma (ITU-R BT.601, 0-255) or in
shares; they were set on the labelled pictures of tests/media_check/pictures.py, see docs/media.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from media_check import faces, light, tears

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Frame = NDArray[np.uint8]

FAULTS = (
    "covered",
    "dark",
    "over_exposed",
    "backlit",
    "blurred",
    "torn",
    "colour_cast",
    "face_small",
    "face_at_edge",
    "no_face",
)  # fmt: skip - worst first
LOOKED_AT = 12  # frames that are analysed whole; black and still ones are counted over all
WORKING_HEIGHT = 360  # rows: half of 720, where noise is less and everything the verdicts need is left
BLACK_LEVEL = 24  # 16 is black where a driver forgets to stretch limited range (BT.601); 8 more for the sensor's grain
BLACK_SPREAD = 2.5  # levels, in blocks of 4 x 4 where the grain is evened out: an unlit room shows more
STILL_PIXELS = 0.001  # of the pixels may change in a repeated frame: a clock drawn into it
CLIPPED_LOW, CLIPPED_HIGH = 2, 253  # beyond them a live picture cannot change
FREEZE_S = 0.15  # shorter stills are a low frame rate, not a freeze (webrtc counts from 150 ms above the usual)
COVERED_TEXTURE = 2.0  # levels left after a smooth surface is taken away: a lens cap, finger or tape has none
FACE_SMALL = 0.12  # of the height: at 720p some 85 rows, too few for others to see an expression
EDGE = 0.03  # share of the side that must be free beside a face
FACE_FRAMES = 3  # searched; two must agree, since a single window of noise may look like a face


@dataclass(frozen=True)
class Look:
    """What was seen. `values` and `unknown` (name: reason) have names of the vocabulary; `faults` words of FAULTS."""

    values: dict[str, float] = field(default_factory=dict)
    facts: dict[str, str | float | bool] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    unknown: dict[str, str] = field(default_factory=dict)


def look(frames: Sequence[Frame], times: Sequence[float]) -> Look:
    """Judge `frames` (H, W, 3) BGR of one size, read at `times` (s, rising). ValueError: none, or unequal counts."""
    if not frames or len(frames) != len(times):
        raise ValueError("needs as many times as frames, and at least one")
    thumbs = [_thumb(frame) for frame in frames]
    seen = [thumb for thumb in thumbs if not _is_black(thumb)]
    values = {
        "camera_black_ratio": 1 - len(seen) / len(frames),
        "camera_brightness_ratio": sum(float(thumb.mean()) for thumb in thumbs) / len(thumbs) / 255,
    }
    still = still_ratio(frames, times)
    unknown = {}
    if still is None:
        unknown["camera_frozen_ratio"] = "nothing in the picture could change"
    else:
        values["camera_frozen_ratio"] = still
    if len(seen) * 2 < len(frames):  # nothing to be seen: the row of black frames says it too, with the same advice
        return Look(values, {}, ("covered",), unknown | {"face_height_ratio": "the picture is black"})
    shown = [frame for frame, thumb in zip(frames, thumbs, strict=True) if not _is_black(thumb)]
    return _judged(_spread(shown, LOOKED_AT), values, unknown)


def still_ratio(frames: Sequence[Frame], times: Sequence[float]) -> float | None:
    """Share of the frames after the first that repeat the one before, for FREEZE_S or more.

    None: one frame, or all of it black or white.
    """
    repeats: list[bool] = []
    for before, after in pairwise(frames):
        repeat = _repeats(before[::8, ::8], after[::8, ::8])
        if repeat is None:
            return None
        repeats.append(repeat)
    if not repeats:
        return None
    frozen, begun = 0, 0
    for at, repeat in enumerate([*repeats, False]):
        if not repeat:
            frozen += at - begun if times[at] - times[begun] >= FREEZE_S else 0
            begun = at + 1
    return frozen / len(repeats)


def _repeats(before: Frame, after: Frame) -> bool | None:
    """Whether they are the same picture; None when hardly a pixel could tell (all clipped)."""
    live = (before > CLIPPED_LOW) & (before < CLIPPED_HIGH)
    if live.mean() < STILL_PIXELS * 10:
        return None
    return bool((before != after)[live].mean() < STILL_PIXELS)


def _thumb(frame: Frame) -> Frame:
    """Luma in blocks of 4 x 4, from every second pixel of every second row."""
    import cv2

    part = frame[::2, ::2]
    luma = cv2.cvtColor(part, cv2.COLOR_BGR2GRAY)
    return cv2.resize(luma, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]


def _is_black(thumb: Frame) -> bool:
    import numpy as np

    return bool(np.percentile(thumb, 99) <= BLACK_LEVEL and thumb.std() <= BLACK_SPREAD)


def _spread(frames: Sequence[Frame], most: int) -> list[Frame]:
    """At most `most` frames, evenly over all."""
    step = max(1.0, len(frames) / most)
    return [frames[int(i * step)] for i in range(min(most, len(frames)))]


def _judged(frames: Sequence[Frame], values: dict[str, float], unknown: dict[str, str]) -> Look:
    """The faults of a camera that shows something."""
    import numpy as np

    small = [_working(frame) for frame in frames]
    mean = np.asarray(np.mean(small, axis=0), dtype=np.float32)
    if light.texture(mean) < COVERED_TEXTURE and not light.is_over_exposed(mean, None):
        return Look(values, {}, ("covered",), unknown | {"face_height_ratio": "the lens is covered"})
    face = face_in(frames)
    if face is None and light.could_be_backlit(mean):
        face = faces.find_in_shade(light.luma(mean))
    faults = [*light.faults(mean, face), *tears.faults(small, mean)]
    if face is None:
        reason = "no face was found"
        return Look(values, {"face": False}, _sorted([*faults, "no_face"]), unknown | {"face_height_ratio": reason})
    if face.height < FACE_SMALL:
        faults.append("face_small")
    if face.margin < EDGE:
        faults.append("face_at_edge")
    return Look(values | {"face_height_ratio": face.height}, {"face": True}, _sorted(faults), unknown)


def face_in(frames: Sequence[Frame]) -> faces.Face | None:
    """A face that two of FACE_FRAMES frames show at one place. None as soon as two show none; one frame is believed."""
    import cv2

    searched = _spread(frames, FACE_FRAMES)
    found: list[faces.Face] = []
    for at, frame in enumerate(searched):
        face = faces.find(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY))  # type: ignore[arg-type]
        if face and (len(searched) == 1 or any(face.is_at(other) for other in found)):
            return face
        found += [face] if face else []
        if at + 1 - len(found) == 2:
            break
    return None


def _working(frame: Frame) -> Frame:
    import cv2

    factor = WORKING_HEIGHT / frame.shape[0]
    if factor >= 1:
        return frame
    return cv2.resize(frame, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]


def _sorted(faults: Sequence[str]) -> tuple[str, ...]:
    return tuple(word for word in FAULTS if word in faults)

"""How evenly frames came (pure: times in, values out)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median, quantiles

SETTLE_S = 0.3  # of the beginning, in which cameras set themselves up
LEAST = 4  # frames, to speak of a rate


def clock(stamps: Sequence[float], read: Sequence[float]) -> list[float]:
    """The driver's stamps (seconds) where they go forward as fast as our own clock's `read`; else the latter.

    A driver stamps a frame when it is exposed, which this computer's load does not move.
    """
    if len(stamps) < LEAST or any(after <= before for before, after in pairwise(stamps)):
        return list(read)
    ours, its = read[-1] - read[0], stamps[-1] - stamps[0]
    return list(stamps) if abs(its - ours) <= max(0.2, 0.1 * ours) else list(read)


def pace(times: Sequence[float]) -> dict[str, float]:
    """camera_frames_per_second and camera_dropped_ratio of frames at these times (seconds); {}: too few frames.

    A camera that slows down evenly, as in dim light, drops nothing; one that leaves out frames of its own beat does.
    """
    settled = [time for time in times if time - times[0] >= SETTLE_S]
    if len(settled) < LEAST:
        settled = list(times)
    if len(settled) < LEAST:
        return {}
    gaps = [after - before for before, after in pairwise(settled)]
    beat = _beat(gaps)
    due = sum(max(1, round(gap / beat)) for gap in gaps)
    return {
        "camera_frames_per_second": len(gaps) / sum(gaps),
        "camera_dropped_ratio": 1 - len(gaps) / due,
    }


def _beat(gaps: Sequence[float]) -> float:
    """Seconds between frames when none is left out: the middle of the short gaps, for the long ones span several."""
    short = quantiles(gaps, n=10, method="inclusive")[0]
    return max(1e-3, median(gap for gap in gaps if gap <= 1.5 * max(short, 1e-3)) if short > 0 else median(gaps))

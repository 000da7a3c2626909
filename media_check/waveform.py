"""What the samples themselves tell: cut tops, gaps, a clock that does not fit. Pure: arrays in, values out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Sound = NDArray[np.float32] | NDArray[np.float64]

FULL_SCALE = 0.999  # 32767 of 32768 and a little below: drivers differ in the last steps
TOP_STEP = 5e-5  # one and a half steps of 16 bits: samples of a cut top are equal but for rounding
TOP_RUN = 3  # samples in a row; a sound that is not cut has one, seldom two
TOP_CROWD = 0.4  # of the samples within 2 % of the peak; a sine has 0.06 there, cut sound most
TOP_NEAR = 0.98
TOP_LOUD = 0.1  # -20 dBFS: no converter cuts lower than that
GAP_SECONDS = 0.003  # no sound stays exactly the same for so long
GAP_JUMP = 0.1  # of the RMS: sound breaks off; a noise gate fades, or closes when it is quiet
GAP_TOP = 0.9  # of the peak: a cut top, no gap
STANDARD_RATES = (8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000)
RATE_LIKE = 0.015  # 1.5 s by blocks of 20 ms are sure to 1.3 %
RATE_ERROR = 0.03  # twice that; 44.1 taken for 48 kHz is 8 %


def sounding(samples: Sound) -> Sound:
    """`samples` (n,) without the constant stretches at both ends (a device that wakes up); empty when all are equal."""
    import numpy as np

    changes = np.flatnonzero(np.diff(samples))
    return samples[changes[0] : changes[-1] + 2] if len(changes) else samples[:0]


def clipped_ratio(samples: Sound) -> float:
    """Part of the samples (n,) -1–1 that lies in cut tops: at the end of the scale, or of the device's own."""
    import numpy as np

    if not len(samples):
        return 0.0
    return float(sum(np.sum(_cut(side)) for side in (samples, -samples))) / len(samples)


def _cut(samples: Sound) -> NDArray[np.bool_]:
    """Which samples are in cut positive tops."""
    import numpy as np

    peak = float(samples.max())
    top = samples >= min(FULL_SCALE, peak - TOP_STEP)
    if peak < TOP_LOUD or np.sum(top) < TOP_CROWD * np.sum(samples >= TOP_NEAR * peak):
        return np.zeros(len(samples), bool)
    starts, lengths = runs(top)
    marks = np.zeros(len(samples) + 1, np.int64)
    long = lengths >= TOP_RUN
    np.add.at(marks, starts[long], 1)
    np.add.at(marks, (starts + lengths)[long], -1)
    return np.cumsum(marks)[:-1] > 0


def runs(true: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where runs of True in (n,) begin and how long they are."""
    import numpy as np

    edges = np.flatnonzero(np.diff(np.concatenate(([False], true, [False])).astype(np.int8)))
    return edges[::2], edges[1::2] - edges[::2]


def gap_ratio(samples: Sound, rate: int) -> float:
    """Part of the samples (n,) in gaps: sound that breaks off and stays exactly the same for 3 ms or more."""
    import numpy as np

    if not len(samples):
        return 0.0
    starts, lengths = runs(np.diff(samples) == 0)
    long = lengths >= max(8, GAP_SECONDS * rate)
    first, last = starts[long], (starts + lengths)[long]
    inside = (first > 0) & (last < len(samples) - 1)
    first, last = first[inside], last[inside]
    middle = samples - np.mean(samples)
    jump = np.maximum(np.abs(samples[first] - samples[first - 1]), np.abs(samples[last + 1] - samples[last]))
    loud = float(np.sqrt(np.mean(middle**2)))
    gaps = (jump > GAP_JUMP * loud) & (np.abs(middle[first]) < GAP_TOP * np.abs(middle).max())
    return float(np.sum((last - first + 1)[gaps])) / len(samples)


def rate_error(count: int, rate: int, seconds: float | None) -> float | None:
    """How far `count` samples in `seconds` are from `rate` hertz, as a ratio (0.1: 10 % too many). None: no clock."""
    return count / (rate * seconds) - 1 if seconds else None


def is_wrong_rate(error: float, rate: int) -> bool:
    """Whether samples come at another standard rate, or too fast for anything else; too few may have been lost."""
    if abs(error) <= RATE_ERROR:
        return False
    return error > 0 or any(abs((1 + error) * rate / other - 1) < RATE_LIKE for other in STANDARD_RATES)

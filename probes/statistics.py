"""Percentiles and confidence intervals. Pure; no numpy, for a run has a few thousand packets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist, fmean, stdev

Z95 = 1.959964
# two-sided 95 % quantiles of Student's t for 1 … 30 degrees of freedom
_T95 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip
_BATCHES, _BATCH_LEAST = 10, 32


def percentile(ordered: Sequence[float], fraction: float) -> float:
    """The value below which that fraction lies, interpolated; `ordered` ascends and is not empty."""
    at = fraction * (len(ordered) - 1)
    low = math.floor(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)


def wilson(events: int, total: int, z: float = Z95) -> tuple[float, float]:
    """Confidence interval of a ratio (Wilson 1927); holds for few events too. `total` is at least 1."""
    share, square = events / total, z * z / total
    middle = (share + square / 2) / (1 + square)
    half = z / (1 + square) * math.sqrt(share * (1 - share) / total + square / (4 * total))
    low = 0.0 if events == 0 else max(0.0, middle - half)
    high = 1.0 if events == total else min(1.0, middle + half)
    return low, high


def z_of_worst(windows: int) -> float:
    """The z with which the worst of so many windows still has a 95 % interval (Bonferroni)."""
    return NormalDist().inv_cdf(1 - 0.025 / max(1, windows))


def batch_means(values: Sequence[float]) -> tuple[float, float] | None:
    """95 % interval of the mean of a correlated series by batch means; None when it is too short to tell.

    Ten batches or, in a short series, as many of 32 values as it holds (at least 3).
    """
    batches = min(_BATCHES, len(values) // _BATCH_LEAST)
    if batches < 3:
        return None
    size = len(values) // batches
    means = [fmean(values[i * size : (i + 1) * size]) for i in range(batches)]
    half = _T95[batches - 2] * stdev(means) / math.sqrt(batches)
    middle = fmean(values)
    return middle - half, middle + half

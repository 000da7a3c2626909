"""The steady part of a transfer: when it had stopped speeding up, how fast it then was, and how sure that is. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from operator import attrgetter
from typing import NamedTuple

from probes.statistics import batch_means

_GRID = 20  # pieces in which the beginning of the steady part is looked for
_NEAR = 0.15  # as near as this to the final rate counts as arrived there
_GROWN = 1.2  # a later half faster by this is still growing
_BATCH, _MOST_BATCHES = 32, 10  # of statistics.batch_means


class Sample(NamedTuple):
    """`total` bytes had come `at_ns` after the transfer's begin."""

    at_ns: int
    total: int


class Rate(NamedTuple):
    """Bytes per second from `begin_ns` to `end_ns` of the transfer; `growing`: no plateau has been seen yet."""

    bytes_per_second: float
    begin_ns: int
    end_ns: int
    growing: bool
    interval: tuple[float, float] | None  # 95 %

    @property
    def low(self) -> float:
        """The least that it may be."""
        return self.interval[0] if self.interval else 0.75 * self.bytes_per_second

    @property
    def high(self) -> float:
        """The most that it may be, as far as this goes: a rate that still grows has no upper end."""
        if self.growing:
            return float("inf")
        return self.interval[1] if self.interval else 1.25 * self.bytes_per_second


def total_at(samples: Sequence[Sample], at_ns: float) -> float:
    """Bytes at a moment, between two samples in proportion."""
    i = bisect_left(samples, at_ns, key=attrgetter("at_ns"))
    if i == 0:
        return float(samples[0].total)
    if i == len(samples):
        return float(samples[-1].total)
    before, after = samples[i - 1], samples[i]
    share = (at_ns - before.at_ns) / (after.at_ns - before.at_ns)
    return before.total + share * (after.total - before.total)


def _speed(samples: Sequence[Sample], begin: float, end: float) -> float:
    return (total_at(samples, end) - total_at(samples, begin)) / (end - begin) * 1e9


def steady(samples: Sequence[Sample]) -> Rate | None:
    """Leave out slow start, and a token bucket's burst, then take the mean; None: too little to say anything.

    The steady part begins where the speed first comes within 15 % of that of the second half, at the latest there.
    Its edges are samples, moments at which something arrived, so that what a TLS record holds back falsifies nothing.
    """
    if len(samples) < 4 or samples[-1].at_ns <= samples[0].at_ns:
        return None
    first, last = samples[0].at_ns, samples[-1].at_ns
    edges = [first + (last - first) * i / _GRID for i in range(_GRID + 1)]
    final = _speed(samples, edges[_GRID // 2], last)
    near = (i for i in range(_GRID // 2) if abs(_speed(samples, edges[i], edges[i + 2]) - final) <= _NEAR * final)
    begin = edges[next(near, _GRID // 2)]
    part = samples[min(bisect_left(samples, begin, key=attrgetter("at_ns")), len(samples) - 2) :]
    begin, middle = part[0].at_ns, (part[0].at_ns + last) / 2
    growing = _speed(samples, middle, last) > _GROWN * _speed(samples, begin, middle) or final <= 0
    return Rate(_speed(part, begin, last), int(begin), last, growing, _interval(part))


def _interval(part: Sequence[Sample]) -> tuple[float, float] | None:
    """Of the mean speed, by batches each of which holds a sample at least; None with fewer than three."""
    batches = min(_MOST_BATCHES, len(part) - 1)
    pieces = batches * _BATCH
    first, last = part[0].at_ns, part[-1].at_ns
    totals = [total_at(part, first + (last - first) * i / pieces) for i in range(pieces + 1)]
    scale = pieces / (last - first) * 1e9
    found = batch_means([(b - a) * scale for a, b in pairwise(totals)])
    return None if found is None else (max(0.0, found[0]), found[1])

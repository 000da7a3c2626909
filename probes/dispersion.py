"""From the spread of a packet train at its receiver to the capacity of the way: pure, no clock, no socket.

While packets queue at the narrowest link they come out of it back-to-back, so the time between two of them is what
that link needs for one (RFC 5136's capacity to the IP layer). The rest of a train says nothing of it:

- gaps over lost packets (the loss may be on either side of the queue): only neighbours in sequence count;
- gaps in which the queue may have run empty: only neighbours of which the second had left, and could have been there,
  before the first was there;
- the beginning, which a token bucket lets through at the speed of the lines: it is looked for, as the place where the
  slope of octets over time breaks;
- a pause of the whole link that is not caught up afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import sqrt
from statistics import fmean, median
from typing import NamedTuple

from probes.statistics import Z95

LEAST_PAIRS = 8
EARLY_NS = 50_000  # some packets are signed before the first of them is sent
LEAST_NS = 1_000_000  # less may be the pace of this computer or of the other one
BUSY = 0.95  # of the time, for the link to count as saturated: after a pause its bucket lets some through quickly
BREAK = 1.25  # how much slower the steady part must be for the beginning to be a burst
PAUSE = 8  # times the usual gap
WIDE = 0.15  # half the interval, of the value: beyond it nothing is said
LOST = 0.2  # of the packets: more spoil the count of neighbours
SENDER, FEW = "the sender was the bottleneck", "too few packets of the train arrived"
_BLOCKS = 10


class Point(NamedTuple):
    """One packet that arrived: its number in the train, when it left and when it was there, each by its own clock."""

    sequence: int
    departed_ns: int
    arrived_ns: int


@dataclass(frozen=True, slots=True)
class Capacity:
    """Bytes per second of IP packets, with the 95 % interval, and the burst that went before (None: none seen)."""

    rate: float
    low: float
    high: float
    pairs: int
    seconds: float
    burst_bytes: float | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the train says nothing, and what the link carries at least (bytes per second; None: not known)."""

    reason: str
    at_least: float | None = None


class _Pair(NamedTuple):
    """Two neighbours: the second's place in the order of arrival, nanoseconds between them, and was the queue busy."""

    place: int
    gap_ns: int
    busy: bool


def capacity(points: Sequence[Point], octets: int) -> Capacity | Refusal:
    """The capacity that a train of IP packets of that many `octets` met on its way."""
    ordered = sorted(points)
    pairs = _pairs(ordered)
    if len(pairs) < LEAST_PAIRS:
        return Refusal(FEW)
    least = octets * 1e9 * len(pairs) / max(1, sum(p.gap_ns for p in pairs))
    busy = _saturated(pairs)
    if len(busy) < LEAST_PAIRS:
        many_lost = len(ordered) < (1 - LOST) * (ordered[-1].sequence - ordered[0].sequence + 1)
        return Refusal(FEW if many_lost else SENDER, least)
    begin = _steady(busy)
    steady = busy[begin:]
    if len(steady) < LEAST_PAIRS or sum(p.gap_ns for p in steady) < LEAST_NS:
        return Refusal("a burst let through at line rate was nearly the whole train", least)
    gap, half = _gap(steady)
    if gap <= 0 or _waiting(ordered, steady) < gap:
        return Refusal(SENDER, least)
    if half > gap * WIDE:
        return Refusal("the packets of the train came too unevenly", least)
    burst = _burst(ordered[: steady[0].place], gap, octets)
    low, high = octets * 1e9 / (gap + half), octets * 1e9 / (gap - half)
    return Capacity(octets * 1e9 / gap, low, high, len(steady), sum(p.gap_ns for p in steady) / 1e9, burst)


def _pairs(ordered: Sequence[Point]) -> list[_Pair]:
    """The neighbours. Busy: by the margin of a packet, for the times of departure are a little early."""
    transit = min((p.arrived_ns - p.departed_ns for p in ordered), default=0)
    near = [(i, p, q) for i, (p, q) in enumerate(pairwise(ordered), 1) if q.sequence == p.sequence + 1]
    queued = [q.arrived_ns - p.arrived_ns for _, p, q in near if q.departed_ns + transit < p.arrived_ns]
    margin = max(EARLY_NS, median(queued or [0]))
    return [_Pair(i, q.arrived_ns - p.arrived_ns, q.departed_ns + transit + margin < p.arrived_ns) for i, p, q in near]


def _saturated(pairs: Sequence[_Pair]) -> list[_Pair]:
    """The busy pairs of the longest stretch in which the queue was busy for most of the time."""
    usual = max(1.0, fmean([p.gap_ns for p in pairs if p.busy] or [0]))
    best = score = 0.0
    begin, chosen = 0, (0, 0)
    for i, pair in enumerate(pairs):
        if score <= 0:
            score, begin = 0.0, i
        # a pause of the link is no proof that it was busy
        score += min(pair.gap_ns, 3 * usual) if pair.busy else -pair.gap_ns * BUSY / (1 - BUSY)
        if score > best:
            best, chosen = score, (begin, i + 1)
    return [p for p in pairs[slice(*chosen)] if p.busy]


def _waiting(ordered: Sequence[Point], steady: Sequence[_Pair]) -> float:
    """How long a packet of the steady part waited in the queue, median, nanoseconds."""
    transit = min(p.arrived_ns - p.departed_ns for p in ordered)
    return median(ordered[p.place].arrived_ns - ordered[p.place].departed_ns for p in steady) - transit


# ---- where the burst ends


def _steady(busy: Sequence[_Pair]) -> int:
    """The first pair of the steady part: 0 when there is no break of the slope."""
    begin = 0
    for _ in range(2):  # a bucket, and a second one behind it
        found = _break([p.gap_ns for p in busy[begin:]])
        if not found:
            break
        begin += found
    return begin


def _break(gaps: Sequence[int]) -> int:
    """Where two straight lines fit the times best, if the second is clearly slower; else 0."""
    times = [0.0, *accumulate(float(g) for g in gaps)]
    fits, last = _Fits(times), len(times)
    whole = fits.error(0, last)
    best, at = whole, 0
    for middle in range(2, last - 3):
        error = fits.error(0, middle + 1) + fits.error(middle, last)
        if error < best:
            best, at = error, middle
    if not at or best > whole / 2:
        return 0
    before, after = fits.slope(0, at + 1), fits.slope(at, last)
    return at if after > BREAK * max(before, 0.0) else 0


class _Fits:
    """Least squares of times over 0, 1, 2 …, for any part, from running sums."""

    def __init__(self, times: Sequence[float]) -> None:
        self._x = [0.0, *accumulate(float(i) for i in range(len(times)))]
        self._xx = [0.0, *accumulate(float(i * i) for i in range(len(times)))]
        self._t = [0.0, *accumulate(times)]
        self._xt = [0.0, *accumulate(i * t for i, t in enumerate(times))]
        self._tt = [0.0, *accumulate(t * t for t in times)]

    def sums(self, begin: int, end: int) -> tuple[float, float, float]:
        """Squares about the mean: of x, of x and t, of t."""
        n = end - begin
        x, t = self._x[end] - self._x[begin], self._t[end] - self._t[begin]
        return (
            self._xx[end] - self._xx[begin] - x * x / n,
            self._xt[end] - self._xt[begin] - x * t / n,
            self._tt[end] - self._tt[begin] - t * t / n,
        )

    def slope(self, begin: int, end: int) -> float:
        xx, xt, _ = self.sums(begin, end)
        return xt / xx if xx > 0 else 0.0

    def error(self, begin: int, end: int) -> float:
        xx, xt, tt = self.sums(begin, end)
        return max(0.0, tt - xt * xt / xx) if xx > 0 else 0.0


def _burst(before: Sequence[Point], gap: float, octets: int) -> float | None:
    """Octets that came before the steady part beyond what the link carries; None when they are hardly any.

    A bucket that was full at any moment and is empty at the end has let through the most that any such part shows.
    """
    if not before:
        return None
    end = before[-1].arrived_ns
    most = max(n - (end - p.arrived_ns) / gap for n, p in enumerate(reversed(before), 1))
    return octets * most if most > 2 else None


# ---- the slope of the steady part


def _gap(steady: Sequence[_Pair]) -> tuple[float, float]:
    """Nanoseconds for one packet, and half the width of the 95 % interval."""
    times = [0.0, *accumulate(float(p.gap_ns) for p in steady)]
    fits = _Fits(times)
    parts = _parts(times, fits)
    gap = _slope(fits, parts)
    return gap, _half_width(times, fits, parts, gap)


def _slope(fits: _Fits, parts: Sequence[tuple[int, int]]) -> float:
    """One slope for all parts, each with a beginning of its own."""
    sums = [fits.sums(*part) for part in parts]
    return sum(xt for _, xt, _ in sums) / sum(xx for xx, _, _ in sums)


def _parts(times: Sequence[float], fits: _Fits) -> list[tuple[int, int]]:
    """The times cut where the link paused and did not catch up."""
    usual = fits.slope(0, len(times))
    gaps = [two - one for one, two in pairwise(times)]
    typical = max(median(gaps), usual / 4)
    cuts = [i + 1 for i, g in enumerate(gaps) if g > PAUSE * typical]
    if len(cuts) > max(1, len(gaps) // 40):  # so many are no pauses but the way in which this link delivers
        return [(0, len(times))]
    kept, begin = [], 0
    for cut in cuts:
        if cut - begin >= LEAST_PAIRS and len(times) - cut >= LEAST_PAIRS and _lasting(times, fits, begin, cut):
            kept.append((begin, cut))
            begin = cut
    return [*kept, (begin, len(times))]


def _lasting(times: Sequence[float], fits: _Fits, begin: int, cut: int) -> bool:
    """Is the delay that began at `cut` still there a while later?"""
    slope = fits.slope(begin, cut)
    middle = (begin + cut - 1) / 2
    mean = fmean(times[begin:cut])
    end = min(len(times), cut + max(LEAST_PAIRS, cut - begin))
    late = [times[i] - (mean + slope * (i - middle)) for i in range(cut, end)]
    return median(late[len(late) // 2 :]) > late[0] / 2 > 0


def _half_width(times: Sequence[float], fits: _Fits, parts: Sequence[tuple[int, int]], gap: float) -> float:
    """From how the slopes of blocks differ, and from how well the ends are known."""
    size = max(2, (len(times) - 1) // _BLOCKS)
    slopes = [(times[at + size] - times[at]) / size for begin, end in parts for at in range(begin, end - size, size)]
    n = len(slopes)
    if n < 3:
        return gap / 2
    spread = sqrt(sum((s - fmean(slopes)) ** 2 for s in slopes) / (n - 1)) / sqrt(n)
    ends = sqrt(sum(fits.error(*part) for part in parts) / len(times)) * sqrt(12) / len(times)
    return _student(n - 1) * max(spread / 2, ends)


def _student(freedom: int) -> float:
    """The two-sided 95 % quantile of Student's t (Cornish and Fisher); within 4 % from 3 degrees of freedom up."""
    return Z95 + (Z95**3 + Z95) / (4 * freedom) + (5 * Z95**5 + 16 * Z95**3 + 3 * Z95) / (96 * freedom**2)

"""Which of several links, tested in the same seconds, is better, and is the difference more than chance?

The caller gives each link's quality per time slot (for example MOS per 200 ms; higher is better), aligned in time.
Slots are paired, so that what strikes all links at once (the room, this computer) cancels. Neighbouring slots resemble
each other, so the interval is Student's t on the means of batches of neighbouring slots (batch means; Law & Kelton,
Simulation Modeling and Analysis). Each interval is at 95 % by itself. Simulated: of equal links whose slots are
correlated by 0.5, over 50 slots, some 3 in 100 are told apart; correlated by 0.8, some 9 in 100.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, permutations
from statistics import NormalDist, fmean, stdev

from reports.record import Kind

KIND_ORDER: tuple[Kind, ...] = ("wired", "wifi", "tethered", "mobile", "vpn", "other")  # the routine's order
BATCHES = 6  # more would be shorter, and neighbours then too alike: equal links would be told apart too often
LEAST_BATCHES = 5
MATTERS = 0.05  # in the unit of quality. Own assumption: less than this nobody hears, however surely it is measured


@dataclass(frozen=True, slots=True)
class Difference:
    """How much better link `a` is than link `b`: the ends of the 95 % confidence interval of the mean difference."""

    a: str
    b: str
    quantity: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """`best` is the link to use; None when there are no links.

    `told_apart`: every other link was measured to be worse. Otherwise `best` is, among those that no link beats, the
    first by the routine's order of kinds. `worst` is named only when every other link is measurably better.
    `differences` holds each pair once, with a positive mean.
    """

    best: str | None
    worst: str | None
    differences: tuple[Difference, ...]
    told_apart: bool


def compare(quality: Mapping[str, Sequence[float]], *, kinds: Mapping[str, Kind], quantity: str = "mos") -> Comparison:
    """Compare links by their quality per slot; NaN is a slot where nothing was measured and its pair is left out."""
    means = {link: _mean(slots) for link, slots in quality.items()}
    found = {(a, b): _interval(quality[a], quality[b]) for a, b in permutations(quality, 2)}
    beats = {pair for pair, interval in found.items() if interval is not None and interval[0] > MATTERS}
    unbeaten = [link for link in quality if not any((other, link) in beats for other in quality)]
    best = min(unbeaten or quality, key=lambda link: _rank(kinds.get(link, "other"), means[link]), default=None)
    return Comparison(
        best=best,
        worst=next((w for w in quality if len(quality) > 1 and all((o, w) in beats for o in quality if o != w)), None),
        differences=tuple(
            Difference(a, b, quantity, *interval)
            for (a, b), interval in found.items()
            if interval is not None and (sum(interval), b) > (0, a)  # of a pair's two ways the positive one
        ),
        told_apart=len(quality) > 1 and all((best, other) in beats for other in quality if other != best),
    )


def _rank(kind: Kind, mean: float) -> tuple[bool, int, float]:
    """A link of which nothing is known comes last."""
    return (math.isnan(mean), KIND_ORDER.index(kind), -mean)


def _mean(slots: Sequence[float]) -> float:
    known = [q for q in slots if not math.isnan(q)]
    return fmean(known) if known else math.nan


def _interval(a: Sequence[float], b: Sequence[float]) -> tuple[float, float] | None:
    """The 95 % interval of mean(a - b), or None when there are too few pairs to say anything."""
    pairs = [x - y for x, y in zip(a, b, strict=False) if not math.isnan(x - y)]
    if len(pairs) < LEAST_BATCHES:
        return None
    count = min(BATCHES, len(pairs))
    edges = [round(i * len(pairs) / count) for i in range(count + 1)]
    batches = [fmean(pairs[i:j]) for i, j in pairwise(edges)]
    half = t_quantile(0.975, count - 1) * stdev(batches) / math.sqrt(count)
    middle = fmean(batches)
    return middle - half, middle + half


def t_quantile(p: float, df: int) -> float:
    """Student's t (Abramowitz & Stegun 26.7.5, about the normal): within 0.1 % at p = 0.975 and df >= 4."""
    z = NormalDist().inv_cdf(p)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / float(df) ** (i + 1) for i, term in enumerate(terms))

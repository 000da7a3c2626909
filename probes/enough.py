"""When is a transfer long enough? When the rest of it could not change the verdict. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from typing import NamedTuple

from probes.loaded import Way, rise
from probes.statistics import percentile
from probes.steady import Rate

LEAST_S = 1.2  # cubic's slow start over a long path, and a look at what follows it
LEAST_LOADED = 15
_INF = float("inf")
_NOISE_S = 0.003
_ONWARD = 1.5  # a queue may grow faster than it has lately

Settled = Callable[[str, float, float], bool]


class Live(NamedTuple):
    """How a transfer goes: for how long of how long, at what rate, and the round trips before it and since, seconds."""

    way: Way
    seconds: float
    most_s: float
    rate: Rate | None
    idle: Sequence[float]
    loaded: Sequence[float]


def enough(live: Live, settled: Settled) -> str:
    """Why more would not change the verdict, in words; empty while it could."""
    if live.seconds < LEAST_S or live.rate is None or len(live.loaded) < LEAST_LOADED or not live.idle:
        return ""
    if not settled(f"throughput_{live.way}_bytes_per_second", live.rate.low, live.rate.high):
        return ""
    name, now = f"rtt_rise_{live.way}_seconds", rise(live.idle, live.loaded)
    if now > 0 and settled(name, 0.9 * now, _INF):
        return "the queue already adds more than a meeting bears"
    if live.rate.growing:
        return ""
    if settled(name, 0.7 * now, _highest(live, now)):
        return "the rate has stopped growing, and the verdict is clear"
    return ""


def _highest(live: Live, now: float) -> float:
    """What the rise may still become in the rest of the time, when the queue goes on growing as it lately has."""
    third = len(live.loaded) // 3
    growth = median(live.loaded[2 * third :]) - median(live.loaded[third : 2 * third])
    onward = max(0.0, growth) * _ONWARD * 3 * (live.most_s - live.seconds) / live.seconds
    return max(1.2 * now, percentile(sorted(live.loaded), 1.0) - median(live.idle)) + onward + _NOISE_S

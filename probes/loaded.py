"""Latency under load, from a STAMP trace that runs through idle and loaded times. Pure.

Idle is the time before the first transfer. Every value compares packets of one trace, so two clocks do not matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Literal, NamedTuple

from probes import delay
from probes.roundtrip import RoundTrip, Trace
from probes.statistics import percentile

Way = Literal["up", "down"]
LEAST_IDLE, LEAST_LOADED = 8, 10  # round trips that carry a statement
CLOCK_STEP_NS = 5_000_000
_TRIM = 0.95  # draft-ietf-ippm-responsiveness: the mean of the fastest 95 %
_NEARLY_FULL = 0.75
_DETECTION_NS = 50_000_000  # a loss shows when three later packets, or a timer, have told of it

NOT_FULL = "the queue did not fill in the time given"
NO_LOSSES_KNOWN = "whether the queue was full is not known: this system does not tell of losses"
FEW_IDLE = "too few test packets came back while the link was idle"
FEW_LOADED = "too few test packets came back while the link was loaded"
CLOCK_SET = "this computer's clock was set during the test"


class Point(NamedTuple):
    """One round trip, seconds; `at_ns`: when it left (CLOCK_REALTIME). Each way only differences mean anything."""

    at_ns: int
    rtt: float
    up: float
    down: float


class Window(NamedTuple):
    """Between these two moments TCP found that something had been lost (CLOCK_REALTIME ns)."""

    from_ns: int
    to_ns: int


@dataclass(frozen=True, slots=True)
class Phase:
    """When one direction was loaded (CLOCK_REALTIME ns): all of it, and from when on at full speed.

    `losses`: None where the system does not tell.
    """

    way: Way
    from_ns: int
    to_ns: int
    steady_ns: int
    losses: tuple[Window, ...] | None = None


def points(trips: Sequence[RoundTrip]) -> list[Point]:
    """Of the trips that returned."""
    returned = [t for t in trips if t.returned]
    pairs = zip(returned, delay.up(returned), delay.down(returned), strict=True)
    return [
        Point(delay.departure(t), (u.transit_ns + d.transit_ns) / 1e9, u.transit_ns / 1e9, d.transit_ns / 1e9)
        for t, u, d in pairs
    ]


def between(found: Sequence[Point], from_ns: int, to_ns: int) -> list[Point]:
    """Those that left within that time."""
    return [p for p in found if from_ns <= p.at_ns < to_ns]


def rise(idle: Sequence[float], loaded: Sequence[float]) -> float:
    """Seconds: the 95th percentile of the RTT under load, above the median of the idle RTT; at least 0."""
    return max(0.0, percentile(sorted(loaded), 0.95) - median(idle))


def responsiveness(loaded: Sequence[float]) -> float:
    """Round trips in a minute: 60 / the mean RTT under load without its slowest 5 %."""
    kept = sorted(loaded)[: max(1, round(len(loaded) * _TRIM))]
    return 60 / max(fmean(kept), 1e-6)


def fullest(delays: Sequence[float]) -> float:
    """The delay in the fullest moments: the longest but one; needs two.

    CUBIC fills a queue until packets are dropped, falls back, and fills it again, some seconds later: a mean or a
    lower percentile would tell of the sawtooth, the longest of a single late interrupt.
    """
    return sorted(delays)[-2]


def queue(found: Sequence[Point], phase: Phase) -> float | str:
    """Seconds that the full queue adds one way, above the least delay of the whole trace; or why it is not known.

    It was full when most of TCP's losses fall in times of nearly that delay: loss at other times is the radio's.
    """
    loaded = between(found, phase.from_ns, phase.to_ns)
    if len(loaded) < LEAST_LOADED:
        return FEW_LOADED
    if phase.losses is None:
        return NO_LOSSES_KNOWN
    least = min(_one_way(p, phase.way) for p in found)
    delays = [(p.at_ns, _one_way(p, phase.way) - least) for p in loaded]
    full = fullest([seconds for _, seconds in delays])
    reach = _DETECTION_NS + round(1.5e9 * max(p.rtt for p in loaded))
    during = sum(_nearly_full(delays, loss, reach, full) for loss in phase.losses)
    return full if during * 2 > len(phase.losses) else NOT_FULL


def _one_way(point: Point, way: Way) -> float:
    return point.up if way == "up" else point.down


def _nearly_full(delays: Sequence[tuple[int, float]], loss: Window, reach_ns: int, full: float) -> bool:
    """Was the delay near its longest in the time in which the lost packet must have passed the queue?"""
    return any(s >= _NEARLY_FULL * full for at, s in delays if loss.from_ns - reach_ns <= at <= loss.to_ns)


def names(way: Way) -> tuple[str, str, str]:
    """The quantities that this module fills for a direction."""
    return f"rtt_rise_{way}_seconds", f"queue_{way}_seconds", f"responsiveness_{way}_per_minute"


def values(trace: Trace, idle_until_ns: int, phases: Sequence[Phase]) -> tuple[dict[str, float], dict[str, str]]:
    """Rise, queue and responsiveness of each loaded direction, and the unknown ones with their reason."""
    found = points(trace.trips)
    values: dict[str, float] = {}
    unknown: dict[str, str] = {}
    for phase in phases:
        if abs(trace.clock_moved_ns) > CLOCK_STEP_NS:
            unknown |= dict.fromkeys(names(phase.way), CLOCK_SET)
        else:
            _direction(found, idle_until_ns, phase, values, unknown)
    return values, unknown


def _direction(
    found: Sequence[Point], idle_until_ns: int, phase: Phase, values: dict[str, float], unknown: dict[str, str]
) -> None:
    rise_name, queue_name, responsiveness_name = names(phase.way)
    idle = [p.rtt for p in found if p.at_ns < idle_until_ns]
    loaded = [p.rtt for p in between(found, phase.from_ns, phase.to_ns)]
    settled = [p.rtt for p in between(found, phase.steady_ns, phase.to_ns)]
    full = queue(found, phase) if len(idle) >= LEAST_IDLE else FEW_IDLE
    if isinstance(full, str):
        unknown[queue_name] = full
    else:
        values[queue_name] = full
    if min(len(idle) - LEAST_IDLE, len(loaded) - LEAST_LOADED) >= 0:
        values[rise_name] = rise(idle, loaded)
    else:
        unknown[rise_name] = FEW_IDLE if len(idle) < LEAST_IDLE else FEW_LOADED
    if len(settled) >= LEAST_LOADED:
        values[responsiveness_name] = responsiveness(settled)
    else:
        unknown[responsiveness_name] = FEW_LOADED

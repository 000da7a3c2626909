"""Each link's run over time, for a small chart: the round trip and the loss of every half second."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import median

from agent.ui.state import Course, Point, Said
from probes import delay
from probes.quality import SLOT_NS
from probes.roundtrip import RoundTrip, Trace
from reports.record import Link

MOST_POINTS = 120


def courses_of(links: Sequence[Link], traces: Mapping[str, Trace], words: Mapping[str, Said]) -> tuple[Course, ...]:
    """A course for each of the links with a trace; what ran inside this computer is none. `words`: by link's name.

    All begin at the run's first packet, so that they can be laid over each other.
    """
    mine = [(link, traces[link.name]) for link in links if link.name in traces and traces[link.name].sent]
    if not mine:
        return ()
    start = min(trip.planned_ns for _, trace in mine for trip in trace.sent)
    last = max(trip.planned_ns for _, trace in mine for trip in trace.sent)
    slot_ns = slot_of(last - start)
    return tuple(Course(link.kind, words[link.name], _points(trace, start, slot_ns)) for link, trace in mine)


def slot_of(length_ns: int) -> int:
    """Half a second, or as many of them as a longer run needs to be at most MOST_POINTS slots; nanoseconds."""
    return SLOT_NS * max(1, math.ceil((length_ns + 1) / SLOT_NS / MOST_POINTS))


def _points(trace: Trace, start_ns: int, slot_ns: int) -> tuple[Point, ...]:
    """A slot in which nothing was sent has no point."""
    rtts = {up.sequence: (up.transit_ns + down.transit_ns) / 1e9 for up, down in _both_ways(trace)}
    slots: dict[int, list[RoundTrip]] = {}
    for trip in trace.sent:
        slots.setdefault((trip.planned_ns - start_ns) // slot_ns, []).append(trip)
    return tuple(_point(number * slot_ns / 1e9, slots[number], rtts) for number in sorted(slots))


def _both_ways(trace: Trace) -> list[tuple[delay.Transit, delay.Transit]]:
    return list(zip(delay.up(trace.trips), delay.down(trace.trips), strict=True))


def _point(seconds: float, trips: Sequence[RoundTrip], rtts: Mapping[int, float]) -> Point:
    back = [rtts[trip.sequence] for trip in trips if trip.returned]
    return Point(seconds, median(back) if back else None, 1 - len(back) / len(trips))

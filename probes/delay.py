"""Delay and its variation from raw times: pure functions, nanoseconds in, seconds out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean, median
from typing import NamedTuple

from probes.roundtrip import RoundTrip, Trace
from probes.statistics import batch_means, percentile

WORST_WINDOW_NS = 15_000_000_000
_SETTLED = 32  # packets after which the jitter filter (gain 1/16) has forgotten that it began at 0


class Transit(NamedTuple):
    """One packet's way in one direction. Only differences of `transit_ns` mean anything: two clocks."""

    sequence: int
    arrival_order: int
    at_ns: int  # when it was sent
    transit_ns: int


def up(trips: Sequence[RoundTrip]) -> list[Transit]:
    """From this computer's driver (else queue, else program) to the reflector's kernel, in order of sending."""
    return [
        Transit(t.sequence, t.reflector_sequence, t.planned_ns, t.reached_ns - departure(t))
        for t in trips
        if t.returned
    ]


def down(trips: Sequence[RoundTrip]) -> list[Transit]:
    """From the reflector's driver to this computer's kernel, in order of sending.

    Where a reply's true departure is not known, its program's time is corrected by the median wait of the others,
    or by less where so long a wait would not fit into the round trip.
    """
    returned = [t for t in trips if t.returned]
    waits = [t.departed_ns - t.replied_ns for t in returned if t.departed_ns]
    wait = round(median(waits)) if waits else 0
    return [
        Transit(
            t.sequence,
            t.order,
            t.planned_ns,
            t.received_ns - (t.departed_ns or t.replied_ns + min(wait, _longest_wait(t))),
        )
        for t in returned
    ]


def _longest_wait(trip: RoundTrip) -> int:
    """After its program had answered, the reply can have waited in the reflector for the rest of the round trip."""
    return max(0, trip.received_ns - departure(trip) - (trip.replied_ns - trip.reached_ns))


def departure(trip: RoundTrip) -> int:
    """The latest known moment at which a packet was still in this computer."""
    return trip.left_ns or trip.scheduled_ns or trip.sent_ns


def round_trips(trips: Sequence[RoundTrip]) -> list[float]:
    """RTT less the reflector's own time, ascending, seconds (RFC 2681)."""
    ups, downs = up(trips), down(trips)
    return sorted((u.transit_ns + d.transit_ns) / 1e9 for u, d in zip(ups, downs, strict=True))


def smoothed_jitter(transits: Sequence[Transit]) -> list[tuple[int, float]]:
    """(when, J) after each packet in order of arrival; J as in RFC 3550, section 6.4.1, in seconds."""
    jitter, series = 0.0, []
    for before, after in pairwise(sorted(transits, key=lambda t: t.arrival_order)):
        jitter += (abs(after.transit_ns - before.transit_ns) / 1e9 - jitter) / 16
        series.append((after.at_ns, jitter))
    return series[_SETTLED:] if len(series) > 2 * _SETTLED else series


class Jitter(NamedTuple):
    """Mean interarrival jitter of the worst 15 s (or of the whole run), and its interval when one can be given."""

    seconds: float
    interval: tuple[float, float] | None


def interarrival_jitter(transits: Sequence[Transit]) -> Jitter | None:
    """None with fewer than two packets."""
    series = smoothed_jitter(transits)
    if not series:
        return None
    worst = max(_windows(series), key=fmean)
    return Jitter(fmean(worst), batch_means(worst))


def _windows(series: list[tuple[int, float]]) -> list[list[float]]:
    """The run in windows of 15 s that overlap by half; one window when it is no longer than that."""
    series = sorted(series)
    first, last = series[0][0], series[-1][0]
    starts = {*range(first, max(first + 1, last - WORST_WINDOW_NS + 1), WORST_WINDOW_NS // 2)}
    starts.add(max(first, last - WORST_WINDOW_NS + 1))  # the end of the run too
    windows = ([j for at, j in series if start <= at < start + WORST_WINDOW_NS] for start in starts)
    return [w for w in windows if w]


def above_fastest(transits: Sequence[Transit]) -> list[tuple[int, float]]:
    """(sequence, seconds) of each delay above the smallest of its period: PDV, RFC 5481, section 4.2.

    A longer run has periods of 15 s or a little more, so that two clocks that drift apart by 20 millionths add 0.3 ms
    and not 72 ms in an hour.
    """
    if not transits:
        return []
    first, last = transits[0].at_ns, transits[-1].at_ns + 1
    periods = max(1, (last - first) // WORST_WINDOW_NS)
    numbers = [(t.at_ns - first) * periods // (last - first) for t in transits]
    least: dict[int, int] = {}
    for number, transit in zip(numbers, transits, strict=True):
        least[number] = min(least.get(number, transit.transit_ns), transit.transit_ns)
    return [(t.sequence, (t.transit_ns - least[n]) / 1e9) for n, t in zip(numbers, transits, strict=True)]


def delay_variation(transits: Sequence[Transit]) -> list[float]:
    """PDV in seconds, ascending. `transits` are in sending order."""
    return sorted(seconds for _, seconds in above_fastest(transits))


def inter_packet_variation(transits: Sequence[Transit], stream: Sequence[RoundTrip]) -> list[float]:
    """Sizes of ipdv between packets that `stream` sent one after the other (RFC 5481, section 4.1), ascending, seconds.

    A pair of which one did not arrive has none (RFC 3393, section 2.1): its neighbours are not paired instead.
    """
    of = {t.sequence: t.transit_ns for t in transits}
    pairs = pairwise(t.sequence for t in stream)
    return sorted(abs(of[b] - of[a]) / 1e9 for a, b in pairs if a in of and b in of)


def values(trace: Trace) -> dict[str, float]:
    """All delay values of the vocabulary that this trace supports. Variation is that of the audio stream."""
    found = _named("rtt", round_trips(trace.trips), "min p50 p95 p99 max")
    audio = [t for t in trace.trips if t.stream == "audio"]
    for way, transits in (("up", up(audio)), ("down", down(audio))):
        found |= _named(f"pdv_{way}", delay_variation(transits), "p50 p95 p99")
        found |= _named(f"ipdv_{way}", inter_packet_variation(transits, audio), "p50 p95 p99")
        found |= _jitter(f"jitter_{way}_seconds", interarrival_jitter(transits))
    return found | _mean_rtt(trace.trips)


def _jitter(name: str, jitter: Jitter | None) -> dict[str, float]:
    if jitter is None:
        return {}
    low, high = jitter.interval or (None, None)
    ends = {} if low is None or high is None else {f"{name}_ci95_low": max(0.0, low), f"{name}_ci95_high": high}
    return {name: jitter.seconds, **ends}


def _mean_rtt(trips: Sequence[RoundTrip]) -> dict[str, float]:
    series = [(u.transit_ns + d.transit_ns) / 1e9 for u, d in zip(up(trips), down(trips), strict=True)]
    if not series:
        return {}
    ends = batch_means(series)
    named = {"rtt_mean_seconds": fmean(series)}
    return named if ends is None else named | {
        "rtt_mean_seconds_ci95_low": ends[0], "rtt_mean_seconds_ci95_high": ends[1]
    }  # fmt: skip


_FRACTIONS = {"min": 0.0, "p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}


def _named(stem: str, ordered: Sequence[float], names: str) -> dict[str, float]:
    if not ordered:
        return {}
    return {f"{stem}_{name}_seconds": percentile(ordered, _FRACTIONS[name]) for name in names.split()}


def sender_values(trace: Trace, interval_ns: int) -> dict[str, float]:
    """This computer's part: waiting in its queue, and how well the packets left on time."""
    sent = trace.sent
    queued = sorted((t.left_ns - t.scheduled_ns) / 1e9 for t in sent if t.left_ns and t.scheduled_ns)
    errors = sorted(max(0, (t.scheduled_ns or t.sent_ns) - t.planned_ns) / 1e9 for t in sent)
    found = _named("local_queue", queued, "p50 p95 p99") | _named("send_error", errors, "p50 p99 max")
    due = len(sent) if trace.interrupted else len(trace.trips)
    if due:
        late = sum(e > interval_ns / 2e9 for e in errors)
        found["sends_missed_ratio"] = (late + due - len(sent)) / due
    return found

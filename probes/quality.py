"""From raw round trips to what a person hears: late packets, MOS per direction, and quality over time."""

from __future__ import annotations

from collections.abc import Sequence

from probes import delay, emodel
from probes.delay import Transit
from probes.roundtrip import RoundTrip, Trace
from probes.statistics import percentile

SLOT_NS = 500_000_000


def values(trace: Trace, playout_buffer_seconds: float) -> dict[str, float]:
    """late_*_ratio and mos_*: each direction's audio with the delay that both directions share."""
    rtts = delay.round_trips(trace.trips)
    audio = [t for t in trace.sent if t.stream == "audio"]
    if not rtts or not audio:
        return {}
    found: dict[str, float] = {}
    for way, transits in (("up", delay.up(audio)), ("down", delay.down(audio))):
        if not transits:
            continue
        late = _late(transits, playout_buffer_seconds)
        found[f"late_{way}_ratio"] = len(late) / len(transits)
        if (lost := _unheard(trace, audio, way, late)) is not None:
            buffer = _buffer(transits, playout_buffer_seconds)
            found[f"mos_{way}"] = emodel.conversation(percentile(rtts, 0.5) / 2, buffer, lost)
    return found


def _late(transits: Sequence[Transit], buffer_seconds: float) -> set[int]:
    """Sequence numbers of those that came later than the buffer waits, counted from the fastest of their period."""
    return {sequence for sequence, seconds in delay.above_fastest(transits) if seconds > buffer_seconds}


def _buffer(transits: Sequence[Transit], most: float) -> float:
    """How long a playout buffer waits: for 99 of 100 packets, at most the policy's limit."""
    return min(most, percentile(delay.delay_variation(transits), 0.99))


def _unheard(trace: Trace, audio: Sequence[RoundTrip], way: str, late: set[int]) -> list[bool] | None:
    """For each audio packet of that direction, in order: lost or late? None when the direction is not known."""
    if trace.fates is None:
        return [t.sequence in late for t in audio] if all(t.returned for t in audio) else None
    reached = [t.returned or trace.fates.reached(t.sequence) for t in audio]
    if way == "up":
        return [not here or t.sequence in late for t, here in zip(audio, reached, strict=True)]
    return [not t.returned or t.sequence in late for t, here in zip(audio, reached, strict=True) if here]


def over_time(trace: Trace, start_ns: int, slots: int, playout_buffer_seconds: float) -> list[float]:
    """MOS of the round trip for each half second from `start_ns` on; NaN where nothing was sent.

    Links tested side by side are compared slot by slot, so that what disturbs all of them cancels.
    """
    sent = [[] for _ in range(slots)]  # type: list[list[RoundTrip]]
    for trip in trace.sent:
        slot = (trip.planned_ns - start_ns) // SLOT_NS
        if 0 <= slot < slots:
            sent[slot].append(trip)
    rtts = dict(_rtt_of(trace))
    return [_slot_quality(trips, rtts, playout_buffer_seconds) for trips in sent]


def _rtt_of(trace: Trace) -> list[tuple[int, float]]:
    ups, downs = delay.up(trace.trips), delay.down(trace.trips)
    return [(u.sequence, (u.transit_ns + d.transit_ns) / 1e9) for u, d in zip(ups, downs, strict=True)]


def _slot_quality(trips: Sequence[RoundTrip], rtts: dict[int, float], buffer_seconds: float) -> float:
    if not trips:
        return float("nan")
    here = sorted(rtts[t.sequence] for t in trips if t.sequence in rtts)
    if not here:
        return 1.0
    variation = min(buffer_seconds, percentile(here, 0.95) - here[0])
    lost = [not t.returned for t in trips]
    return emodel.conversation(percentile(here, 0.5) / 2, variation, lost)

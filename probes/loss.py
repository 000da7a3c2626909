"""Loss, copies and order, each in its direction. Pure; the reflector's report makes the directions exact."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from probes.roundtrip import Trace
from probes.statistics import Z95, wilson, z_of_worst

BURST_WINDOW_NS = 200_000_000
GMIN = 16  # RFC 3611, section 4.7.2
_UNKNOWN_DIRECTION = "the reflector does not tell on which way they were lost"
_UNKNOWN_COPIES = "the reflector does not tell on which way they were copied"


class Packet(NamedTuple):
    """One packet's fate in one direction."""

    at_ns: int
    lost: bool


def directions(trace: Trace) -> dict[str, list[Packet]] | None:
    """Each sent packet's fate on the way up, and each arrived one's on the way down; None: cannot be told apart."""
    sent = trace.sent
    if trace.fates is not None:
        reached = trace.fates.reached
        arrived = [t for t in sent if t.returned or reached(t.sequence)]
        return {
            "up": [Packet(t.planned_ns, not (t.returned or reached(t.sequence))) for t in sent],
            "down": [Packet(t.planned_ns, not t.returned) for t in arrived],
        }
    if all(t.returned for t in sent):
        return {way: [Packet(t.planned_ns, lost=False) for t in sent] for way in ("up", "down")}
    return None


def values(trace: Trace) -> tuple[dict[str, float], dict[str, str]]:
    """The loss, duplicate and reordering values of the vocabulary, and the unknown ones with their reason."""
    sent = trace.sent
    if not sent:
        return {}, {}
    returned = sum(t.returned for t in sent)
    found = {"packets_sent": float(len(sent)), "packets_received": float(returned)}
    found |= _ratio("loss_ratio", len(sent) - returned, len(sent))
    fates = directions(trace)
    unknown: dict[str, str] = {}
    for way in ("up", "down"):
        if trace.fates is None:
            unknown[f"duplicate_{way}_ratio"] = _UNKNOWN_COPIES
        if fates is None:
            unknown[f"loss_{way}_ratio"] = _UNKNOWN_DIRECTION
        elif fates[way]:
            found |= _direction(way, fates[way])
    if fates is not None:
        found["packets_reflected"] = float(len(fates["down"]))
    return found | _copies(trace) | _order(trace), unknown


def _direction(way: str, packets: Sequence[Packet]) -> dict[str, float]:
    lost = sum(p.lost for p in packets)
    return (
        _ratio(f"loss_{way}_ratio", lost, len(packets))
        | _worst_burst(f"burst_loss_{way}_ratio", packets)
        | bursts_and_gaps(way, packets)
    )


def _ratio(name: str, events: int, total: int, z: float = Z95) -> dict[str, float]:
    low, high = wilson(events, total, z)
    return {name: events / total, f"{name}_ci95_low": low, f"{name}_ci95_high": high}


def _worst_burst(name: str, packets: Sequence[Packet]) -> dict[str, float]:
    """The 200 ms with the highest share lost. Its interval allows for being the worst of many."""
    span = packets[-1].at_ns - packets[0].at_ns
    lost, total = max(_windows(packets), key=lambda w: (w[0] / w[1], w[1]))
    return _ratio(name, lost, total, z_of_worst(span // BURST_WINDOW_NS))


def _windows(packets: Sequence[Packet]) -> Iterable[tuple[int, int]]:
    """(lost, sent) of each window of 200 ms that begins with a packet and does not reach beyond the run."""
    last_start = max(packets[0].at_ns, packets[-1].at_ns - BURST_WINDOW_NS)
    end = lost = 0
    for start, packet in enumerate(packets):
        if packet.at_ns > last_start:
            return
        while end < len(packets) and packets[end].at_ns < packet.at_ns + BURST_WINDOW_NS:
            lost += packets[end].lost
            end += 1
        yield lost, end - start
        lost -= packet.lost


def bursts_and_gaps(way: str, packets: Sequence[Packet]) -> dict[str, float]:
    """RFC 3611, section 4.7.2: a burst begins and ends with a loss and holds no 16 arrivals in a row."""
    groups = _groups([i for i, p in enumerate(packets) if p.lost])
    bursts = [g for g in groups if len(g) > 1]
    in_bursts = sum(g[-1] - g[0] + 1 for g in bursts)
    in_gaps, isolated = len(packets) - in_bursts, sum(len(g) == 1 for g in groups)
    found = {f"gap_density_{way}_ratio": isolated / in_gaps if in_gaps else 0.0, f"burst_density_{way}_ratio": 0.0}
    if bursts:
        time_in = sum(packets[g[-1]].at_ns - packets[g[0]].at_ns for g in bursts) / 1e9
        span = (packets[-1].at_ns - packets[0].at_ns) / 1e9
        found[f"burst_density_{way}_ratio"] = sum(len(g) for g in bursts) / in_bursts
        found[f"burst_duration_{way}_seconds"] = time_in / len(bursts)
        found[f"gap_duration_{way}_seconds"] = (span - time_in) / (len(bursts) + 1)
    return found


def _groups(lost: Sequence[int]) -> list[list[int]]:
    """Losses with fewer than GMIN arrivals between them stand together."""
    groups: list[list[int]] = []
    for index in lost:
        if groups and index - groups[-1][-1] - 1 < GMIN:
            groups[-1].append(index)
        else:
            groups.append([index])
    return groups


def _copies(trace: Trace) -> dict[str, float]:
    """Our reflector answers a packet once, so further answers were copied on the way back (RFC 5560)."""
    returned = [t for t in trace.sent if t.returned]
    found: dict[str, float] = {}
    if returned:
        found["duplicate_down_ratio"] = sum(t.copies - 1 for t in returned) / len(returned)
    if trace.fates is not None and trace.fates.received:
        found["duplicate_up_ratio"] = trace.fates.duplicates / trace.fates.received
    return found if trace.fates is not None else {}


def _order(trace: Trace) -> dict[str, float]:
    """RFC 4737, section 3: reordered is what arrives below the highest number so far."""
    returned = sorted((t for t in trace.sent if t.returned), key=lambda t: t.order)
    if not returned:
        return {}
    found = _ratio("reordered_down_ratio", reordered(t.reflector_sequence for t in returned), len(returned))
    if trace.fates is not None and trace.fates.received:
        return found | _ratio("reordered_up_ratio", trace.fates.reordered, trace.fates.received)
    by_reflector = sorted(returned, key=lambda t: t.reflector_sequence)
    return found | _ratio("reordered_up_ratio", reordered(t.sequence for t in by_reflector), len(returned))


def reordered(sequences: Iterable[int]) -> int:
    """How many come after a higher one."""
    highest, count = -1, 0
    for sequence in sequences:
        if sequence < highest:
            count += 1
        highest = max(highest, sequence)
    return count

"""What is kept of each packet: raw times, from which every value is computed. Nothing is averaged on the way."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from probes.traffic import Planned, Stream


@dataclass(slots=True)
class RoundTrip:
    """Times are CLOCK_REALTIME ns, of this computer or of the reflector; 0 is "not known"."""

    sequence: int
    stream: Stream
    size: int
    planned_ns: int
    sent_ns: int = 0  # by this program, just before it handed the packet to the kernel
    scheduled_ns: int = 0  # entered the link's queue
    left_ns: int = 0  # handed to the driver
    reached_ns: int = 0  # arrived at the reflector
    replied_ns: int = 0  # the reflector's program handed the answer to its kernel
    departed_ns: int = 0  # the answer was handed to the reflector's driver (Follow-Up Telemetry)
    received_ns: int = 0  # the answer arrived here
    reflector_sequence: int = -1
    copies: int = 0  # answers that came
    order: int = -1  # how manieth first answer it was

    @property
    def sent(self) -> bool:
        """Was it handed to the kernel?"""
        return self.sent_ns > 0

    @property
    def returned(self) -> bool:
        """Did an answer come?"""
        return self.copies > 0


@dataclass(frozen=True, slots=True)
class Fates:
    """What the reflector says of the packets on their way to it. `seen`: bit n is sequence number n."""

    received: int
    duplicates: int
    reordered: int
    throttled: int
    seen: bytes

    def reached(self, sequence: int) -> bool:
        """Did that packet arrive?"""
        byte = sequence >> 3
        return byte < len(self.seen) and bool(self.seen[byte] >> (sequence & 7) & 1)


@dataclass(slots=True)
class Trace:
    """One run against one reflector. `fates` is None when only the answers can tell (plain STAMP)."""

    trips: list[RoundTrip]
    started_at: float
    kernel_stamps: bool
    fates: Fates | None = None
    clock_moved_ns: int = 0  # how far CLOCK_REALTIME left CLOCK_MONOTONIC during the run
    send_errors: dict[str, int] = field(default_factory=dict)
    port_closed: int = 0  # ICMP port unreachable
    rejected: int = 0  # datagrams that were no valid answer
    interrupted: bool = False
    vanished: bool = False  # sending failed for good before the end

    @property
    def sent(self) -> list[RoundTrip]:
        """Those that were handed to the kernel."""
        return [t for t in self.trips if t.sent]


def new_trips(plan: Iterable[Planned]) -> list[RoundTrip]:
    """One record for each planned packet."""
    return [RoundTrip(i, p.stream, p.size, p.offset_ns) for i, p in enumerate(plan)]


def write_raw(traces: dict[str, Trace], path: Path) -> None:
    """JSON lines: one per packet, with the link's name. Raises OSError."""
    with path.open("w", encoding="utf-8") as out:
        for link, trace in traces.items():
            for trip in trace.trips:
                out.write(json.dumps({"link": link, **asdict(trip)}) + "\n")

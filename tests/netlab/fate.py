"""The relay's log: what became of every packet, and when. One JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from tests.netlab.impairment import Way

UDP, TCP = 17, 6
PAYLOAD_KEPT = 64  # bytes of a UDP payload
HEAD_KEPT = 40 + 8 + PAYLOAD_KEPT  # IPv6 and UDP headers before it

What = Literal[
    "delivered",
    "duplicate",  # an extra copy, delivered; same index as the packet it copies
    "lost",
    "queue_dropped",
    "unfinished",  # still under way when the relay stopped, or its device was gone
    "overrun",  # never seen by the relay, for the device's queue was full: a fault of the lab, not of the test
]


@dataclass(frozen=True, slots=True)
class Fate:
    """One packet (or extra copy). Times are CLOCK_REALTIME nanoseconds, comparable with SO_TIMESTAMPING stamps."""

    way: Way  # up: from the laptop to the room
    index: int  # of the packet in its direction, from 0
    what: What
    read_ns: int  # when the sender's kernel gave it to the device
    taken_ns: int  # when the relay's own code had it: the relay's reading lag is taken_ns - read_ns
    due_ns: int | None  # when it was to be written
    written_ns: int | None  # just before it was written
    size: int  # bytes of the IP packet
    protocol: int = 0  # IP protocol number
    source_port: int | None = None
    destination_port: int | None = None
    payload: bytes = b""  # the first 64 bytes, UDP only

    @property
    def delay_s(self) -> float | None:
        """The true delay in seconds; None for a packet that did not arrive."""
        return None if self.written_ns is None else (self.written_ns - self.read_ns) / 1e9

    @property
    def arrived(self) -> bool:
        """Delivered, as the first or as an extra copy."""
        return self.what in ("delivered", "duplicate")


class Transport(NamedTuple):
    """What the headers say; None for what is not there."""

    protocol: int
    source_port: int | None = None
    destination_port: int | None = None
    payload: bytes = b""


def is_udp(packet: bytes) -> bool:
    """Extension headers are not followed."""
    return packet[9 if packet[0] >> 4 == 4 else 6] == UDP


def transport(head: bytes) -> Transport:
    """The transport header of an IP packet's first bytes. A fragment or an unknown protocol has no ports."""
    if head[0] >> 4 == 4:
        protocol, start = head[9], (head[0] & 15) * 4
        fragment = int.from_bytes(head[6:8], "big") & 0x1FFF
    else:
        protocol, start, fragment = head[6], 40, 0
    if protocol not in (UDP, TCP) or fragment or len(head) < start + 8:
        return Transport(protocol)
    source, destination = int.from_bytes(head[start : start + 2], "big"), int.from_bytes(head[start + 2 :][:2], "big")
    payload = head[start + 8 :][:PAYLOAD_KEPT] if protocol == UDP else b""
    return Transport(protocol, source, destination, payload)


def write_log(path: Path, fates: Iterable[Fate]) -> None:
    """Whole only when the writer has ended well: read it after that."""
    with path.open("w") as out:
        out.writelines(json.dumps(asdict(f) | {"payload": f.payload.hex()}) + "\n" for f in fates)


def read_log(path: Path) -> list[Fate]:
    """In the order in which the relay took the packets. Raises OSError, ValueError."""
    with path.open() as lines:
        found = [json.loads(line) for line in lines]
    return [Fate(**(row | {"payload": bytes.fromhex(row["payload"])})) for row in found]

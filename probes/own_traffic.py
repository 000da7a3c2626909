"""What the probes themselves move by each link, so that the rest of a link's counters can be called other programs'.

Each probe that sends while others measure keeps an account of its IP packets. Counts are in octets of IP packets,
headers included and the link's own framing left out. An account is written by one thread only; reading is exact to
the packet.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from reports.record import Counters, Link

TUNNEL_OCTETS = 60  # a VPN's wrapping of one packet, about: WireGuard over IPv4
NOTHING = Counters(0, 0, 0, 0)


@dataclass(slots=True)
class Account:
    """One probe's packets."""

    sent_bytes: int = 0
    received_bytes: int = 0
    sent_packets: int = 0
    received_packets: int = 0

    def sent(self, octets: int) -> None:
        """An IP packet of that size was handed to the system."""
        self.sent_bytes += octets
        self.sent_packets += 1

    def received(self, octets: int) -> None:
        """An IP packet of that size came."""
        self.received_bytes += octets
        self.received_packets += 1


@dataclass(frozen=True, slots=True, eq=False)
class _Entry:
    """`wrapping`: octets that each packet grows by on this device. Two that have moved the same are still two."""

    device: str
    account: Account
    wrapping: int = 0

    def counters(self) -> Counters:
        a, more = self.account, self.wrapping
        return Counters(
            a.sent_bytes + more * a.sent_packets,
            a.received_bytes + more * a.received_packets,
            a.sent_packets,
            a.received_packets,
        )


_lock = threading.Lock()
_open: list[_Entry] = []
_closed: dict[str, Counters] = {}


def udp_overhead(family: int) -> int:
    """Octets of the UDP and IP headers (RFC 768, 791, 8200; no options)."""
    return 48 if family == socket.AF_INET6 else 28


@contextmanager
def account(link: Link | None) -> Iterator[Account]:
    """An account on the link, and on the one beneath a VPN; without a link it is nobody's."""
    mine = Account()
    entries = [_Entry(link.name, mine)] if link else []
    if link and link.beneath:
        entries.append(_Entry(link.beneath, mine, TUNNEL_OCTETS))
    with _lock:
        _open.extend(entries)
    try:
        yield mine
    finally:
        with _lock:
            for entry in entries:
                _open.remove(entry)
                _closed[entry.device] = added(_closed.get(entry.device, NOTHING), entry.counters())


def total(device: str) -> Counters:
    """All that the probes of this process have moved by the device so far."""
    with _lock:
        found = _closed.get(device, NOTHING)
        for entry in _open:
            if entry.device == device:
                found = added(found, entry.counters())
    return found


def added(a: Counters, b: Counters) -> Counters:
    """Field by field."""
    return Counters(
        a.sent_bytes + b.sent_bytes,
        a.received_bytes + b.received_bytes,
        a.sent_packets + b.sent_packets,
        a.received_packets + b.received_packets,
    )

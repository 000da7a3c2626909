"""Who gets an answer: sessions that the room issued, and plain STAMP from open networks; each within its rate."""

from __future__ import annotations

import ipaddress
import time
from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from functools import lru_cache

from probes import stamp
from testroom.limits import Buckets, Limits
from testroom.sessions import Sessions, StampSession

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
CLOCK_ERROR = stamp.error_estimate(20e-6)  # the clock itself is not known to be synchronized
_PLAIN_SESSIONS = 4096


@dataclass(slots=True)
class PlainSession:
    """An unauthenticated sender, known by address, port and SSID."""

    next_sequence: int = 0
    follow_up: tuple[int, int] | None = None


@dataclass(slots=True)
class Counts:
    """For /metrics: datagrams that came, went, and were left unanswered by reason."""

    received: int = 0
    reflected: int = 0
    send_failed: int = 0
    refused: Counter[str] = field(default_factory=Counter)


class Admission:
    """Used by the reflector's thread only. Addresses are packed, without the port."""

    def __init__(self, sessions: Sessions, limits: Limits, networks: tuple[Network, ...]) -> None:
        self._sessions, self._networks = sessions, networks
        self._by_address = Buckets(limits.address_packets_per_second)
        self._plain: OrderedDict[bytes, PlainSession] = OrderedDict()
        self._within = lru_cache(maxsize=4096)(self._is_within)
        self.counts = Counts()

    def session_of(self, packet: memoryview) -> StampSession | None:
        """The session that the packet claims to be of."""
        if len(packet) < stamp.AUTH_BYTES:
            return None
        return self.session(stamp.read_ssid(packet, authenticated=True))

    def session(self, ssid: int) -> StampSession | None:
        """The session of that identifier."""
        return self._sessions.by_ssid.get(ssid)

    def allows(self, address: bytes, packets: int = 1) -> bool:
        """May this address have that many more just now? All or none."""
        return self._by_address.allow(address, time.time_ns(), packets)

    def refusal(self, session: StampSession, sequence: int, received_ns: int) -> str:
        """Count an authentic packet of the session; the reason for silence, if any."""
        if session.expires_at <= time.monotonic():
            return "expired"
        if not session.bucket.allow(received_ns):
            session.throttled += 1
            return "session_rate"
        return "" if session.tally.admit(sequence) else "seen_before"

    def is_open_to(self, address: bytes) -> bool:
        """May this address use plain STAMP?"""
        return bool(self._networks) and self._within(address)

    def _is_within(self, address: bytes) -> bool:
        ip = ipaddress.ip_address(address)
        return any(ip in network for network in self._networks)

    def plain_session(self, name: bytes) -> PlainSession:
        """The plain session of that address, port and SSID; the oldest is forgotten when there are too many."""
        session = self._plain.get(name)
        if session is None:
            session = self._plain[name] = PlainSession()
            if len(self._plain) > _PLAIN_SESSIONS:
                self._plain.popitem(last=False)
        return session

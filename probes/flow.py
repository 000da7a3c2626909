"""One flow to the room: STAMP packets of one socket, so of one 5-tuple, and what became of each.

A load balancer sends them all the same way. Some live for a few hops only (a router that ends a packet's life says so
by ICMP, and quotes it: the quote begins with our sequence number), some are large and must not be fragmented.
"""

from __future__ import annotations

import errno
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from probes import icmp, stamp, timestamping
from probes.own_traffic import Account, udp_overhead
from probes.roundtrip import Fates
from probes.sender import Access

FULL_TTL = 64
GUESS_NS = 1_050_000_000
_ERROR = stamp.error_estimate(20e-6)
_IP_RECVFRAGSIZE, _IPV6_RECVFRAGSIZE = (0, 25), (41, 77)  # Linux: level and option
_PROBE = 3  # IP_PMTUDISC_PROBE: never fragment, whatever the path is believed to carry
_IP_MTU_DISCOVER, _IPV6_MTU_DISCOVER = (0, 10), (41, 23)
_GONE = {errno.ENODEV, errno.ENXIO, errno.ENETDOWN, errno.EADDRNOTAVAIL, errno.ENETUNREACH}
_REFUSED = 10
_TRIES = 4  # each ICMP error that came meanwhile fails one call

Purpose = Literal["steady", "hop", "size"]


@dataclass(slots=True)
class Sent:
    """One packet of the flow. Times are CLOCK_REALTIME ns, 0 when not known or not (yet) there.

    `size_bytes`: of the IP packet; `fragment_bytes`: of the largest piece when the answer came in pieces;
    `arrived_ttl`: what the room saw, 255 when it does not see it.
    """

    sequence: int
    purpose: Purpose
    ttl: int
    size_bytes: int
    sent_ns: int
    received_ns: int = 0
    fragment_bytes: int = 0
    arrived_ttl: int = 255
    told: icmp.Told | None = None

    @property
    def returned(self) -> bool:
        """Did the room's answer come?"""
        return self.received_ns > 0


class Flow:
    """A connected UDP socket to the room's reflector, used by one thread; the caller closes it."""

    def __init__(self, sock: socket.socket, access: Access) -> None:
        self.sock, self._access = sock, access
        self.account = Account()
        self.v6 = sock.family == socket.AF_INET6
        self.headers = udp_overhead(sock.family)
        self.least_bytes = stamp.smallest(authenticated=access.key is not None, follow_up=False) + self.headers
        self.packets: list[Sent] = []
        self.port_closed = False
        self._refused_in_a_row = 0
        self.told_mtu_bytes = 0  # the smallest that a router has named
        self._templates: dict[int, bytearray] = {}
        self._prepare()

    def _prepare(self) -> None:
        self.sock.setblocking(False)
        self.kernel_stamps = timestamping.enable(self.sock, transmit=False)
        self.hears_errors = icmp.enable_errors(self.sock)
        self.sizes_hold = sys.platform == "linux" and all(
            _set(self.sock, option[self.v6], value)
            for option, value in (
                ((_IP_MTU_DISCOVER, _IPV6_MTU_DISCOVER), _PROBE),
                ((_IP_RECVFRAGSIZE, _IPV6_RECVFRAGSIZE), 1),
            )
        )
        self._live_for(FULL_TTL)

    def _live_for(self, ttl: int) -> None:
        if self.v6:
            self.sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, ttl)
        else:
            self.sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)

    def send(self, purpose: Purpose, size_bytes: int = 0, ttl: int = FULL_TTL) -> bool:
        """One packet; the smallest when no size is given. False: the link's own limit is below that size."""
        size = max(size_bytes, self.least_bytes)
        buffer = self._written(size)
        if ttl != FULL_TTL:
            self._live_for(ttl)
        now = time.time_ns()
        try:
            fits = self._handed_over(buffer)
        finally:
            if ttl != FULL_TTL:
                self._live_for(FULL_TTL)
        if fits:
            self.packets.append(Sent(len(self.packets), purpose, ttl, size, now))
            self.account.sent(size)
        return fits is not False

    def _written(self, size: int) -> bytearray:
        key = self._access.key
        if size not in self._templates:
            octets = size - self.headers
            self._templates[size] = stamp.template(octets, authenticated=key is not None, follow_up=False)
        packet = stamp.SenderPacket(len(self.packets), time.time_ns(), _ERROR, self._access.ssid)
        stamp.write_sender(self._templates[size], packet, key, follow_up=False)
        return self._templates[size]

    def _handed_over(self, buffer: bytearray) -> bool | None:
        """True: it left; False: too large for the link; None: it did not leave for another reason."""
        gone = False
        for _ in range(_TRIES):
            self._take_errors()
            try:
                self.sock.send(buffer)
                self._refused_in_a_row = 0
                return True
            except OSError as error:
                if error.errno == errno.EMSGSIZE and not self._take_errors():
                    return False
                self.port_closed |= error.errno == errno.ECONNREFUSED
                gone = error.errno in _GONE
        self._refused_in_a_row += gone
        return None

    @property
    def vanished(self) -> bool:
        """Has the system refused so many packets in a row that the link must be gone?"""
        return self._refused_in_a_row >= _REFUSED

    def take_in(self) -> None:
        """Take every answer and every ICMP error that waits."""
        self._take_errors()
        for _ in range(256):
            try:
                packet, ancillary = icmp.receive(self.sock, 4096)
            except BlockingIOError:
                return
            except OSError as error:  # an ICMP error: the queue says more
                self.port_closed |= error.errno == errno.ECONNREFUSED
                self._take_errors()
                continue
            self.account.received(len(packet) + self.headers)
            self._record(bytearray(packet), ancillary)

    def _record(self, packet: bytearray, ancillary: timestamping.Ancillary) -> None:
        key = self._access.key
        reply = stamp.read_reflector(packet, authenticated=key is not None)
        if reply is None or (key is not None and not stamp.base_signed(packet, key)):
            return
        sent = self._of(reply.sender_sequence)
        if sent is not None and not sent.returned:
            sent.received_ns = timestamping.received_at(ancillary) or time.time_ns()
            sent.arrived_ttl = reply.sender_ttl
            sent.fragment_bytes = _fragment(ancillary)

    def _take_errors(self) -> bool:
        """Empty the error queue; was there anything?"""
        if not self.hears_errors:
            return False
        any_ = False
        for told in icmp.errors(self.sock):
            any_ = True
            self._heard(told)
        return any_

    def _heard(self, told: icmp.Told) -> None:
        if told.kind == "too big" and told.mtu_bytes:
            self.told_mtu_bytes = min(self.told_mtu_bytes or told.mtu_bytes, told.mtu_bytes)
        self.port_closed |= told.kind == "port closed"
        sent = self._of(int.from_bytes(told.quote[:4], "big")) if len(told.quote) >= 4 else self._guess(told)
        if sent is not None and sent.told is None:
            sent.told = told

    def _guess(self, told: icmp.Told) -> Sent | None:
        """Some routers quote too little: then it is the one packet that it can be, or nobody's."""
        since = time.time_ns() - GUESS_NS
        ours = (s for s in reversed(self.packets) if s.purpose == "hop" and s.sent_ns > since)
        waiting = [s for s in ours if not s.told and not s.returned]
        return waiting[0] if told.kind == "time exceeded" and len(waiting) == 1 else None

    def _of(self, sequence: int) -> Sent | None:
        return self.packets[sequence] if sequence < len(self.packets) else None

    def of(self, purpose: Purpose) -> list[Sent]:
        """The packets sent for that purpose."""
        return [s for s in self.packets if s.purpose == purpose]


def _set(sock: socket.socket, option: tuple[int, int], value: int) -> bool:
    try:
        sock.setsockopt(*option, value)
    except OSError:
        return False
    return True


def _fragment(ancillary: timestamping.Ancillary) -> int:
    for level, kind, data in ancillary:
        if (level, kind) in (_IP_RECVFRAGSIZE, _IPV6_RECVFRAGSIZE):
            return int.from_bytes(data[:4], sys.byteorder)
    return 0


def lost(packets: Sequence[Sent]) -> tuple[int, int]:
    """(lost, sent) of the flow's steady round trips."""
    steady = [s for s in packets if s.purpose == "steady"]
    return sum(not s.returned for s in steady), len(steady)


def reached(sent: Sent, fates: Fates | None) -> bool | None:
    """Did it arrive at the room? None: only an answer could tell."""
    if sent.returned:
        return True
    return None if fates is None else fates.reached(sent.sequence)

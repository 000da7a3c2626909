"""The stateful STAMP Session-Reflector (RFC 8762, section 4.3), in a thread of its own.

It answers packets that carry the key of a session which the room issued, once each, with as many octets as came;
with `networks` also plain STAMP and TWAMP-Light from there. Everything else gets silence.
"""

from __future__ import annotations

import ipaddress
import select
import socket
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import NamedTuple

from probes import pacing, stamp
from testroom.datagrams import Port, open_port
from testroom.limits import Buckets, Limits
from testroom.sessions import Sessions, StampSession

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_POLL_MS = 200
_FEW = 8  # a video frame's burst; more at once is load, where a system call for each costs too much
_PLAIN_SESSIONS = _DEPARTURES = 4096


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


class Datagram(NamedTuple):
    """One that has come, in a slot of its port's; answered in place."""

    port: Port
    slot: int
    packet: memoryview


class Reflector:
    """Owns the UDP ports and the thread. `networks`: who may use plain STAMP."""

    def __init__(self, sessions: Sessions, limits: Limits, networks: tuple[Network, ...] = ()) -> None:
        self._sessions, self._networks = sessions, networks
        self._by_address = Buckets(limits.address_packets_per_second)
        self._plain: OrderedDict[bytes, PlainSession] = OrderedDict()
        self._departures: dict[Port, dict[int, tuple[StampSession | PlainSession, int]]] = {}
        self._ports: list[Port] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reflector", daemon=True)
        self._admits = lru_cache(maxsize=4096)(partial(_within, networks))
        self.counts = Counts()

    def open(self, host: str, port: int) -> int:
        """Bind and start; the port bound. An empty host means every address, IPv4 and IPv6. OSError: taken."""
        wildcard = host in ("", "::", "0.0.0.0")
        families = [socket.AF_INET, socket.AF_INET6]
        if not wildcard:
            families = [socket.AF_INET6 if ":" in host else socket.AF_INET]
        for family in families:
            try:
                bound = open_port("" if wildcard else host, port, family)
            except OSError:
                if family == socket.AF_INET6 and self._ports:
                    break  # a computer without IPv6
                raise
            self._ports.append(bound)
            self._departures[bound] = {}
            port = bound.sock.getsockname()[1]
        self._thread.start()
        return port

    @property
    def kernel_stamps(self) -> bool:
        """Are arrivals stamped by the kernel?"""
        return all(p.kernel_stamps for p in self._ports)

    def close(self) -> None:
        """Stop the thread and close the ports; returns within a second."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=1.0)
        for port in self._ports:
            port.sock.close()

    def _run(self) -> None:
        pacing.set_timer_slack()
        poll = _poller(self._ports)
        by_fd = {p.sock.fileno(): p for p in self._ports}
        while not self._stop.is_set():
            for fd in poll(_POLL_MS):
                self._serve(by_fd[fd])

    def _serve(self, port: Port) -> None:
        self._learn_departures(port)
        count = port.receive()
        if not count:  # woken by the error queue: empty it, or it wakes us for ever
            self._take_stamps(port)
        self.counts.received += count
        for index in range(count):
            reason = self._reflect(Datagram(port, index, port.datagram(index)))
            if reason:
                self.counts.refused[reason] += 1
            elif count <= _FEW:
                self._depart(port)
        if count > _FEW:
            self._depart(port)

    def _depart(self, port: Port) -> None:
        """Send what was answered. One at a time when there are few: each can then tell when the one before left."""
        self.counts.send_failed += port.flush()
        self._learn_departures(port)

    def _learn_departures(self, port: Port) -> None:
        if self._departures[port]:
            self._take_stamps(port)

    def _take_stamps(self, port: Port) -> None:
        waiting = self._departures[port]
        for identifier, unix_ns in port.transmitted():
            session, sequence = waiting.pop(identifier, (None, 0))
            if session is not None:
                session.follow_up = (sequence, unix_ns)
        if len(waiting) > _DEPARTURES:  # stamps that never came
            waiting.clear()

    def _reflect(self, datagram: Datagram) -> str:
        """Answer one datagram; or the reason for silence."""
        packet = datagram.packet
        if len(packet) < stamp.BASE_BYTES:
            return "too_short"
        address = datagram.port.address(datagram.slot)
        if not self._by_address.allow(address[:-2], time.time_ns()):
            self._throttle(packet)
            return "address_rate"
        session = self._session_of(packet)
        if session is not None and stamp.base_signed(packet, session.key):
            return self._reflect_session(datagram, session)
        return self._reflect_plain(datagram, address)

    def _session_of(self, packet: memoryview) -> StampSession | None:
        """The session that the packet claims to be of."""
        if len(packet) < stamp.AUTH_BYTES:
            return None
        return self._sessions.by_ssid.get(stamp.read_ssid(packet, authenticated=True))

    def _throttle(self, packet: memoryview) -> None:
        """Say in the session's report that the room refused packets, not the path. Unverified: it must be cheap."""
        session = self._session_of(packet)
        if session is not None:
            session.throttled += 1

    def _reflect_session(self, datagram: Datagram, session: StampSession) -> str:
        if session.expires_at <= time.monotonic():
            return "expired"
        packet = datagram.packet
        sender = stamp.read_sender(packet, authenticated=True)
        arrival = datagram.port.arrival(datagram.slot)
        if not session.bucket.allow(arrival[0]):
            session.throttled += 1
            return "session_rate"
        if not session.tally.admit(sender.sequence):
            return "seen_before"
        hmac_at = stamp.find_tlvs(packet, stamp.AUTH_BYTES).get(stamp.TLV_HMAC)
        intact = hmac_at is None or stamp.tlvs_signed(packet, session.key, hmac_at)
        hmac_at = stamp.reflect_tlvs(packet, stamp.AUTH_BYTES, session.follow_up, intact=intact)
        reply = _reply(session.next_sequence, sender, arrival)
        stamp.write_reflector(packet, reply, sender.error, authenticated=True)
        stamp.sign(packet, session.key, hmac_at)
        self._send(datagram, session, stamp.AUTH_BYTES)
        return ""

    def _reflect_plain(self, datagram: Datagram, address: bytes) -> str:
        if not self._networks:
            return "stranger"
        if not self._admits(address[:-2]):
            return "stranger"
        sender = stamp.read_sender(datagram.packet, authenticated=False)
        session = self._plain_session(address + sender.ssid.to_bytes(2, "big"))
        stamp.reflect_tlvs(datagram.packet, stamp.BASE_BYTES, session.follow_up)
        reply = _reply(session.next_sequence, sender, datagram.port.arrival(datagram.slot))
        stamp.write_reflector(datagram.packet, reply, sender.error, authenticated=False)
        self._send(datagram, session, stamp.BASE_BYTES)
        return ""

    def _plain_session(self, name: bytes) -> PlainSession:
        session = self._plain.get(name)
        if session is None:
            session = self._plain[name] = PlainSession()
            if len(self._plain) > _PLAIN_SESSIONS:
                self._plain.popitem(last=False)
        return session

    def _send(self, datagram: Datagram, session: StampSession | PlainSession, base: int) -> None:
        """Put the answer on its way; its true departure goes into a later reply when the sender asks for that."""
        identifier = datagram.port.answer(datagram.slot, stamp=_asks_follow_up(datagram.packet, base))
        if identifier is not None:
            self._departures[datagram.port][identifier] = (session, session.next_sequence)
        session.next_sequence += 1
        self.counts.reflected += 1


_ERROR = stamp.error_estimate(20e-6)  # the clock itself is not known to be synchronized


def _within(networks: tuple[Network, ...], address: bytes) -> bool:
    ip = ipaddress.ip_address(address)
    return any(ip in network for network in networks)


def _asks_follow_up(packet: memoryview, base: int) -> bool:
    return len(packet) >= base + stamp.FOLLOW_UP_BYTES and packet[base + 1] == stamp.TLV_FOLLOW_UP


def _reply(sequence: int, sender: stamp.SenderPacket, arrival: tuple[int, int]) -> stamp.ReflectorPacket:
    received_ns, ttl = arrival
    return stamp.ReflectorPacket(
        sequence, time.time_ns(), _ERROR, sender.ssid, received_ns, sender.sequence, sender.timestamp_ns, ttl
    )


def _poller(ports: list[Port]) -> Callable[[int], list[int]]:
    """Wait at most that many milliseconds for any port. poll where there is one, select on Windows."""
    fds = [p.sock.fileno() for p in ports]
    if not hasattr(select, "poll"):
        return lambda ms: select.select(fds, [], [], ms / 1000)[0]
    poll = select.poll()
    for fd in fds:
        poll.register(fd, select.POLLIN)
    return lambda ms: [fd for fd, _ in poll.poll(ms)]

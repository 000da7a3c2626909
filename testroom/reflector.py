"""The stateful STAMP Session-Reflector (RFC 8762, section 4.3), in a thread of its own.

It answers packets that carry the key of a session which the room issued, once each, with as many octets as came;
with `networks` also plain STAMP and TWAMP-Light from there. Everything else gets silence.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

from probes import pacing, stamp
from probes.stamp_control import TLV_CONTROL
from testroom.admission import CLOCK_ERROR, Admission, Network, PlainSession
from testroom.datagrams import Port, open_port
from testroom.limits import Limits
from testroom.mmsg import BatchPort
from testroom.sessions import Sessions, StampSession
from testroom.trains import Asked, Trains

if TYPE_CHECKING:
    from testroom.bulk import Bulk

_POLL_MS = 200
_FEW = 8  # a video frame's burst; more at once is load, where a system call for each costs too much
_DEPARTURES = 4096


class Datagram(NamedTuple):
    """One that has come, in a slot of its port's; answered in place."""

    port: Port
    slot: int
    packet: memoryview


class Reflector:
    """Owns the UDP ports and the thread.

    `networks`: who may use plain STAMP. `bulk`: under load, work on whole batches with numpy, where it is installed.
    """

    def __init__(
        self, sessions: Sessions, limits: Limits, networks: tuple[Network, ...] = (), *, bulk: bool = False
    ) -> None:
        self._admission = Admission(sessions, limits, networks)
        self._trains = Trains(self._admission)
        self._many: dict[Port, Bulk] | None = {} if bulk else None
        self._departures: dict[Port, dict[int, tuple[StampSession | PlainSession, int]]] = {}
        self._ports: list[Port] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reflector", daemon=True)
        self.counts = self._admission.counts

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
            self._prepare_bulk(bound)
            port = bound.sock.getsockname()[1]
        self._thread.start()
        return port

    def _prepare_bulk(self, port: Port) -> None:
        if self._many is None or not isinstance(port, BatchPort):
            return
        try:
            from testroom.bulk import Bulk
        except ImportError:  # without numpy the room is slower, and works
            return
        self._many[port] = Bulk(port, self._admission)

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
        for index in self._one_by_one(port, count):
            reason = self._reflect(Datagram(port, index, port.datagram(index)))
            if reason:
                self.counts.refused[reason] += 1
            elif count <= _FEW:
                self._depart(port)
        if count > _FEW:
            self._depart(port)

    def _one_by_one(self, port: Port, count: int) -> Iterable[int]:
        """The slots that are not answered all together."""
        bulk = self._many.get(port) if self._many and count > _FEW else None
        return range(count) if bulk is None else bulk.reflect(count)

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
        session = self._admission.session_of(packet)
        if not self._admission.allows(address[:-2]):
            if session is not None:  # unverified: it must be cheap. Its report says that the room refused, not the path
                session.throttled += 1
            return "address_rate"
        if session is not None and stamp.base_signed(packet, session.key):
            return self._reflect_session(datagram, session)
        return self._reflect_plain(datagram, address)

    def _reflect_session(self, datagram: Datagram, session: StampSession) -> str:
        packet = datagram.packet
        sender = stamp.read_sender(packet, authenticated=True)
        arrival = datagram.port.arrival(datagram.slot)
        reason = self._admission.refusal(session, sender.sequence, arrival[0])
        if reason:
            return reason
        tlvs = stamp.find_tlvs(packet, stamp.AUTH_BYTES)
        hmac_at, control_at, number = tlvs.get(stamp.TLV_HMAC), tlvs.get(TLV_CONTROL), 1
        intact = hmac_at is None or stamp.tlvs_signed(packet, session.key, hmac_at)
        hmac_at = stamp.reflect_tlvs(packet, stamp.AUTH_BYTES, session.follow_up, intact=intact)
        asked = None
        if control_at is not None and hmac_at is not None and intact:
            asked = Asked(datagram.port, datagram.slot, packet, control_at, hmac_at)
            packet, number = self._trains.shape(asked, session)
        reply = _reply(session.next_sequence, sender, arrival)
        stamp.write_reflector(packet, reply, sender.error, authenticated=True)
        if asked is not None and number != 1:
            self.counts.send_failed += self._trains.send(asked, session, packet, number)
            return ""
        stamp.sign(packet, session.key, hmac_at)
        self._send(datagram._replace(packet=packet), session, stamp.AUTH_BYTES)
        return ""

    def _reflect_plain(self, datagram: Datagram, address: bytes) -> str:
        if not self._admission.is_open_to(address[:-2]):
            return "stranger"
        sender = stamp.read_sender(datagram.packet, authenticated=False)
        session = self._admission.plain_session(address + sender.ssid.to_bytes(2, "big"))
        stamp.reflect_tlvs(datagram.packet, stamp.BASE_BYTES, session.follow_up)
        reply = _reply(session.next_sequence, sender, datagram.port.arrival(datagram.slot))
        stamp.write_reflector(datagram.packet, reply, sender.error, authenticated=False)
        self._send(datagram, session, stamp.BASE_BYTES)
        return ""

    def _send(self, datagram: Datagram, session: StampSession | PlainSession, base: int) -> None:
        """Put the answer on its way; its true departure goes into a later reply when the sender asks for that."""
        identifier = datagram.port.answer(datagram.slot, stamp=_asks_follow_up(datagram.packet, base))
        if identifier is not None:
            self._departures[datagram.port][identifier] = (session, session.next_sequence)
        session.next_sequence += 1
        self.counts.reflected += 1


def _asks_follow_up(packet: memoryview, base: int) -> bool:
    return len(packet) >= base + stamp.FOLLOW_UP_BYTES and packet[base + 1] == stamp.TLV_FOLLOW_UP


def _reply(sequence: int, sender: stamp.SenderPacket, arrival: tuple[int, int]) -> stamp.ReflectorPacket:
    received_ns, ttl = arrival
    return stamp.ReflectorPacket(
        sequence, time.time_ns(), CLOCK_ERROR, sender.ssid, received_ns, sender.sequence, sender.timestamp_ns, ttl
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

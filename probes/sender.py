"""The STAMP Session-Sender: sends a plan on time from a thread of its own and records every round trip.

It never enters the event loop. Between packets the thread first empties the error queue (transmit stamps) and
the socket, then sleeps in ppoll, then looks at the clock for the last moments. Since the kernel stamps both
ends, a late wake-up delays a packet but falsifies no delay; how late is published as the send error.
"""

from __future__ import annotations

import errno
import socket
import threading
import time
from collections import Counter
from dataclasses import dataclass

from probes import own_traffic, pacing, stamp, timestamping
from probes.roundtrip import RoundTrip, Trace, new_trips
from probes.traffic import Planned

LATEST_REPLY_S = 2.0  # a reply later than this after the last packet counts as lost (RFC 7680, section 2.8.2)
_CHECK_STOP_NS = 100_000_000
_PAUSE_AFTER_ERRORS_NS = 20_000_000
_GONE = {errno.ENODEV, errno.ENXIO, errno.ENETDOWN, errno.EADDRNOTAVAIL, errno.ENETUNREACH, errno.EHOSTUNREACH}


@dataclass(frozen=True, slots=True)
class Access:
    """How to address a reflector's session. Without a key: plain STAMP. `follow_up`: ask for true departures."""

    ssid: int = 0
    key: stamp.Key | None = None
    follow_up: bool = True


class Sender:
    """Runs one plan over a connected UDP socket, which it makes non-blocking; the caller closes it."""

    def __init__(
        self,
        sock: socket.socket,
        plan: list[Planned],
        access: Access,
        start_ns: int,
        account: own_traffic.Account | None = None,
    ) -> None:
        self._sock, self._access, self._start_ns = sock, access, start_ns
        self._account, self._overhead = account or own_traffic.Account(), own_traffic.udp_overhead(sock.family)
        self._trips = new_trips(plan)
        self._by_stamp: list[RoundTrip] = []  # the nth packet that the kernel took
        self._by_reply: dict[int, RoundTrip] = {}  # by the reflector's sequence number
        self._early_follow_ups: dict[int, int] = {}
        self._errors: Counter[str] = Counter()
        self._port_closed = self._rejected = 0
        self._interrupted = self._gone = False
        self._gone_since_ns = 0
        self._stop = threading.Event()
        self._spin = pacing.Spin()
        self._thread = threading.Thread(target=self._run, name="sender", daemon=True)
        self._templates = {p.size: self._template(p.size) for p in plan}
        self._receive_buffer = bytearray(2048)
        self.planned = len(plan)
        self.received = 0
        self.sent = 0
        self.kernel_stamps = False
        self.error: BaseException | None = None

    def _template(self, size: int) -> bytearray:
        access = self._access
        return stamp.template(size, authenticated=access.key is not None, follow_up=access.follow_up)

    def start(self) -> None:
        """Begin; packets leave at start_ns (time.monotonic_ns) plus their offsets."""
        self._thread.start()

    def stop(self) -> None:
        """Send no more; what is on its way is awaited for a short while."""
        self._stop.set()

    def join(self, timeout: float) -> bool:
        """Wait for the end; False when it has not come."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    @property
    def alive(self) -> bool:
        """Is the thread still at work?"""
        return self._thread.is_alive()

    def trace(self) -> Trace:
        """What was recorded. Call it after the end; raises what broke the thread."""
        if self.error is not None:
            raise self.error
        return Trace(
            trips=self._trips,
            started_at=self._started_at,
            kernel_stamps=self.kernel_stamps,
            clock_moved_ns=self._clock_moved_ns,
            send_errors=dict(self._errors),
            port_closed=self._port_closed,
            rejected=self._rejected,
            interrupted=self._interrupted,
            vanished=self._gone,
        )

    def _run(self) -> None:
        try:
            with pacing.undisturbed():
                self._measure()
        except BaseException as error:  # noqa: BLE001 - handed to the caller by trace()
            self.error = error

    def _measure(self) -> None:
        pacing.set_timer_slack()
        self._sock.setblocking(False)
        self.kernel_stamps = timestamping.enable(self._sock, transmit=True)
        self._wait = pacing.waiter(self._sock.fileno())
        self._started_at = time.time()
        offset = _clock_offset_ns()
        self._real_start_ns = self._start_ns + offset
        last = self._start_ns
        for trip in self._trips:
            last = self._start_ns + trip.planned_ns
            if not self._until(last):
                break
            self._send(trip)
        self._gone = self._vanished()
        self._drain()
        self._interrupted = self._stop.is_set()
        self._clock_moved_ns = _clock_offset_ns() - offset
        self._finish()

    def _until(self, deadline_ns: int) -> bool:
        """Take in what comes until just before the deadline, then spin; False when asked to stop."""
        while True:
            self._take_in()
            now = time.monotonic_ns()
            rest = deadline_ns - now - self._spin.ns
            if self._stop.is_set() or self._vanished():
                return False
            if rest <= 0:
                break
            if not self._wait(min(rest, _CHECK_STOP_NS)) and rest <= _CHECK_STOP_NS:
                self._spin.overslept(time.monotonic_ns() - now - rest)
        pacing.spin_until(deadline_ns)
        return True

    def _vanished(self) -> bool:
        """Sending has failed for half a second because the link is gone."""
        return self._gone_since_ns > 0 and time.monotonic_ns() - self._gone_since_ns > 500_000_000

    def _send(self, trip: RoundTrip) -> None:
        buffer, access = self._templates[trip.size], self._access
        now = time.time_ns()
        packet = stamp.SenderPacket(trip.sequence, now, _ERROR, access.ssid)
        stamp.write_sender(buffer, packet, access.key, follow_up=access.follow_up)
        try:
            self._sock.send(buffer)
        except ConnectionRefusedError:  # the ICMP answer to an earlier packet; this one was not sent
            self._port_closed += 1
            self._retry(buffer, trip, now)
        except OSError as error:
            self._not_sent(error)
        else:
            self._left(trip, now)

    def _retry(self, buffer: bytearray, trip: RoundTrip, now: int) -> None:
        try:
            self._sock.send(buffer)
        except OSError as error:
            self._not_sent(error)
        else:
            self._left(trip, now)

    def _not_sent(self, error: OSError) -> None:
        self._failed(error)
        if self.kernel_stamps:  # whether the packet used up a stamp's identifier depends on the kernel: count anew
            self._by_stamp.clear()
            timestamping.enable(self._sock, transmit=True)

    def _left(self, trip: RoundTrip, now: int) -> None:
        trip.sent_ns = now
        self._by_stamp.append(trip)
        self._gone_since_ns = 0
        self.sent += 1
        self._account.sent(trip.size + self._overhead)

    def _failed(self, error: OSError) -> None:
        self._errors[errno.errorcode.get(error.errno or 0, "EUNKNOWN")] += 1
        if error.errno in _GONE and not self._gone_since_ns:
            self._gone_since_ns = time.monotonic_ns()

    def _take_in(self) -> None:
        if self.kernel_stamps:
            for identifier, point, unix_ns in timestamping.transmit_stamps(self._sock):
                if identifier < len(self._by_stamp):
                    trip = self._by_stamp[identifier]
                    if point == timestamping.SENT:
                        trip.left_ns = unix_ns
                    elif point == timestamping.SCHEDULED:
                        trip.scheduled_ns = unix_ns
        while self._receive():
            pass

    def _receive(self) -> bool:
        """Take one datagram; False when none waits."""
        try:
            if self.kernel_stamps:
                size, ancillary, _, _ = self._sock.recvmsg_into([self._receive_buffer], timestamping.ANCILLARY_BYTES)
                received = timestamping.received_at(ancillary) or time.time_ns()
            else:
                size, received = self._sock.recv_into(self._receive_buffer), time.time_ns()
        except BlockingIOError:
            return False
        except ConnectionRefusedError:
            self._port_closed += 1
            return True
        except OSError as error:
            self._failed(error)
            return False
        self._account.received(size + self._overhead)
        self._record(memoryview(self._receive_buffer)[:size], received)
        return True

    def _record(self, packet: memoryview, received_ns: int) -> None:
        if not self._valid(packet):
            self._rejected += 1
            return
        reply = stamp.read_reflector(packet, authenticated=self._access.key is not None)
        if reply is None or reply.sender_sequence >= len(self._trips) or not self._trips[reply.sender_sequence].sent:
            self._rejected += 1
            return
        if reply.follow_up is not None:
            self._departed(*reply.follow_up)
        trip = self._trips[reply.sender_sequence]
        trip.copies += 1
        if trip.copies > 1:
            return
        trip.reached_ns, trip.replied_ns, trip.received_ns = reply.receive_ns, reply.timestamp_ns, received_ns
        trip.reflector_sequence, trip.order = reply.sequence, self.received
        trip.departed_ns = self._early_follow_ups.pop(reply.sequence, 0)
        self._by_reply[reply.sequence] = trip
        self.received += 1

    def _valid(self, packet: memoryview) -> bool:
        key = self._access.key
        if len(packet) < (stamp.AUTH_BYTES if key else stamp.BASE_BYTES):
            return False
        if key is None:
            return True
        if not stamp.base_signed(packet, key):
            return False
        hmac_at = stamp.find_tlvs(packet, stamp.AUTH_BYTES).get(stamp.TLV_HMAC)
        if hmac_at is None:
            return not self._access.follow_up
        return stamp.tlvs_signed(packet, key, hmac_at)

    def _departed(self, sequence: int, unix_ns: int) -> None:
        trip = self._by_reply.get(sequence)
        if trip is not None:
            trip.departed_ns = unix_ns
        else:  # the reply that it speaks of was overtaken
            self._early_follow_ups[sequence] = unix_ns

    def _drain(self) -> None:
        """Wait for the last replies: all of them, or LATEST_REPLY_S; 0.3 s when stopped."""
        limit = 0.3 if self._stop.is_set() else LATEST_REPLY_S
        end = time.monotonic_ns() + int(limit * 1e9)
        while self.received < self.sent and (rest := end - time.monotonic_ns()) > 0:
            self._take_in()
            self._wait(min(rest, _CHECK_STOP_NS))
            if self._stop.is_set():
                end = min(end, time.monotonic_ns() + 300_000_000)
        quiet = time.monotonic_ns() + 20_000_000  # copies, and the last transmit stamps
        while (rest := quiet - time.monotonic_ns()) > 0:
            self._take_in()
            self._wait(rest)

    def _finish(self) -> None:
        """Planned moments become absolute, on the wall clock that the stamps use."""
        for trip in self._trips:
            trip.planned_ns += self._real_start_ns


_ERROR = stamp.error_estimate(20e-6)


def _clock_offset_ns() -> int:
    """CLOCK_REALTIME minus CLOCK_MONOTONIC, from the closest of a few readings."""
    readings = []
    for _ in range(5):
        before, real, after = time.monotonic_ns(), time.time_ns(), time.monotonic_ns()
        readings.append((after - before, real - (before + after) // 2))
    return min(readings)[1]

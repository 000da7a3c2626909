"""Packet trains by STAMP: back-to-back packets to the room, or asked of the room, from a thread of their own.

Up: long packets that ask for short replies; the reflector's receive stamps are what counts. Down: a short packet asks
for many long replies, back-to-back; what counts are the kernel's receive stamps here. What is asked and what comes is
signed; replies are checked when the train is over, for that takes time.
"""

from __future__ import annotations

import errno
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from struct import Struct

from probes import pacing, stamp, stamp_control
from probes.dispersion import Point
from probes.sender import Access
from probes.stamp_control import SMALLEST, Control
from probes.train_line import Line
from probes.train_pace import Pace

WIDEST_UP, WIDEST_DOWN = 64, 32  # packets on the way until the link is known: what a slow one then has to carry
MANY, QUICK, LEAST = 16, 5000, 16  # packets that tell enough of a way; fast, in packets a second; least of a window
MOST_AT_ONCE = 64  # packets to ask for in one request
HELLO_S, HELLOS = 1.0, 3
_GONE = {errno.ENODEV, errno.ENXIO, errno.ENETDOWN, errno.EADDRNOTAVAIL, errno.ENETUNREACH, errno.EHOSTUNREACH}
_FORBIDDEN = {errno.EPERM, errno.EACCES}  # a firewall of this computer
_BLOCKED_NS = 200_000
# of a reflector's packet: its sequence number, time, receive time and the sender's sequence number
_REPLY, _REPLY_AUTH = Struct(">IQ4xQI"), Struct(">I12xQ8xQ8xI")

Take = Callable[[bytearray, int], Point | None]


@dataclass(slots=True)
class Flight:
    """One direction's train. `octets`: of each IP packet; `refusal`: why there was none."""

    octets: int
    sent: int = 0
    points: list[Point] = field(default_factory=list)
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """What to send. `payload`: UDP octets of a long packet; as many packets at the most each way; `seconds` a train."""

    payload: int
    headers: int
    up_packets: int
    down_packets: int
    seconds: float


class Trains:
    """Runs the trains over a connected UDP socket, which the caller closes; one way after the other."""

    def __init__(self, sock: socket.socket, access: Access, order: Order) -> None:
        self._line, self._order = Line(sock, access, order.headers), order
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="trains", daemon=True)
        self._controls = access.key is not None
        self._fields = _REPLY_AUTH if access.key else _REPLY
        self._shortest = stamp.AUTH_BYTES if access.key else stamp.BASE_BYTES
        self._rtt_ns = self._residue_ns = self._begun_ns = 0
        self.up = self.down = Flight(0)
        self.clock_moved_ns = 0
        self.heard = self.port_closed = self.vanished = False
        self.error: BaseException | None = None

    @property
    def line(self) -> Line:
        """What passed the socket."""
        return self._line

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End as soon as may be."""
        self._stop.set()

    @property
    def alive(self) -> bool:
        """Is the thread at work?"""
        return self._thread.is_alive()

    def join(self, timeout: float) -> None:
        """Wait for the end. Raises what broke the thread."""
        self._thread.join(timeout)
        if self.error is not None:
            raise self.error

    # ---- the thread

    def _run(self) -> None:
        try:
            with pacing.undisturbed():
                self._measure()
        except OSError as error:
            self.port_closed = isinstance(error, ConnectionRefusedError)
            self.vanished = error.errno in _GONE
            if not (self.port_closed or self.vanished or error.errno in _FORBIDDEN):
                self.error = error
        except BaseException as error:  # noqa: BLE001 - handed to the caller by join()
            self.error = error

    def _measure(self) -> None:
        pacing.set_timer_slack()
        self._line.prepare()
        before = time.time_ns() - time.monotonic_ns()
        self._hello()
        if self.heard:
            self._both_ways()
        self.clock_moved_ns = time.time_ns() - time.monotonic_ns() - before

    def _both_ways(self) -> None:
        """Down first, where the answers are quicker; it tells how boldly the other way may be filled."""
        if self._controls:
            self.down = self._either_size(lambda payload: self._fly_down(payload, self._order.down_packets))
        else:
            self.down = Flight(0, refusal="this reflector sends no trains of its own")
        self._settle()
        bold = self._bold(self.down, self._order.up_packets, WIDEST_UP)
        self.up = self._either_size(lambda payload: self._fly_up(payload, bold))

    def _bold(self, other: Flight, most: int, otherwise: int) -> int:
        """As many at once as would wait an eighth of a second if this way were like the other; all if that is fast."""
        late = sorted(p.arrived_ns for p in other.points)[-MANY:]
        if len(late) < MANY:
            return otherwise
        rate = MANY / (max(late[-1] - late[0], 1) / 1e9)
        return most if rate > QUICK else max(LEAST, min(otherwise, int(rate / 8)))

    def _hello(self) -> None:
        """Is somebody there, how far away, and does it know the TLV? A few short packets."""
        sent = {}
        for _ in range(HELLOS):
            sent[self._line.next] = time.time_ns()
            self._line.send(self._line.packet(SMALLEST, Control(SMALLEST, 1)))
        end = time.monotonic_ns() + int(HELLO_S * 1e9)
        trips: list[int] = []
        while len(trips) < HELLOS and time.monotonic_ns() < end and not self._stop.is_set():
            if (got := self._line.receive()) is None:
                self._line.wait(10_000_000)
                continue
            packet, received = got
            reply = self._line.genuine(packet)
            if reply is None or reply.sender_sequence not in sent:
                continue
            trips.append(received - sent[reply.sender_sequence])
            self._controls = self._controls and bool(stamp_control.as_asked(packet))
            end = min(end, time.monotonic_ns() + 2 * trips[0] + 20_000_000)
        self.heard, self._rtt_ns = bool(trips), max(0, min(trips, default=0))

    def _settle(self) -> None:
        """Let the queue run empty that the way down has left: else no answer comes through."""
        end = time.monotonic_ns() + min(self._residue_ns, int(2 * self._order.seconds * 1e9))
        while not self._stop.is_set() and (rest := end - time.monotonic_ns()) > 0:
            if self._line.receive() is None:
                self._line.wait(min(rest, 10_000_000))

    def _either_size(self, fly: Callable[[int], Flight]) -> Flight:
        """The train; again with short packets when the way swallows long ones."""
        short = 1200 - self._order.headers
        try:
            flight = fly(self._order.payload)
        except OSError as error:
            if error.errno != errno.EMSGSIZE:
                raise
            return fly(short)
        swallowed = not flight.points and not flight.refusal and self._order.payload > short
        return fly(short) if swallowed and not self._stop.is_set() else flight

    def _fly_up(self, payload: int, widest: int) -> Flight:
        """Packets are signed beforehand; their replies are told by the sender's sequence number."""
        first, most = self._line.next, self._order.up_packets
        packets = [self._line.packet(payload, Control(SMALLEST, 1)) for _ in range(most)]
        departed: list[int] = []

        def emit(number: int) -> int:
            for done in range(number):
                now = time.time_ns()
                if not self._line.send(packets[len(departed)]):
                    return done
                departed.append(now)
            return number

        def take(packet: bytearray, _received: int) -> Point | None:
            _, _, arrived, sender = self._fields.unpack_from(packet)
            place = sender - first
            return Point(place, departed[place], stamp.from_ntp(arrived)) if 0 <= place < len(departed) else None

        return self._fly(self._pace(most, payload, widest), payload, emit, take)

    def _fly_down(self, payload: int, most: int) -> Flight:
        """Each request brings a group of packets, told by the reflector's sequence number; they say when they left."""
        asked: set[int] = set()
        refused: list[bytearray] = []
        origin: list[int] = []
        pace = self._pace(most, payload, WIDEST_DOWN)

        def emit(number: int) -> int:
            if number < pace.group() and pace.sent + number < most:
                return 0
            group = min(number, MOST_AT_ONCE)
            asked.add(self._line.next)
            return group if self._line.send(self._line.packet(SMALLEST, Control(payload, group))) else 0

        def take(packet: bytearray, received: int) -> Point | None:
            sequence, departed, _, sender = _REPLY_AUTH.unpack_from(packet)
            if sender not in asked:
                return None
            if len(packet) != payload:
                refused.append(packet)
                return None
            origin[:] = origin or [sequence]
            return Point(sequence - origin[0], stamp.from_ntp(departed), received)

        flight = self._fly(pace, payload, emit, take, lambda: bool(refused))
        if any(self._line.genuine(packet) for packet in refused):
            flight.refusal = "the test room refused to send so much to this address"
        return flight

    def _pace(self, most: int, payload: int, widest: int) -> Pace:
        """The second train may use what time is left of three such parts: its answers can be slow to come."""
        part, now = int(self._order.seconds * 1e9), time.monotonic_ns()
        longest = part * 3 // 2 if self._begun_ns else part
        self._begun_ns = self._begun_ns or now
        until = max(now + part // 2, min(now + longest, self._begun_ns + 3 * part)) + self._rtt_ns
        return Pace(most, payload + self._order.headers, widest, self._rtt_ns, until)

    def _fly(
        self,
        pace: Pace,
        payload: int,
        emit: Callable[[int], int],
        take: Take,
        over: Callable[[], bool] = lambda: False,
    ) -> Flight:
        """Send as `pace` says and take in what comes, until all is there or it has lasted long enough."""
        raw: dict[int, tuple[Point, bytearray]] = {}
        while not (over() or self._stop.is_set()):
            pace.heard(self._take_in(raw, take), time.monotonic_ns())
            now = time.monotonic_ns()
            if pace.over(now):
                break
            allowed = pace.allowance(now)
            sent = emit(allowed) if allowed else 0
            if sent:
                pace.emitted(sent, now)
            elif not pace.urgent(now):
                self._line.wait(max(20_000, pace.wait_ns(now)) if not allowed else _BLOCKED_NS)
        self._residue_ns = pace.residue_ns
        points = [point for point, packet in raw.values() if self._line.genuine(packet)]
        return Flight(payload + self._order.headers, pace.sent, points)

    def _take_in(self, raw: dict[int, tuple[Point, bytearray]], take: Take) -> list[Point]:
        """Everything that waits; the first of each packet counts. Short ones and strangers' are left out."""
        found = []
        while (got := self._line.receive()) is not None:
            point = take(*got) if len(got[0]) >= self._shortest else None
            if point is not None and point.sequence >= 0 and point.sequence not in raw:
                raw[point.sequence] = point, got[0]
                found.append(point)
        return found

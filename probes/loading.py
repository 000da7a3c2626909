"""The course of the throughput probe: STAMP packets all the time, and the transfers one after the other."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from statistics import median
from typing import TYPE_CHECKING

from probes import stamp, traffic
from probes.connected import connected
from probes.delay import departure
from probes.enough import Live, enough
from probes.own_traffic import udp_overhead
from probes.sender import Sender
from probes.session import ProbeFailure, Progress
from probes.steady import steady
from probes.stream import Target
from probes.transfer import Download, Plan, Transfer, Upload

if TYPE_CHECKING:
    from probes.loaded import Way
    from probes.room import RoomSession
    from probes.roundtrip import Trace
    from probes.seen import Seen
    from probes.session import Session

LEAD_S, LEAD_TRIPS, LONGEST_LEAD_S = 0.35, 12, 1.5
MOST_S, MOST_DEEP_S = 4.0, 10.0
TURN_S, TURN_DEEP_S = 10.0, 60.0
DRAIN_S, DRAIN_DEEP_S = 1.5, 4.0
INTERVAL_S, SPARING_INTERVAL_S = 0.02, 0.05
_SPARING_BYTES = 1_000_000
_POLL_S, _DECIDE_S = 0.02, 0.1
_OTHER_BYTES = 20_000  # handshakes and the session's requests
_JOIN_S = 1.0
_STAMP_SIZE = stamp.smallest(authenticated=True, follow_up=True)
# after these the other direction may still be worth trying
_PASSING = frozenset({"transfer_stalled"})


@dataclass(frozen=True, slots=True)
class Cost:
    """What may be spent on it: seconds for each direction and its turn, bytes for both together."""

    most_s: float
    turn_s: float
    drain_s: float
    interval_s: float
    bytes_: float  # of the transfers

    @classmethod
    def of(cls, session: Session) -> Cost:
        """By the session's wishes."""
        interval = INTERVAL_S if session.budget_bytes >= _SPARING_BYTES else SPARING_INTERVAL_S
        most, turn, drain = (MOST_DEEP_S, TURN_DEEP_S, DRAIN_DEEP_S) if session.deep else (MOST_S, TURN_S, DRAIN_S)
        packet = _STAMP_SIZE + udp_overhead(socket.AF_INET6)
        packets = 2 * packet / interval * min(2 * most, session.budget_bytes / 1e5)
        return cls(most, turn, drain, interval, max(0.0, session.budget_bytes - packets - _OTHER_BYTES))

    @property
    def longest_s(self) -> float:
        """All of it."""
        return LONGEST_LEAD_S + 2 * (self.most_s + self.turn_s + self.drain_s) + 2


class Echo(Sender):
    """The sender, of which one can see how it goes."""

    def round_trips(self, since_ns: int = 0) -> list[float]:
        """RTTs in seconds, so far, of what left since then (CLOCK_REALTIME ns)."""
        return [
            (t.received_ns - departure(t) - (t.replied_ns - t.reached_ns)) / 1e9
            for t in islice(self._trips, self.sent + 8)
            if t.received_ns and t.sent and departure(t) >= since_ns
        ]


class Loading:
    """`run()` it; then `finished` are the transfers that came to their end, `failures` why others did not."""

    def __init__(self, session: Session, room: RoomSession, cost: Cost) -> None:
        self._session, self._room, self._cost = session, room, cost
        self._sock = connected(session.link, room.address)
        plan = traffic.isochronous(cost.longest_s, cost.interval_s, _STAMP_SIZE)
        self._echo = Echo(self._sock, plan, room.access, time.monotonic_ns() + 5_000_000)
        self._packet = _STAMP_SIZE + udp_overhead(self._sock.family)
        self._reasons: dict[Way, str] = {}
        self._transfers: list[Transfer] = []
        self._idle: list[float] = []
        self.failures: list[ProbeFailure] = []
        self.idle_until_ns = 0
        self.trace: Trace | None = None

    async def run(self) -> None:
        """Idle, download, upload. Raises only what is a defect."""
        self._echo.start()
        try:
            if await self._lead() and await self._direction(Download, 2):
                await self._direction(Upload, 1)
            await self._drained(1.0)
        finally:
            for transfer in self._transfers:
                transfer.stop()
            self._echo.stop()
            await asyncio.to_thread(self._echo.join, 2.0)
            self._sock.close()
        self.trace = self._echo.trace()

    @property
    def finished(self) -> list[Seen]:
        """What was seen of each transfer that did not fail."""
        return [t.seen for t in self._transfers if t.seen.began_ns and t.failure is None]

    @property
    def moved_bytes(self) -> int:
        """IP packets, both ways, of all that was moved here."""
        tests = (self._echo.sent + self._echo.received) * self._packet
        return tests + sum(t.seen.moved_bytes for t in self._transfers)

    @property
    def beside_bytes_per_second(self) -> float:
        """What the STAMP packets take of each direction, in IP packets."""
        return self._packet / self._cost.interval_s

    def stopped_early(self) -> str:
        """Why the transfers did not take their whole time, in words."""
        reasons = {way: reason for way, reason in self._reasons.items() if reason}
        if len(set(reasons.values())) == 1 and len(reasons) == len(self._reasons):
            return next(iter(reasons.values()))
        return "; ".join(f"{way}: {reason}" for way, reason in reasons.items())

    # ---- its parts -----------------------------------------------------------------------------------------------

    async def _until(self, done: Callable[[], bool], seconds: float) -> bool:
        """Wait for it, at most so long; False when it did not come, or was not wanted any more."""
        end = min(time.monotonic() + seconds, self._session.deadline)
        while not self._session.stop.is_set() and time.monotonic() < end:
            if done():
                return True
            await asyncio.sleep(_POLL_S)
        return False

    async def _lead(self) -> bool:
        """Enough idle round trips. None at all: there is nothing to measure against, and TCP will say why."""
        began = time.monotonic()

        def enough_idle() -> bool:
            return time.monotonic() - began >= LEAD_S and len(self._echo.round_trips()) >= LEAD_TRIPS

        await self._until(enough_idle, LONGEST_LEAD_S)
        return not self._over()

    def _over(self) -> bool:
        """Notes why when it is."""
        if self._session.stop.is_set():
            self.failures.append(ProbeFailure("interrupted"))
        elif time.monotonic() >= self._session.deadline:
            self.failures.append(ProbeFailure("timeout"))
        return bool(self.failures) and self.failures[-1].code not in _PASSING

    async def _direction(self, kind: type[Transfer], left: int) -> bool:
        """One transfer from its connection to its end; is there any use in another one?"""
        transfer = kind(self._target(), self._plan(left))
        self._transfers.append(transfer)
        transfer.start()
        if left == 1:
            await self._drained(self._cost.drain_s)
        else:
            self._idle = self._echo.round_trips()
            self.idle_until_ns = time.time_ns()
        transfer.round_trip_s = median(self._idle) if self._idle else 0.5
        transfer.release()
        self._reasons[transfer.way] = await self._watch(transfer, left)
        transfer.stop()
        await asyncio.to_thread(transfer.join, _JOIN_S)
        if transfer.error is not None:
            raise transfer.error
        if transfer.failure is not None and transfer.failure.code != "interrupted":
            self.failures.append(transfer.failure)
        return not self._over()

    def _target(self) -> Target:
        room = self._session.room
        return Target(
            address=(self._room.address[0], room.port),
            name=room.host,
            link=self._session.link,
            fingerprint=room.fingerprint,
            token=self._room.identifier,
        )

    def _plan(self, left: int) -> Plan:
        moved = sum(t.seen.moved_bytes for t in self._transfers)
        rest = max(1.0, self._session.deadline - time.monotonic() - 1.0)
        most_s = min(self._cost.most_s, rest / left)
        return Plan(max(1.0, (self._cost.bytes_ - moved) / left), min(self._cost.turn_s, rest), most_s)

    async def _drained(self, seconds: float) -> None:
        """Until packets pass as if idle again."""
        since, idle = time.time_ns(), median(self._idle) if self._idle else 0.0
        near = idle + max(0.005, 0.25 * idle)

        def passes() -> bool:
            trips = self._echo.round_trips(since)
            return len(trips) >= 2 and max(trips[-2:]) <= near

        if self._idle:
            await self._until(passes, seconds)

    async def _watch(self, transfer: Transfer, left: int) -> str:
        """Until it is enough; why, when that is before its time."""
        decided = time.monotonic()
        while not (transfer.ended or self._session.stop.is_set() or time.monotonic() > self._session.deadline):
            await asyncio.sleep(_POLL_S)
            seen = transfer.seen
            if not seen.began_ns or time.monotonic() - decided < _DECIDE_S:
                continue
            decided = time.monotonic()
            if reason := self._look(transfer, left):
                return reason
        return "the data budget was used" if transfer.seen.all_sent else ""

    def _look(self, transfer: Transfer, left: int) -> str:
        seen = transfer.seen
        trips = self._echo.round_trips(seen.began_unix_ns)
        seconds = (time.monotonic_ns() - seen.began_ns) / 1e9
        if trips:
            transfer.round_trip_s = trips[-1]
        self._tell(1 - (left - seconds / self._cost.most_s) / 2)
        if self._session.deep:
            return ""
        live = Live(seen.way, seconds, self._cost.most_s, steady(list(seen.live)), self._idle, trips)
        return enough(live, self._session.settled)

    def _tell(self, fraction: float) -> None:
        echo = self._echo
        fraction = min(1.0, max(0.0, fraction))
        self._session.progress(Progress("throughput", self._session.subject, fraction, echo.sent, echo.received))

"""The path probe's thread: pings, a steady flow, hop probes and sizes, each in its time, and all that comes back."""

from __future__ import annotations

import heapq
import math
import select
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from probes import flow as flows
from probes import hops, mtu
from probes.flow import Flow
from probes.gateway import Pinger
from probes.room import RoomSession
from probes.roundtrip import Fates
from probes.session import ProbeFailure

LATE_S, LATE_WHEN_STOPPED_S = 1.0, 0.3
CLOCK_STEP_NS = 5_000_000
_WAIT_MS = 50


@dataclass(slots=True)
class Plan:
    """How much: pings and steady packets a second each, whether sizes are tried, for how many seconds."""

    per_second: float
    sizes: bool
    seconds: float


@dataclass(slots=True)
class Way:
    """What is asked and by which sockets. `pinger`: or why there is none; `flow`: None without a room."""

    pinger: Pinger | str
    flow: Flow | None = None
    room: RoomSession | None = None
    failure: ProbeFailure | None = None
    fates: Fates | None = None
    search: mtu.Search | None = None
    interrupted: bool = False
    clock_moved: bool = False
    sockets: list[socket.socket] = field(default_factory=list)


class Walker:
    """The thread that sends and listens. Each errand is a generator: what it yields is the time to its next step."""

    def __init__(self, way: Way, plan: Plan, start_ns: int) -> None:
        self._way, self._plan, self._start_ns = way, plan, start_ns
        self._end_ns = start_ns + round(plan.seconds * 1e9)
        self._stop = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="walker", daemon=True)

    def start(self) -> None:
        """Begin; the first packet leaves at `start_ns` (time.monotonic_ns)."""
        self._thread.start()

    def stop(self) -> None:
        """Send no more; wait for answers a short while."""
        self._stop.set()

    def join(self, timeout: float) -> None:
        """Wait for the end."""
        self._thread.join(timeout)

    def check(self) -> None:
        """Raise what broke the thread."""
        if self._error is not None:
            raise self._error

    @property
    def alive(self) -> bool:
        """Is the thread at work?"""
        return self._thread.is_alive()

    @property
    def fraction(self) -> float:
        """How much of its time has passed, 0–1."""
        done = (time.monotonic_ns() - self._start_ns) / max(1, self._end_ns - self._start_ns)
        return min(1.0, max(0.0, done))

    def _run(self) -> None:
        try:
            offset = time.time_ns() - time.monotonic_ns()
            self._poll = _poller(self._way.sockets)
            self._send_all()
            self._way.interrupted = self._stop.is_set() and time.monotonic_ns() < self._end_ns
            self._listen()
            self._way.clock_moved = abs(time.time_ns() - time.monotonic_ns() - offset) > CLOCK_STEP_NS
        except BaseException as error:  # noqa: BLE001 - handed to the caller by check()
            self._error = error

    def _errands(self) -> Iterator[tuple[int, Iterator[int]]]:
        """(start, steps) of each."""
        pace = round(1e9 / self._plan.per_second)
        if isinstance(self._way.pinger, Pinger):
            yield self._start_ns, _pings(self._way.pinger, pace)
        if self._way.flow is not None:
            yield self._start_ns + pace // 2, _steady(self._way.flow, pace)
            yield self._start_ns + 100_000_000, _hops(self._way.flow)
        if self._way.flow is not None and self._way.search is not None:
            yield self._start_ns + 150_000_000, _sizes(self._way.flow, self._way.search)

    def _send_all(self) -> None:
        due = [(at, i, errand) for i, (at, errand) in enumerate(self._errands())]
        heapq.heapify(due)
        while due and not self._over():
            at, i, errand = due[0]
            if at >= self._end_ns:
                heapq.heappop(due)
            elif (rest := at - time.monotonic_ns()) > 0:
                self._take_in(rest)
            else:
                pause = next(errand, None)
                if pause is None:
                    heapq.heappop(due)
                else:
                    heapq.heapreplace(due, (max(at + pause, time.monotonic_ns()), i, errand))

    def _over(self) -> bool:
        return self._stop.is_set() or (self._way.flow is not None and self._way.flow.vanished)

    def _take_in(self, most_ns: int) -> None:
        self._poll(min(_WAIT_MS, math.ceil(most_ns / 1e6)))
        if isinstance(self._way.pinger, Pinger):
            self._way.pinger.take_in()
        if self._way.flow is not None:
            self._way.flow.take_in()

    def _listen(self) -> None:
        """Until the last answer, or as long as a late one is waited for."""
        begun = time.monotonic_ns()
        while self._outstanding():
            limit = LATE_WHEN_STOPPED_S if self._over() else LATE_S
            rest = begun + round(limit * 1e9) - time.monotonic_ns()
            if rest <= 0:
                return
            self._take_in(rest)

    def _outstanding(self) -> int:
        pings = self._way.pinger.outstanding if isinstance(self._way.pinger, Pinger) else 0
        return pings + (flows.lost(self._way.flow.packets)[0] if self._way.flow else 0)


def _poller(sockets: list[socket.socket]) -> Callable[[int], object]:
    """Wait at most that many milliseconds for any socket: poll where there is one, select on Windows."""
    if not hasattr(select, "poll"):
        return lambda ms: select.select(sockets, [], [], ms / 1000)
    poll = select.poll()
    for sock in sockets:
        poll.register(sock, select.POLLIN)
    return poll.poll


def _pings(pinger: Pinger, pace_ns: int) -> Iterator[int]:
    while True:
        pinger.send()
        yield pace_ns


def _steady(flow: Flow, pace_ns: int) -> Iterator[int]:
    while True:
        flow.send("steady")
        yield pace_ns


def _hops(flow: Flow) -> Iterator[int]:
    for ttl, pause in hops.schedule(flow):
        if ttl:
            flow.send("hop", ttl=ttl)
        yield pause


def _sizes(flow: Flow, search: mtu.Search) -> Iterator[int]:
    """Batch after batch, each waited for as the round trips so far suggest."""
    while search.refill():
        while (size := search.next()) is not None:
            if not flow.send("size", size):
                search.too_large(size)
            yield mtu.SPACING_NS
            _learn(flow, search)
        yield mtu.patience_ns(_rtt_seconds(flow))
        _learn(flow, search)
    search.finished = True


def _learn(flow: Flow, search: mtu.Search) -> None:
    sized = flow.of("size")
    search.returned |= {s.size_bytes for s in sized if s.returned and not s.fragment_bytes}
    pieces = max((s.fragment_bytes for s in sized), default=0)
    search.hints = mtu.hints(flow.told_mtu_bytes, pieces)


def _rtt_seconds(flow: Flow) -> float | None:
    """The median round trip of late; None before the first. Answers later than hoped for still count when they come."""
    trips = [(s.received_ns - s.sent_ns) / 1e9 for s in flow.packets[-100:] if s.returned]
    return statistics.median(trips) if trips else None

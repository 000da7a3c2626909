"""The relay: a process of its own that carries IP packets between two TUN devices, each in its namespace.

    python -m tests.netlab.relay --config JSON

It says one JSON line on stdout when the path is up. Each JSON line on its stdin, {"up": {…}, "down": {…}},
changes the impairment and is answered by one line; the end of stdin, or SIGTERM, stops it and writes the log.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import heapq
import itertools
import json
import os
import select
import signal
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.netlab.config import Config, Device
from tests.netlab.fate import HEAD_KEPT, Fate, What, is_udp, transport, write_log
from tests.netlab.impairment import Impairer, Impairment, Way
from tests.netlab.namespaces import in_namespace
from tests.netlab.tun import READ_SIZE, Tap, configure, open_tun

PR_SET_PDEATHSIG, PR_SET_TIMERSLACK = 1, 29
SPIN_NS = 150_000  # the last stretch before a deadline is spent awake: a sleeping process wakes too late
BATCH = 64  # packets read before deadlines are looked at again
PRIORITY = 10
STDIN = 0


@dataclass(slots=True)
class Entry:
    """A line of the log in the making."""

    way: Way
    index: int
    what: What
    read_ns: int
    taken_ns: int
    due_ns: int | None
    written_ns: int | None
    size: int
    head: bytes

    def fate(self) -> Fate:
        values = {name: getattr(self, name) for name in self.__slots__ if name != "head"}
        return Fate(**values, **transport(self.head)._asdict())


@dataclass(slots=True)
class Direction:
    """One direction's descriptors, its impairments and the count of its packets."""

    way: Way
    source: int
    target: int
    tap: Tap
    impairer: Impairer
    numbers: itertools.count[int] = field(default_factory=itertools.count)


class Relay:
    """The loop. Times are CLOCK_REALTIME nanoseconds, so that they compare with the kernel's stamps."""

    def __init__(self, up: Direction, down: Direction, *, busy: bool) -> None:
        self._directions = {d.source: d for d in (up, down)}
        self._by_way = {d.way: d for d in (up, down)}
        self._busy = busy
        self._log: list[Entry] = []
        self._heap: list[tuple[int, int, int, bytes, Entry]] = []
        self._order = itertools.count()
        self._commands = b""
        self.stopping = False

    def run(self) -> list[Fate]:
        """Until stdin ends or `stopping` is set; returns the log."""
        self._watched = [STDIN, *self._directions]
        while not self.stopping:
            for fd in select.select(self._watched, (), (), self._patience())[0]:
                if fd == STDIN:
                    self._obey()
                else:
                    self._read(self._directions[fd])
            self._write_due()
        for direction in self._directions.values():
            self._finish(direction)
        return [entry.fate() for entry in self._log]

    def _patience(self) -> float | None:
        """How long nothing but a new packet matters, in seconds."""
        if self._busy:
            return 0.0
        if not self._heap:
            return 1.0  # a signal that sets `stopping` just before the wait is seen then
        return max(0, self._heap[0][0] - SPIN_NS - time.time_ns()) / 1e9

    def _read(self, direction: Direction) -> bool:
        """Take up to BATCH packets; says whether there may be more."""
        for _ in range(BATCH):
            try:
                packet = os.read(direction.source, READ_SIZE)
            except BlockingIOError:
                return False
            except OSError:  # the test has taken the device away
                self._watched = [fd for fd in self._watched if fd != direction.source]
                return False
            self._take(direction, packet)
        return True

    def _finish(self, direction: Direction) -> None:
        """Put into the log what still waits in the device, and what it had no place for."""
        while self._read(direction):
            pass
        for at, missed in direction.tap.rest():
            self._note(direction, next(direction.numbers), "overrun", at, time.time_ns(), None, missed)

    def _take(self, direction: Direction, packet: bytes) -> None:
        taken = time.time_ns()
        stamp, overrun = direction.tap.stamp(packet)
        for at, missed in overrun:
            self._note(direction, next(direction.numbers), "overrun", at, taken, None, missed)
        read, index = stamp or taken, next(direction.numbers)
        outcome, dues = direction.impairer.plan(read, len(packet), udp=is_udp(packet))
        if not dues:
            self._note(direction, index, outcome, read, taken, None, packet)
        for copy, due in enumerate(dues):
            entry = self._note(direction, index, "unfinished", read, taken, due, packet)
            heapq.heappush(self._heap, (due, (next(self._order) << 1) | (copy > 0), direction.target, packet, entry))

    def _note(
        self, direction: Direction, index: int, what: What, read: int, taken: int, due: int | None, packet: bytes
    ) -> Entry:
        entry = Entry(direction.way, index, what, read, taken, due, None, len(packet), packet[:HEAD_KEPT])
        self._log.append(entry)
        return entry

    def _write_due(self) -> None:
        """What is due, and after a short spin the one packet that is almost due; then new packets are looked for."""
        heap, clock = self._heap, time.time_ns
        if not heap or heap[0][0] - clock() > SPIN_NS:
            return
        first = heap[0][0]
        while clock() < first:
            pass
        while heap and heap[0][0] <= clock():
            _, order, target, packet, entry = heapq.heappop(heap)
            written = clock()
            try:
                os.write(target, packet)
            except OSError:  # the device is down: the packet stays "unfinished" in the log
                continue
            entry.written_ns, entry.what = written, "duplicate" if order & 1 else "delivered"

    def _obey(self) -> None:
        """Commands from stdin; its end is the order to stop."""
        got = os.read(STDIN, 65536)
        self.stopping = not got
        *lines, self._commands = (self._commands + got).split(b"\n")
        for line in lines:
            for way, given in json.loads(line).items():
                self._by_way[way].impairer.change(Impairment.from_json(given))
            say({"changed_ns": time.time_ns()})


def say(message: dict[str, int]) -> None:
    """One line to the parent."""
    print(json.dumps(message), flush=True)


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None).prctl(option, ctypes.c_ulong(value), 0, 0, 0)


def be_punctual(*, busy: bool) -> None:
    """Sharp timers, no collector's pauses, and what priority the system allows.

    A `busy` relay never sleeps: with a raised priority it would starve the sender that it is there to measure.
    """
    _prctl(PR_SET_TIMERSLACK, 1)
    gc.collect()
    gc.freeze()
    gc.disable()
    if not busy:
        with suppress(PermissionError):
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))


def _open_end(namespace: str, device: Device) -> tuple[int, Tap]:
    fd = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
    with ExitStack() as stack:
        stack.callback(os.close, fd)
        stack.enter_context(in_namespace(fd))
        tun = open_tun(device.name)
        configure(device)
        return tun, Tap(device.name)


def relay(config: Config) -> Relay:
    """Both devices up and the loop ready to run. Raises OSError, subprocess.CalledProcessError."""
    laptop, laptop_tap = _open_end(config.laptop_namespace, config.laptop)
    room, room_tap = _open_end(config.room_namespace, config.room)
    up = Direction("up", laptop, room, laptop_tap, Impairer(config.up, config.seed, "up"))
    down = Direction("down", room, laptop, room_tap, Impairer(config.down, config.seed, "down"))
    return Relay(up, down, busy=config.busy)


def main() -> None:
    _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    parser = argparse.ArgumentParser(description="carry IP packets between two namespaces, with impairments")
    parser.add_argument("--config", required=True, type=Config.from_json)
    config: Config = parser.parse_args().config
    path = relay(config)
    signal.signal(signal.SIGTERM, lambda *_: setattr(path, "stopping", True))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the test run, which then closes stdin
    be_punctual(busy=config.busy)
    say({"ready_ns": time.time_ns()})
    write_log(Path(config.log), path.run())


if __name__ == "__main__":
    main()

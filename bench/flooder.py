"""Sends prepared packets as fast as a server answers, or at a rate, with sendmmsg; the answers only count.

At most `window` packets are unanswered at any time, so that the server always has work and nothing is dropped.
How many it has answered is read from its own counter in the answers: no answer needs to arrive for that.
"""

from __future__ import annotations

import ctypes
import select
import socket
import time
from collections.abc import Callable
from typing import NamedTuple

from bench.processes import BenchError, cpu_seconds

BATCH, SLOT_BYTES = 64, 256
_MSG_DONTWAIT = 0x40
_SILENCE_S, _LOST_S = 3.0, 0.3


class Load(NamedTuple):
    """Packets per second (None: as many as are answered) and the most unanswered ones."""

    rate: int | None
    window: int

    @property
    def least(self) -> int:
        """Packets worth a system call: many when the server is to be kept busy."""
        return 1 if self.rate else max(1, min(BATCH, self.window // 2))

    def __str__(self) -> str:
        return f"{self.rate} packets/s" if self.rate else f"saturated, {self.window} waiting"


class Cost(NamedTuple):
    """What a server did in a window of time."""

    packets: int
    cpu_s: float
    wall_s: float

    @property
    def per_cpu_second(self) -> float:
        return self.packets / self.cpu_s


class Flooder:
    """One connected socket and the packets to be sent over it, each once. `counter` reads an answer."""

    def __init__(
        self, sock: socket.socket, packets: bytearray, size: int, counter: Callable[[memoryview], int]
    ) -> None:
        self._sock, self._counter = sock, counter
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        sock.setblocking(False)
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._packets = packets
        self._data = (ctypes.c_char * len(packets)).from_buffer(packets)
        self._total = len(packets) // size
        self._out, self._out_iovecs = _messages(ctypes.addressof(self._data), self._total, size)
        self._answers = ctypes.create_string_buffer(BATCH * SLOT_BYTES)
        self._view = memoryview(self._answers).cast("B")
        self._in, self._in_iovecs = _messages(ctypes.addressof(self._answers), BATCH, SLOT_BYTES)
        self.sent = self.answered = self.lost = 0

    def run(self, load: Load, seconds: float, pid: int) -> Cost:
        """Warm up with a tenth, then measure the server `pid` until the time or the packets are used up."""
        self._until(load, time.monotonic() + seconds / 10, self._total // 10)
        before = self.answered, cpu_seconds(pid), time.monotonic()
        self._until(load, before[2] + seconds, self._total)
        after = self.answered, cpu_seconds(pid), time.monotonic()
        self._settle()
        return Cost(after[0] - before[0], after[1] - before[1], after[2] - before[2])

    def _until(self, load: Load, end: float, most: int) -> None:
        """Send no more than `most` packets in all; returns when they are answered or at `end`."""
        began, first, heard = time.monotonic(), self.sent, time.monotonic()
        while self.answered + self.lost < most and (now := time.monotonic()) < end:
            if self._take_in():
                heard = now
            elif now - heard > _LOST_S:
                self._missing(now - heard)
            ready = min(most - self.sent, load.window - (self.sent - self.answered - self.lost), BATCH)
            if load.rate:
                ready = min(ready, int((now - began) * load.rate) - (self.sent - first))
            if ready >= load.least or 0 < ready == most - self.sent:
                self._send(ready)
            elif load.rate:
                select.select([self._sock], [], [], 0.5 / load.rate)

    def _settle(self) -> None:
        """Leave no backlog to the next measurement."""
        end = time.monotonic() + _SILENCE_S
        while self.answered + self.lost < self.sent and time.monotonic() < end:
            select.select([self._sock], [], [], 0.01)
            self._take_in()

    def _missing(self, silence_s: float) -> None:
        """What is not answered after so long a silence never will be."""
        self.lost = self.sent - self.answered
        if silence_s > _SILENCE_S:
            raise BenchError("the server does not answer")

    def _send(self, count: int) -> None:
        first = ctypes.c_void_p(self._out.ctypes.data + self.sent * self._out.itemsize)
        self.sent += max(0, self._libc.sendmmsg(self._sock.fileno(), first, count, 0))

    def _take_in(self) -> int:
        """Read the waiting answers; the last tells how many there were."""
        at = ctypes.c_void_p(self._in.ctypes.data)
        got: int = self._libc.recvmmsg(self._sock.fileno(), at, BATCH, _MSG_DONTWAIT, None)
        if got > 0:
            start = (got - 1) * SLOT_BYTES
            self.answered = max(self.answered, self._counter(self._view[start : start + SLOT_BYTES]))
        return max(0, got)


def _messages(address: int, count: int, size: int):  # type: ignore[no-untyped-def]
    """struct mmsghdr and struct iovec for `count` neighbouring buffers of `size` octets (64-bit Linux)."""
    try:
        import numpy as np
    except ImportError:
        raise BenchError("numpy is not installed: scripts/motesklar makes .venv with it") from None

    header = [("name", "u8"), ("name_length", "u8"), ("iov", "u8"), ("iov_length", "u8")]
    header += [("control", "u8"), ("control_length", "u8"), ("flags", "u8"), ("length", "u8")]
    messages = np.zeros(count, dtype=header)
    iovecs = np.zeros(count, dtype=[("base", "u8"), ("length", "u8")])
    iovecs["base"] = address + np.arange(count, dtype="u8") * size
    iovecs["length"] = size
    messages["iov"] = iovecs.ctypes.data + np.arange(count, dtype="u8") * iovecs.itemsize
    messages["iov_length"] = 1
    return messages, iovecs

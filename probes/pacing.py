"""Waiting until an exact moment, and for a socket meanwhile."""

from __future__ import annotations

import ctypes
import gc
import select
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_SPIN_LEAST_NS, _SPIN_MOST_NS = 40_000, 400_000
_PR_SET_TIMERSLACK = 29
_POLLIN = 1

Wait = Callable[[int], bool]


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Pollfd(ctypes.Structure):
    _fields_ = (("fd", ctypes.c_int), ("events", ctypes.c_short), ("revents", ctypes.c_short))


def set_timer_slack(nanoseconds: int = 1) -> None:
    """Ask Linux to wake the calling thread on time: its default is up to 50 µs late. Elsewhere nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, nanoseconds, 0, 0, 0)


def waiter(fd: int) -> Wait:
    """A function that waits at most that many nanoseconds until `fd` can be read or has an error; was it?"""
    return _ppoll_waiter(fd) if sys.platform == "linux" else _select_waiter(fd)


def _ppoll_waiter(fd: int) -> Wait:
    # Python's own poll and epoll round to milliseconds; select refuses descriptors over 1023.
    ppoll = ctypes.CDLL(None, use_errno=True).ppoll
    pollfd, timeout = _Pollfd(fd, _POLLIN, 0), _Timespec()
    pollfd_at, timeout_at = ctypes.byref(pollfd), ctypes.byref(timeout)

    def wait(nanoseconds: int) -> bool:
        timeout.seconds, timeout.nanoseconds = divmod(max(0, nanoseconds), 1_000_000_000)
        return bool(ppoll(pollfd_at, 1, timeout_at, None) > 0)

    return wait


def _select_waiter(fd: int) -> Wait:
    def wait(nanoseconds: int) -> bool:
        return bool(select.select([fd], [], [], max(0, nanoseconds) / 1e9)[0])

    return wait


class Spin:
    """How long before a deadline to be awake: as long as this computer has lately overslept, within bounds."""

    __slots__ = ("ns",)

    def __init__(self) -> None:
        self.ns = _SPIN_LEAST_NS

    def overslept(self, late_ns: int) -> None:
        """Learn from a sleep that ended `late_ns` after its time; forgotten at 2 % a sleep."""
        self.ns = min(_SPIN_MOST_NS, max(_SPIN_LEAST_NS, late_ns + late_ns // 4, self.ns - self.ns // 50))


def spin_until(deadline_ns: int) -> None:
    """Look at the monotonic clock until it shows `deadline_ns`."""
    while time.monotonic_ns() < deadline_ns:
        pass


@contextmanager
def undisturbed() -> Iterator[None]:
    """No garbage collection, and threads that hand over within 0.2 ms, while something is being timed."""
    interval, collecting = sys.getswitchinterval(), gc.isenabled()
    gc.disable()
    sys.setswitchinterval(0.0002)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
        if collecting:
            gc.enable()

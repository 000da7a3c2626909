"""Numbered UDP packets one way through a path, stamped by both kernels: what the relay's log is compared with."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.netlab.fate import Fate
from tests.netlab.impairment import Way
from tests.netlab.path import ImpairedPath

SO_TIMESTAMPING = 37
TX_SOFTWARE, RX_SOFTWARE, SOFTWARE, OPT_ID, OPT_TSONLY = 1 << 1, 1 << 3, 1 << 4, 1 << 7, 1 << 11
FLAGS = TX_SOFTWARE | RX_SOFTWARE | SOFTWARE | OPT_ID | OPT_TSONLY
EE_DATA = 12  # offset of sock_extended_err.ee_data: the number of the packet stamped
BUFFER = 8 << 20
PORT = 5000


@dataclass(slots=True)
class Observed:
    """Kernel stamps (ns) by the packet's number; `received` in the order of arrival, copies included."""

    sent: dict[int, int] = field(default_factory=dict)
    received: list[tuple[int, int]] = field(default_factory=list)


def number_of(fate: Fate) -> int:
    """The number that `stream` wrote into the packet."""
    return int(struct.unpack_from("!Q", fate.payload)[0])


@contextmanager
def sockets(path: ImpairedPath, way: Way, *, v6: bool = False) -> Iterator[tuple[socket.socket, socket.socket]]:
    """A connected sender and a receiver with kernel stamps, in the two namespaces."""
    ends = [(path.laptop, path.laptop_address_v6 if v6 else path.laptop_address)]
    ends += [(path.room, path.room_address_v6 if v6 else path.room_address)]
    (near, _), (far, address) = ends if way == "up" else reversed(ends)
    family = socket.AF_INET6 if v6 else socket.AF_INET
    with near.enter():
        sender = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    with far.enter():
        receiver = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    with sender, receiver:
        for each in (sender, receiver):
            each.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, FLAGS)
            each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        receiver.bind((address, PORT))
        sender.connect((address, PORT))
        yield sender, receiver


def stream(
    path: ImpairedPath,
    way: Way,
    count: int,
    *,
    interval: float = 0.001,
    size: int = 100,
    rest: float = 0.2,
    v6: bool = False,
) -> Observed:
    """Send `count` packets of `size` payload bytes, one each `interval` seconds, and wait `rest` for the last."""
    seen = Observed()
    with sockets(path, way, v6=v6) as (sender, receiver):
        begin = time.monotonic()
        for number in range(count):
            time.sleep(max(0.0, begin + number * interval - time.monotonic()))
            sender.send(struct.pack("!Q", number).ljust(size, b"."))
            _drain(sender, receiver, seen)
        time.sleep(rest)
        _drain(sender, receiver, seen)
    return seen


def _drain(sender: socket.socket, receiver: socket.socket, seen: Observed) -> None:
    for stamp, _, extra in _all(sender, socket.MSG_ERRQUEUE):
        seen.sent[struct.unpack_from("I", extra[1], EE_DATA)[0]] = stamp
    for stamp, data, _ in _all(receiver, 0):
        seen.received.append((struct.unpack_from("!Q", data)[0], stamp))


def _all(source: socket.socket, flags: int) -> Iterator[tuple[int, bytes, list[bytes]]]:
    while True:
        try:
            data, extra, _, _ = source.recvmsg(2048, 512, flags)
        except BlockingIOError:
            return
        seconds, nanoseconds = struct.unpack_from("qq", extra[0][2])
        yield seconds * 1_000_000_000 + nanoseconds, data, [e[2] for e in extra]

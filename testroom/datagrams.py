"""Datagrams in batches: recvmmsg and sendmmsg with kernel receive stamps on Linux, one at a time elsewhere.

A port owns its buffers. After receive() the datagrams 0..n-1 can be read and overwritten in place; answer(i) puts
one on the list that flush() sends back to where it came from, from the address it was sent to.
"""

from __future__ import annotations

import errno
import socket
import sys
import time
from collections.abc import Iterator
from typing import Protocol

SLOT_BYTES = 2048  # an Ethernet frame's worth; a longer datagram is truncated and so refused
BATCH = 128
STAGE = 4  # datagrams that can be made ready beside the answers, to be sent together; their times are of before that


class Port(Protocol):
    """One UDP socket with its batch."""

    sock: socket.socket
    kernel_stamps: bool

    def receive(self) -> int:
        """Take what waits, at most BATCH datagrams, without waiting; how many they are."""

    def datagram(self, index: int) -> memoryview:
        """Its octets, writable; an empty view when it was longer than a slot."""

    def arrival(self, index: int) -> tuple[int, int]:
        """When it arrived (CLOCK_REALTIME ns, by the kernel where it can) and its TTL (255 when not known)."""

    def address(self, index: int) -> bytes:
        """The sender's IP address and port, packed: 4 or 16 octets and 2."""

    def resize(self, index: int, size: int) -> memoryview:
        """The datagram with another length, at most SLOT_BYTES; what is beyond the old one is undefined."""

    def stage(self, place: int) -> memoryview:
        """Memory for one of STAGE datagrams that send_staged() will send."""

    def send_staged(self, index: int, count: int, size: int) -> int:
        """Send the first `count` of the stage at once to where the datagram came from; how many went."""

    def answer(self, index: int, *, stamp: bool) -> int | None:
        """Send the datagram back at the next flush(); the identifier of the transmit stamp asked for, if any."""

    def flush(self) -> int:
        """Send the answers; how many could not be sent."""

    def transmitted(self) -> Iterator[tuple[int, int]]:
        """(identifier, CLOCK_REALTIME ns) of stamped answers that have left since the last call."""


def open_port(host: str, port: int, family: socket.AddressFamily) -> Port:
    """A bound UDP port. OSError: the address is taken, not ours, or not permitted."""
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        sock.setblocking(False)
        sock.bind((host, port))
        return _choose(sock)
    except OSError:
        sock.close()
        raise


def _choose(sock: socket.socket) -> Port:
    if sys.platform == "linux":
        from testroom.mmsg import BatchPort

        return BatchPort(sock)
    else:  # noqa: RET505 - mypy sees one platform at a time
        return PlainPort(sock)


class PlainPort:
    """recvfrom and sendto. The stamps are this program's own, taken as soon as a datagram is read."""

    kernel_stamps = False

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._slots = [memoryview(bytearray(SLOT_BYTES + 1)) for _ in range(BATCH)]
        self._got: list[tuple[int, int, tuple[str, int]]] = []
        self._answers: list[int] = []
        self._stage = [memoryview(bytearray(SLOT_BYTES)) for _ in range(STAGE)]

    def receive(self) -> int:
        self._got.clear()
        for slot in self._slots:
            try:
                size, sender = self.sock.recvfrom_into(slot)
            except BlockingIOError:
                break
            except OSError:  # an ICMP error of an earlier answer, or a datagram too long (Windows)
                continue
            self._got.append((size, time.time_ns(), sender))
        return len(self._got)

    def datagram(self, index: int) -> memoryview:
        size = self._got[index][0]
        return self._slots[index][: size if size <= SLOT_BYTES else 0]

    def arrival(self, index: int) -> tuple[int, int]:
        return self._got[index][1], 255

    def address(self, index: int) -> bytes:
        host, port = self._got[index][2][:2]
        return socket.inet_pton(self.sock.family, host.partition("%")[0]) + port.to_bytes(2, "big")

    def resize(self, index: int, size: int) -> memoryview:
        self._got[index] = (size, *self._got[index][1:])
        return self._slots[index][:size]

    def stage(self, place: int) -> memoryview:
        return self._stage[place]

    def send_staged(self, index: int, count: int, size: int) -> int:
        for place in range(count):
            try:
                self.sock.sendto(self._stage[place][:size], self._got[index][2])
            except OSError:
                return place
        return count

    def answer(self, index: int, *, stamp: bool) -> int | None:  # noqa: ARG002 - no stamps to be had here
        self._answers.append(index)
        return None

    def flush(self) -> int:
        failed = 0
        for index in self._answers:
            try:
                self.sock.sendto(self.datagram(index), self._got[index][2])
            except OSError as error:
                failed += error.errno != errno.ECONNREFUSED
        self._answers.clear()
        return failed

    def transmitted(self) -> Iterator[tuple[int, int]]:
        return iter(())

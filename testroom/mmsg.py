"""recvmmsg(2) and sendmmsg(2) through ctypes: many datagrams for one system call, with control messages."""

from __future__ import annotations

import ctypes
import socket
import time
from collections.abc import Iterator
from struct import Struct

from probes import timestamping
from testroom.datagrams import BATCH, SLOT_BYTES

_NAME_BYTES, _CONTROL_BYTES = 28, 192  # sockaddr_in6; control messages of one datagram
_CONTROL_SLOT = 256
_MSG_DONTWAIT, _MSG_TRUNC = 0x40, 0x20
_IP_PKTINFO, _IP_RECVTTL, _IP_TTL = 8, 12, 2
_IPV6_RECVPKTINFO, _IPV6_PKTINFO, _IPV6_RECVHOPLIMIT, _IPV6_HOPLIMIT = 49, 50, 51, 52
_CMSG = Struct("=Qii")
_STAMP = Struct("=qq")
_INT = Struct("=i")
# a control message that asks for one transmit stamp; a datagram's slot of control memory begins with it when it is sent
_REQUEST = Struct("=QiiI4x").pack(20, socket.SOL_SOCKET, timestamping.SO_TIMESTAMPING, timestamping.TX_SOFTWARE)


class _Iovec(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class _Msghdr(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint32),
        ("iov", ctypes.c_void_p),
        ("iov_length", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


class _Mmsghdr(ctypes.Structure):
    _fields_ = (("header", _Msghdr), ("length", ctypes.c_uint))


class _Slots:
    """Memory for BATCH datagrams and the headers that describe it to the kernel."""

    def __init__(self) -> None:
        self._data = ctypes.create_string_buffer(BATCH * SLOT_BYTES)
        self._names = ctypes.create_string_buffer(BATCH * 32)
        self._control = ctypes.create_string_buffer(BATCH * _CONTROL_SLOT)
        self.iovecs = (_Iovec * BATCH)()
        self.messages = (_Mmsghdr * BATCH)()
        self.headers = [m.header for m in self.messages]
        self.data = _views(self._data, SLOT_BYTES)
        self.names = _views(self._names, 32)
        self.control = _views(self._control, _CONTROL_SLOT)
        self.control_at = [ctypes.addressof(self._control) + i * _CONTROL_SLOT for i in range(BATCH)]
        for i in range(BATCH):
            self.iovecs[i].base = ctypes.addressof(self._data) + i * SLOT_BYTES
            self.headers[i].name = ctypes.addressof(self._names) + i * 32
            self.headers[i].iov = ctypes.addressof(self.iovecs) + i * ctypes.sizeof(_Iovec)
            self.headers[i].iov_length = 1

    def offer(self, count: int) -> None:
        """Make the first `count` slots ready to receive into."""
        for i in range(count):
            header = self.headers[i]
            header.name_length, header.control, header.control_length = _NAME_BYTES, self.control_at[i], _CONTROL_BYTES
            self.iovecs[i].length = SLOT_BYTES


def _views(buffer: ctypes.Array[ctypes.c_char], size: int) -> list[memoryview]:
    whole = memoryview(buffer).cast("B")
    return [whole[i * size : (i + 1) * size] for i in range(BATCH)]


class BatchPort:
    """A Port (see testroom.datagrams) for Linux."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = sock.fileno()
        self._slots = _Slots()
        self._slots.offer(BATCH)
        self._taken = 0
        self._pending: list[tuple[int, bool]] = []
        self._next_stamp = 0
        self.kernel_stamps = timestamping.enable(sock, transmit=False)
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVPKTINFO, 1)
            sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVHOPLIMIT, 1)
        else:
            sock.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
            sock.setsockopt(socket.IPPROTO_IP, _IP_RECVTTL, 1)

    def receive(self) -> int:
        self._slots.offer(self._taken)
        count = self._libc.recvmmsg(self._fd, self._slots.messages, BATCH, _MSG_DONTWAIT, None)
        self._taken = max(0, count)
        return self._taken

    def datagram(self, index: int) -> memoryview:
        truncated = self._slots.headers[index].flags & _MSG_TRUNC
        return self._slots.data[index][: 0 if truncated else self._slots.messages[index].length]

    def arrival(self, index: int) -> tuple[int, int]:
        """Also lays out the control message with which the answer leaves from the address that was asked."""
        control, at, end = self._slots.control[index], 0, self._slots.headers[index].control_length
        unix_ns, ttl, reply = 0, 255, b""
        while at + 16 <= end:
            length, level, kind = _CMSG.unpack_from(control, at)
            if level == socket.SOL_SOCKET:
                if kind == timestamping.SO_TIMESTAMPING:
                    seconds, nanoseconds = _STAMP.unpack_from(control, at + 16)
                    unix_ns = seconds * 1_000_000_000 + nanoseconds
            elif kind in (_IP_TTL, _IPV6_HOPLIMIT):
                ttl = _INT.unpack_from(control, at + 16)[0]
            else:
                reply = _source(control, at, length, level)
            at += (length + 7) & ~7
        self._lay_out(index, reply)
        return unix_ns or time.time_ns(), ttl

    def _lay_out(self, index: int, reply: bytes) -> None:
        control = self._slots.control[index]
        control[: len(_REQUEST)] = _REQUEST
        control[len(_REQUEST) : len(_REQUEST) + len(reply)] = reply
        self._slots.headers[index].control_length = len(reply)

    def address(self, index: int) -> bytes:
        name = self._slots.names[index]
        if self.sock.family == socket.AF_INET6:
            return bytes(name[8:24]) + bytes(name[2:4])
        return bytes(name[4:8]) + bytes(name[2:4])

    def answer(self, index: int, *, stamp: bool) -> int | None:
        header, size = self._slots.headers[index], self._slots.messages[index].length
        self._slots.iovecs[index].length = size
        wanted = stamp and self.kernel_stamps
        source = header.control_length
        header.control = self._slots.control_at[index] + (0 if wanted else len(_REQUEST))
        header.control_length = source + (len(_REQUEST) if wanted else 0)
        self._pending.append((index, wanted))
        if not wanted:
            return None
        self._next_stamp += 1
        return self._next_stamp - 1

    def flush(self) -> int:
        """Runs of neighbouring slots go out in one call; one that fails is skipped."""
        failed = at = 0
        while at < len(self._pending):
            run = self._run(at)
            sent = self._libc.sendmmsg(self._fd, ctypes.byref(self._slots.messages[self._pending[at][0]]), run, 0)
            failed += sent <= 0
            at += max(1, sent)
        self._pending.clear()
        if failed:
            self._count_anew()
        return failed

    def _run(self, at: int) -> int:
        """How many answers from `at` on lie in neighbouring slots."""
        first, end = self._pending[at][0], at + 1
        while end < len(self._pending) and self._pending[end][0] == first + end - at:
            end += 1
        return end - at

    def _count_anew(self) -> None:
        """Which answers of this batch got an identifier is not known: drop their stamps and begin at 0 again."""
        for _ in self.transmitted():
            pass
        self._next_stamp = 0
        timestamping.enable(self.sock, transmit=False)

    def transmitted(self) -> Iterator[tuple[int, int]]:
        for stamp in timestamping.transmit_stamps(self.sock):
            yield stamp.identifier, stamp.unix_ns


def _source(control: memoryview, at: int, length: int, level: int) -> bytes:
    """The packet-info control message, with the device left open for the routing table to choose."""
    message = bytearray(control[at : at + (length + 7 & ~7)])
    if level == socket.IPPROTO_IP:  # struct in_pktinfo: device, the local address, the header's address
        message[16:20] = bytes(4)
    elif message[16:18] != b"\xfe\x80":  # a link-local address needs its device
        message[32:36] = bytes(4)
    return bytes(message)

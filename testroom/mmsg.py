"""recvmmsg(2) and sendmmsg(2) through ctypes: many datagrams for one system call, with control messages."""

from __future__ import annotations

import ctypes
import socket
import time
from collections.abc import Iterator
from struct import Struct
from typing import Literal, NamedTuple

from probes import timestamping
from testroom.datagrams import BATCH, SLOT_BYTES, STAGE

_NAME_BYTES, _CONTROL_BYTES = 28, 192  # sockaddr_in6; control messages of one datagram
CONTROL_SLOT = 256
_MSG_DONTWAIT, _MSG_TRUNC = 0x40, 0x20
_IP_PKTINFO, _IP_RECVTTL, _IP_TTL = 8, 12, 2
_IPV6_RECVPKTINFO, _IPV6_PKTINFO, _IPV6_RECVHOPLIMIT, _IPV6_HOPLIMIT = 49, 50, 51, 52
_CMSG = Struct("=Qii")
_STAMP = Struct("=qq")
_INT = Struct("=i")
_ADDRESS4, _ADDRESS6 = Struct("2x2s4s"), Struct("2x2s4x16s")  # of a sockaddr: port and address
_RETURNS = 1024  # local addresses whose control messages are kept ready
# a control message that asks for one transmit stamp
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


WORDS = ctypes.sizeof(_Mmsghdr) // ctypes.sizeof(ctypes.c_size_t)
CONTROL_WORD = _Msghdr.control.offset // ctypes.sizeof(ctypes.c_size_t)


class Slots:
    """Memory for datagrams and the headers that describe it to the kernel."""

    def __init__(self, places: int = BATCH) -> None:
        self.data_memory = ctypes.create_string_buffer(places * SLOT_BYTES)
        self.names_memory = ctypes.create_string_buffer(places * 32)
        self.control_memory = ctypes.create_string_buffer(places * CONTROL_SLOT)
        self.iovecs = (_Iovec * places)()
        self.messages = (_Mmsghdr * places)()
        headers = [m.header for m in self.messages]
        self.data = _views(self.data_memory, SLOT_BYTES)
        self.names = _views(self.names_memory, 32)
        self.control = _views(self.control_memory, CONTROL_SLOT)
        for i in range(places):
            self.iovecs[i].base = ctypes.addressof(self.data_memory) + i * SLOT_BYTES
            self.iovecs[i].length = SLOT_BYTES
            headers[i].name = ctypes.addressof(self.names_memory) + i * 32
            headers[i].name_length = _NAME_BYTES
            headers[i].iov = ctypes.addressof(self.iovecs) + i * ctypes.sizeof(_Iovec)
            headers[i].iov_length = 1
            headers[i].control = ctypes.addressof(self.control_memory) + i * CONTROL_SLOT
            headers[i].control_length = _CONTROL_BYTES
        self._fresh = bytes(self.messages), bytes(self.iovecs)
        self._lengths = _every(self.messages, _Mmsghdr.length.offset, "I")
        self._flags = _every(self.messages, _Msghdr.flags.offset, "I")
        self._control_lengths = _every(self.messages, _Msghdr.control_length.offset, "P")
        self.answers = memoryview(self.messages).cast("B").cast("P")
        self.sizes = memoryview(self.iovecs).cast("B").cast("P")

    def offer(self, count: int) -> None:
        """Make the first `count` slots ready to receive into."""
        messages, iovecs = self._fresh
        ctypes.memmove(self.messages, messages, count * ctypes.sizeof(_Mmsghdr))
        ctypes.memmove(self.iovecs, iovecs, count * ctypes.sizeof(_Iovec))

    def received(self, count: int) -> tuple[list[int], list[int]]:
        """Octets of each datagram, 0 when it was truncated, and of each one's control messages."""
        sizes, flags = self._lengths[:count].tolist(), self._flags[:count].tolist()
        whole = [0 if f & _MSG_TRUNC else n for n, f in zip(sizes, flags, strict=True)]
        return whole, self._control_lengths[:count].tolist()


def _every(messages: ctypes.Array[_Mmsghdr], offset: int, kind: Literal["I", "P"]) -> memoryview[int]:
    """One field of all of them."""
    numbers = memoryview(messages).cast("B").cast(kind)
    return numbers[offset // numbers.itemsize :: ctypes.sizeof(_Mmsghdr) // numbers.itemsize]


def _views(buffer: ctypes.Array[ctypes.c_char], size: int) -> list[memoryview]:
    whole = memoryview(buffer).cast("B")
    return [whole[i : i + size] for i in range(0, len(whole), size)]


class BatchPort:
    """A Port (see testroom.datagrams) for Linux."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = sock.fileno()
        self.slots, self._stage = Slots(), Slots(STAGE)
        self.slots.offer(BATCH)
        self._taken = 0
        self.octets, self._control_sizes = self.slots.received(0)
        self._layouts: dict[int, Layout] = {}
        self._returns: dict[bytes, Return] = {}
        self._return: list[Return] = [Return(b"")] * BATCH
        self.pending: list[int] = []
        self._address = _ADDRESS6 if sock.family == socket.AF_INET6 else _ADDRESS4
        self._next_stamp = 0
        self.kernel_stamps = timestamping.enable(sock, transmit=False)
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVPKTINFO, 1)
            sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVHOPLIMIT, 1)
        else:
            sock.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
            sock.setsockopt(socket.IPPROTO_IP, _IP_RECVTTL, 1)

    def receive(self) -> int:
        self.slots.offer(self._taken)
        count = self._libc.recvmmsg(self._fd, self.slots.messages, BATCH, _MSG_DONTWAIT, None)
        self._taken = max(0, count)
        self.octets, self._control_sizes = self.slots.received(self._taken)
        if len(self._returns) > _RETURNS:
            self._returns.clear()
        return self._taken

    def datagram(self, index: int) -> memoryview:
        return self.slots.data[index][: self.octets[index]]

    def arrival(self, index: int) -> tuple[int, int]:
        """Also finds the control message with which the answer leaves from the address that was asked."""
        control, layout = self.slots.control[index], self.layout(index)
        self._return[index] = self.way(bytes(control[layout.source]))
        ttl = _INT.unpack_from(control, layout.ttl)[0] if layout.ttl else 255
        if not layout.stamp:
            return time.time_ns(), ttl
        seconds, nanoseconds = _STAMP.unpack_from(control, layout.stamp)
        return seconds * 1_000_000_000 + nanoseconds or time.time_ns(), ttl

    def layout(self, index: int) -> Layout:
        """Where the datagram's control messages are: the kernel writes the same in the same order, so by their size."""
        size = self._control_sizes[index]
        layout = self._layouts.get(size)
        if layout is None:
            layout = self._layouts[size] = _layout(self.slots.control[index], size)
        return layout

    def alike(self, count: int) -> bool:
        """Do the first `count` datagrams have the same control messages?"""
        return self._control_sizes[:count].count(self._control_sizes[0]) == count

    def way(self, source: bytes) -> Return:
        """The control messages of the answers to datagrams with that packet info."""
        way = self._returns.get(source)
        if way is None:
            way = self._returns[source] = Return(_source(source))
        return way

    def address(self, index: int) -> bytes:
        port, address = self._address.unpack_from(self.slots.names[index])
        return bytes(address + port)

    def resize(self, index: int, size: int) -> memoryview:
        self.octets[index] = size
        return self.slots.data[index][:size]

    def stage(self, place: int) -> memoryview:
        return self._stage.data[place]

    def send_staged(self, index: int, count: int, size: int) -> int:
        stage, way = self._stage, self._return[index]
        for place in range(count):
            stage.names[place][:] = self.slots.names[index]
            stage.sizes[2 * place + 1] = size
            stage.answers[WORDS * place + CONTROL_WORD] = way.plain_at
            stage.answers[WORDS * place + CONTROL_WORD + 1] = way.plain_size
        return max(0, int(self._libc.sendmmsg(self._fd, stage.messages, count, _MSG_DONTWAIT)))

    def answer(self, index: int, *, stamp: bool) -> int | None:
        wanted, way, slots = stamp and self.kernel_stamps, self._return[index], self.slots
        slots.sizes[2 * index + 1] = self.octets[index]
        slots.answers[WORDS * index + CONTROL_WORD] = way.stamped_at if wanted else way.plain_at
        slots.answers[WORDS * index + CONTROL_WORD + 1] = way.stamped_size if wanted else way.plain_size
        self.pending.append(index)
        if not wanted:
            return None
        self._next_stamp += 1
        return self._next_stamp - 1

    def flush(self) -> int:
        """Runs of neighbouring slots go out in one call; one that fails is skipped."""
        failed = at = 0
        self.pending.sort()  # as they came; a batch that was answered session by session would make many runs
        while at < len(self.pending):
            run = self._run(at)
            sent = self._libc.sendmmsg(self._fd, ctypes.byref(self.slots.messages[self.pending[at]]), run, 0)
            failed += sent <= 0
            at += max(1, sent)
        self.pending.clear()
        if failed:
            self._count_anew()
        return failed

    def _run(self, at: int) -> int:
        """How many answers from `at` on lie in neighbouring slots."""
        first, end = self.pending[at], at + 1
        while end < len(self.pending) and self.pending[end] == first + end - at:
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


class Layout(NamedTuple):
    """Where a datagram's control messages have the stamp, the TTL (0: nowhere) and the packet info."""

    stamp: int
    ttl: int
    source: slice


def _layout(control: memoryview, end: int) -> Layout:
    at, stamp, ttl, source = 0, 0, 0, slice(0, 0)
    while at + _CMSG.size <= end:
        length, level, kind = _CMSG.unpack_from(control, at)
        if level == socket.SOL_SOCKET:
            stamp = at + _CMSG.size if kind == timestamping.SO_TIMESTAMPING else stamp
        elif kind in (_IP_TTL, _IPV6_HOPLIMIT):
            ttl = at + _CMSG.size
        else:
            source = slice(at, at + (length + 7 & ~7))
        at += (length + 7) & ~7
    return Layout(stamp, ttl, source)


class Return:
    """The control messages of the answers to one local address, without and with a request for a transmit stamp."""

    __slots__ = ("_memory", "plain_at", "plain_size", "stamped_at", "stamped_size")

    def __init__(self, source: bytes) -> None:
        self._memory = ctypes.create_string_buffer(_REQUEST + source)
        self.stamped_at = ctypes.addressof(self._memory)
        self.stamped_size = len(_REQUEST) + len(source)
        self.plain_at, self.plain_size = self.stamped_at + len(_REQUEST), len(source)


def _source(info: bytes) -> bytes:
    """The packet-info control message, with the device left open for the routing table to choose."""
    message = bytearray(info)
    if len(info) < _CMSG.size:
        return b""
    if _CMSG.unpack_from(info)[1] == socket.IPPROTO_IP:  # struct in_pktinfo: device, local address, header's address
        message[16:20] = bytes(4)
    elif message[16:18] != b"\xfe\x80":  # a link-local address needs its device
        message[32:36] = bytes(4)
    return bytes(message)

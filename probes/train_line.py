"""The socket of a packet train: signed packets out, replies with the kernel's stamps in, all counted."""

from __future__ import annotations

import errno
import socket
import time
from struct import Struct

from probes import pacing, stamp, stamp_control, timestamping
from probes.sender import Access
from probes.stamp_control import Control

_SO_RXQ_OVFL = 40  # how many datagrams the socket's queue had no place for
_UINT = Struct("=I")
_ROUGHLY = stamp.error_estimate(0.5)  # signed beforehand: the time in a packet of a train is not when it leaves
_FULL = {errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOBUFS}


class Line:
    """A connected UDP socket to the room. `headers`: octets of IP and UDP; `moved_bytes`: of IP packets, both ways."""

    def __init__(self, sock: socket.socket, access: Access, headers: int) -> None:
        self._sock, self._access, self._headers = sock, access, headers
        self._buffer = bytearray(2048)
        self.next = 0
        self.kernel_stamps = False
        self.moved_bytes = self.rejected = self.overflowed = 0

    def prepare(self) -> None:
        """Large buffers, kernel stamps, no blocking."""
        self._sock.setblocking(False)
        self.kernel_stamps = timestamping.enable(self._sock, transmit=False)
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            self._sock.setsockopt(socket.SOL_SOCKET, option, 4 << 20)
        if self.kernel_stamps:
            self._sock.setsockopt(socket.SOL_SOCKET, _SO_RXQ_OVFL, 1)
        self.wait = pacing.waiter(self._sock.fileno())

    def packet(self, size: int, control: Control) -> bytearray:
        """The session's next packet, signed; without a key one of plain STAMP, which cannot ask for anything."""
        sender = stamp.SenderPacket(self.next, time.time_ns(), _ROUGHLY, self._access.ssid)
        self.next += 1
        key = self._access.key
        if key is None:
            packet = stamp.template(size, authenticated=False, follow_up=False)
            stamp.write_sender(packet, sender, None, follow_up=False)
        else:
            packet = stamp_control.template(size, control)
            stamp_control.write(packet, sender, key)
        return packet

    def send(self, packet: bytearray) -> bool:
        """False: the sending queue is full. OSError: the port is closed, the link gone, the packet too long."""
        try:
            self._sock.send(packet)
        except OSError as error:
            if error.errno in _FULL:
                return False
            raise
        self.moved_bytes += len(packet) + self._headers
        return True

    def receive(self) -> tuple[bytearray, int] | None:
        """One datagram and when it came; None when none waits."""
        ancillary: timestamping.Ancillary = []
        try:
            if self.kernel_stamps:
                size, ancillary, _, _ = self._sock.recvmsg_into([self._buffer], timestamping.ANCILLARY_BYTES)
            else:
                size = self._sock.recv_into(self._buffer)
        except BlockingIOError:
            return None
        received = timestamping.received_at(ancillary) or time.time_ns()
        for level, kind, data in ancillary:
            if level == socket.SOL_SOCKET and kind == _SO_RXQ_OVFL:
                self.overflowed = _UINT.unpack_from(data)[0]
        self.moved_bytes += size + self._headers
        return self._buffer[:size], received

    def genuine(self, packet: bytearray) -> stamp.ReflectorPacket | None:
        """The reflector's packet, if its signatures hold."""
        key = self._access.key
        reply = stamp.read_reflector(packet, authenticated=key is not None)
        if reply is not None and (key is None or _signed(packet, key)):
            return reply
        self.rejected += 1
        return None


def _signed(packet: bytearray, key: stamp.Key) -> bool:
    hmac_at = stamp.find_tlvs(packet, stamp.AUTH_BYTES).get(stamp.TLV_HMAC)
    return stamp.base_signed(packet, key) and hmac_at is not None and stamp.tlvs_signed(packet, key, hmac_at)

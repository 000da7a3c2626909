"""ICMP echo on the wire (RFC 792, RFC 4443), and the ICMP errors that Linux keeps for a UDP socket (ip(7), IP_RECVERR).

The parsing is pure. Reading the error queue needs no privileges: the kernel hands each error to the socket whose
packet caused it, with the router's address, a receive stamp and what the router quoted of the packet.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from struct import Struct
from typing import Literal, NamedTuple

from probes import timestamping

ECHO_REPLY, ECHO_REQUEST = 0, 8
ECHO_REQUEST_V6, ECHO_REPLY_V6 = 128, 129
HEADER = Struct(">BBHHH")  # type, code, checksum, identifier, sequence number
QUOTE_BYTES = 2048

_IP_RECVERR, _IPV6_RECVERR = (0, 11), (41, 25)  # level and option; the control message is named the same
_EXTENDED_ERR = Struct("=IBBBBII")  # struct sock_extended_err: errno, origin, type, code, padding, info, data
_FROM_ICMP, _FROM_ICMP6 = 2, 3
_OFFENDER4, _OFFENDER6 = slice(20, 24), slice(24, 40)  # of the control message: the address in SO_EE_OFFENDER
_INET, _INET6 = int(socket.AF_INET), int(socket.AF_INET6)

Kind = Literal["time exceeded", "too big", "port closed", "unreachable", "other"]
_KINDS: dict[tuple[int, int, int], Kind] = {
    (_FROM_ICMP, 11, 0): "time exceeded",
    (_FROM_ICMP6, 3, 0): "time exceeded",
    (_FROM_ICMP, 3, 4): "too big",
    (_FROM_ICMP6, 2, 0): "too big",
    (_FROM_ICMP, 3, 3): "port closed",
    (_FROM_ICMP6, 1, 4): "port closed",
}


class EchoReply(NamedTuple):
    """An answer to an echo request."""

    identifier: int
    sequence: int
    payload: bytes


class Told(NamedTuple):
    """An ICMP error about one of a socket's packets. `mtu_bytes`: with "too big", what fits; `router`: who says so.

    `quote`: the payload of the packet as far as the router quoted it, perhaps nothing; `received_ns`: 0 is not known.
    """

    kind: Kind
    router: str
    mtu_bytes: int
    quote: bytes
    received_ns: int


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    words = data + b"\0" * (len(data) % 2)
    total = sum(int.from_bytes(words[i : i + 2], "big") for i in range(0, len(words), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def echo_request(identifier: int, sequence: int, payload: bytes, *, v6: bool) -> bytes:
    """An echo request. ICMPv6's checksum covers the IP addresses: the kernel writes it."""
    kind = ECHO_REQUEST_V6 if v6 else ECHO_REQUEST
    bare = HEADER.pack(kind, 0, 0, identifier, sequence) + payload
    return bare if v6 else HEADER.pack(kind, 0, checksum(bare), identifier, sequence) + payload


def read_echo_reply(packet: bytes, *, v6: bool) -> EchoReply | None:
    """An echo reply, with or without the IPv4 header that some sockets show; None when it is anything else."""
    start = (packet[0] & 15) * 4 if not v6 and packet and packet[0] >> 4 == 4 else 0
    if len(packet) < start + HEADER.size:
        return None
    kind, code, _, identifier, sequence = HEADER.unpack_from(packet, start)
    if (kind, code) != (ECHO_REPLY_V6 if v6 else ECHO_REPLY, 0):
        return None
    return EchoReply(identifier, sequence, packet[start + HEADER.size :])


def enable_errors(sock: socket.socket) -> bool:
    """Ask for the error queue. False: not to be had here (only Linux has it)."""
    if sys.platform != "linux":
        return False
    level, option = _IPV6_RECVERR if sock.family == socket.AF_INET6 else _IP_RECVERR
    try:
        sock.setsockopt(level, option, 1)
    except OSError:
        return False
    return True


def errors(sock: socket.socket, most: int = 256) -> Iterator[Told]:
    """Empty the error queue. The socket must not block; transmit stamps and local errors are passed over."""
    for _ in range(most):
        try:
            quote, ancillary, _, _ = sock.recvmsg(
                QUOTE_BYTES, timestamping.ANCILLARY_BYTES, timestamping.MSG_ERRQUEUE | socket.MSG_DONTWAIT
            )
        except OSError:  # empty
            return
        if (told := read_error(quote, ancillary)) is not None:
            yield told


def receive(sock: socket.socket, most: int) -> tuple[bytes, timestamping.Ancillary]:
    """One datagram of at most that many octets, with its control messages where the system has them. Raises OSError."""
    if not hasattr(sock, "recvmsg"):  # Windows
        return sock.recv(most), []
    packet, ancillary, _, _ = sock.recvmsg(most, timestamping.ANCILLARY_BYTES)
    return packet, ancillary


def read_error(quote: bytes, ancillary: timestamping.Ancillary) -> Told | None:
    """What an entry of the error queue says; None when it did not come by ICMP."""
    for level, kind, data in ancillary:
        if (level, kind) in (_IP_RECVERR, _IPV6_RECVERR) and len(data) >= _EXTENDED_ERR.size:
            _, origin, type_, code, _, info, _ = _EXTENDED_ERR.unpack_from(data)
            if origin not in (_FROM_ICMP, _FROM_ICMP6):
                return None
            unreachable = (origin, type_) in ((_FROM_ICMP, 3), (_FROM_ICMP6, 1))
            what = _KINDS.get((origin, type_, code), "unreachable" if unreachable else "other")
            received = timestamping.received_at(ancillary) or 0
            return Told(what, _offender(data), info if what == "too big" else 0, quote, received)
    return None


def _offender(data: bytes) -> str:
    """The address after the extended error: a struct sockaddr_in or sockaddr_in6; "" when it is neither."""
    family = int.from_bytes(data[16:18], sys.byteorder)
    if family == _INET and len(data) >= 24:
        return socket.inet_ntop(socket.AF_INET, data[_OFFENDER4])
    if family == _INET6 and len(data) >= 40:
        return socket.inet_ntop(socket.AF_INET6, data[_OFFENDER6])
    return ""

"""Kernel timestamps of a UDP socket: when a packet came in, and when it left the queue and the driver.

Linux stamps in software with SO_TIMESTAMPING (Documentation/networking/timestamping.rst). Elsewhere the caller
takes the time itself, and says that its floor is higher. All times are CLOCK_REALTIME nanoseconds.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple

SO_TIMESTAMPING = 65  # SO_TIMESTAMPING_NEW: 64-bit times on every architecture, Linux 5.1
TX_SOFTWARE, RX_SOFTWARE, SOFTWARE, OPT_ID, TX_SCHED, OPT_TSONLY = 1 << 1, 1 << 3, 1 << 4, 1 << 7, 1 << 8, 1 << 11
MSG_ERRQUEUE = 0x2000
ANCILLARY_BYTES = 256

_STAMP = Struct("=qq")
_EXTENDED_ERR = Struct("=IBBBBII")  # struct sock_extended_err
_ORIGIN_TIMESTAMPING = 4
_RECVERR = {(0, 11), (41, 25)}  # (IPPROTO_IP, IP_RECVERR), (IPPROTO_IPV6, IPV6_RECVERR)
SENT, SCHEDULED = 0, 1  # SCM_TSTAMP_SND, SCM_TSTAMP_SCHED

Ancillary = list[tuple[int, int, bytes]]


class TransmitStamp(NamedTuple):
    """`identifier` counts the socket's stamped packets from 0; `point` is SENT or SCHEDULED."""

    identifier: int
    point: int
    unix_ns: int


def enable(sock: socket.socket, *, transmit: bool) -> bool:
    """Ask for receive stamps, and transmit stamps of every packet if `transmit`. False: not to be had here.

    Without `transmit` a packet's own control message can still ask for one (see REQUEST_TRANSMIT_STAMP).
    """
    if sys.platform != "linux":
        return False
    flags = RX_SOFTWARE | SOFTWARE | OPT_ID | OPT_TSONLY
    if transmit:
        flags |= TX_SOFTWARE | TX_SCHED
    try:
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, 0)  # the identifiers begin at 0 again
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, flags)
    except OSError:
        return False
    return True


def received_at(ancillary: Ancillary) -> int | None:
    """The receive stamp among a datagram's control messages."""
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPING:
            seconds, nanoseconds = _STAMP.unpack_from(data)
            return int(seconds * 1_000_000_000 + nanoseconds)
    return None


def transmit_stamps(sock: socket.socket, most: int = 4096) -> Iterator[TransmitStamp]:
    """Empty the error queue: the stamps of packets that have left since the last call. The socket must not block."""
    for _ in range(most):
        try:
            _, ancillary, _, _ = sock.recvmsg(0, ANCILLARY_BYTES, MSG_ERRQUEUE | socket.MSG_DONTWAIT)
        except OSError:  # empty, or an ICMP error that the next send or receive reports too
            return
        if (stamp := _transmit_stamp(ancillary)) is not None:
            yield stamp


def _transmit_stamp(ancillary: Ancillary) -> TransmitStamp | None:
    unix_ns = received_at(ancillary)
    for level, kind, data in ancillary:
        if (level, kind) in _RECVERR and unix_ns:
            _, origin, _, _, _, point, identifier = _EXTENDED_ERR.unpack_from(data)
            if origin == _ORIGIN_TIMESTAMPING:
                return TransmitStamp(identifier, point, unix_ns)
    return None

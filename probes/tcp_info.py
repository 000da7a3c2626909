"""What the kernel knows of a TCP connection: TCP_INFO (Linux, include/uapi/linux/tcp.h) and its congestion control."""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
from dataclasses import dataclass
from typing import Any

_OPTION = getattr(socket, "TCP_INFO", None) if sys.platform == "linux" else None
_CONGESTION = getattr(socket, "TCP_CONGESTION", None)
_SIZE = 256  # the structure has grown with the kernels; 232 octets now
_ESTABLISHED, _CLOSE_WAIT = 1, 8  # include/net/tcp_states.h
_UNKNOWN_U32 = 0xFFFFFFFF  # the kernel's "no sample yet" of the least RTT
_OFFSETS: dict[str, tuple[int, str]] = {
    "lost": (32, "=I"),
    "rtt_us": (68, "=I"),
    "rttvar_us": (72, "=I"),
    "snd_cwnd": (80, "=I"),
    "total_retrans": (100, "=I"),
    "bytes_acked": (120, "=Q"),
    "bytes_received": (128, "=Q"),
    "segs_out": (136, "=I"),
    "segs_in": (140, "=I"),
    "notsent_bytes": (144, "=I"),
    "min_rtt_us": (148, "=I"),
    "delivery_rate": (160, "=Q"),
    "busy_time_us": (168, "=Q"),
    "rwnd_limited_us": (176, "=Q"),
    "sndbuf_limited_us": (184, "=Q"),
    "bytes_sent": (200, "=Q"),
    "bytes_retrans": (208, "=Q"),
    "rcv_ooopack": (224, "=I"),
}


@dataclass(frozen=True, slots=True)
class TcpInfo:
    """Times in µs, `delivery_rate` in bytes per second; bytes are TCP payload. None: this kernel does not tell.

    `bytes_sent` includes `bytes_retrans`; `busy_time_us` is how long there was something to send, of it
    `rwnd_limited_us` waiting for the receiver's window and `sndbuf_limited_us` for the sender's buffer.
    """

    rtt_us: int | None = None
    rttvar_us: int | None = None
    min_rtt_us: int | None = None
    lost: int | None = None
    snd_cwnd: int | None = None
    total_retrans: int | None = None
    segs_out: int | None = None
    segs_in: int | None = None
    notsent_bytes: int | None = None
    bytes_acked: int | None = None
    bytes_received: int | None = None
    bytes_sent: int | None = None
    bytes_retrans: int | None = None
    delivery_rate: int | None = None
    busy_time_us: int | None = None
    rwnd_limited_us: int | None = None
    sndbuf_limited_us: int | None = None
    rcv_ooopack: int | None = None  # segments that came after a gap


def tcp_info(sock: Any) -> TcpInfo | None:
    """Of a TCP socket (also asyncio's and uvloop's); None where the system does not tell, or the socket is closed."""
    if _OPTION is None:
        return None
    try:
        raw = sock.getsockopt(socket.IPPROTO_TCP, _OPTION, _SIZE)
    except (OSError, AttributeError, ValueError, TypeError):
        return None
    return parse(raw)


def parse(raw: bytes) -> TcpInfo:
    """Read the structure, of which an older kernel gives less."""
    found = {
        name: int(struct.unpack_from(kind, raw, offset)[0])
        for name, (offset, kind) in _OFFSETS.items()
        if offset + struct.calcsize(kind) <= len(raw)
    }
    if found.get("min_rtt_us") == _UNKNOWN_U32:
        del found["min_rtt_us"]
    if found.get("rtt_us") == 0:
        del found["rtt_us"]
    return TcpInfo(**found)


def can_send(sock: Any) -> bool:
    """Does the connection stand, in this direction at least? True where the system does not tell."""
    if _OPTION is None:
        return True
    try:
        state: bytes = sock.getsockopt(socket.IPPROTO_TCP, _OPTION, 1)
    except (OSError, AttributeError, ValueError, TypeError):
        return False
    return state[0] in (_ESTABLISHED, _CLOSE_WAIT)


def ask_cubic(sock: Any) -> str:
    """Ask for CUBIC (RFC 9438), which fills queues where BBR would hide them; the name of what the socket uses now."""
    if _CONGESTION is None:
        return ""
    with contextlib.suppress(OSError, AttributeError):
        sock.setsockopt(socket.IPPROTO_TCP, _CONGESTION, b"cubic")
    return congestion_control(sock)


def congestion_control(sock: Any) -> str:
    """The name that the kernel gives; empty: not known."""
    if _CONGESTION is None:
        return ""
    try:
        name: bytes = sock.getsockopt(socket.IPPROTO_TCP, _CONGESTION, 16)
    except (OSError, AttributeError, ValueError, TypeError):
        return ""
    return name.partition(b"\0")[0].decode("ascii", "replace")

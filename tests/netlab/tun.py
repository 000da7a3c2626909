"""A TUN device, and a tap that reads the kernel's own stamp of each packet that leaves through it."""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
import subprocess

from tests.netlab.config import Device
from tests.netlab.namespaces import TUN

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
ETH_P_ALL = 3
SO_ATTACH_FILTER = 26
SO_RCVBUFFORCE = 33
SO_TIMESTAMPNS = 35
MTU = 1500
RING = 2000  # packets that may wait for the relay
TAP_BUFFER = 32 << 20  # more than the ring can hold, so that the tap never loses what the ring keeps
READ_SIZE = 2048

# "only packets that leave": A = skb->pkt_type; keep the packet if it is PACKET_OUTGOING (4)
OUTGOING_ONLY = b"".join(
    struct.pack("HBBI", *step)
    for step in ((0x28, 0, 0, 0xFFFFF004), (0x15, 0, 1, 4), (0x06, 0, 0, 0xFFFF), (0x06, 0, 0, 0))
)


def open_tun(name: str) -> int:
    """A non-blocking descriptor; the device lives in the calling thread's namespace until it is closed."""
    fd = os.open(TUN, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    except OSError:
        os.close(fd)
        raise
    return fd


def configure(device: Device) -> None:
    """Addresses and routes, and none of the kernel's own chatter (link-local, MLD): it would count as traffic."""
    name = device.name
    lines = [f"link set dev {name} mtu {MTU} txqueuelen {RING} multicast off addrgenmode none"]
    lines += [f"addr add {a} dev {name}{' nodad' if ':' in a else ''}" for a in device.addresses]
    lines += [f"link set dev {name} up"]
    lines += [f"route add default via {device.gateway} dev {name} metric {device.metric}"] if device.gateway else []
    subprocess.run(["ip", "-batch", "-"], input="\n".join(lines), text=True, check=True, timeout=10)


class Tap:
    """Reads the stamps of what leaves through a device, in the order in which the TUN descriptor gives the packets.

    The kernel stamps a packet for the tap in the same call, and within a microsecond, of handing it to the
    device, where TX_SOFTWARE is taken; so the time does not depend on how soon the relay gets to read.
    """

    def __init__(self, device: str) -> None:
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
        program = ctypes.create_string_buffer(OUTGOING_ONLY, len(OUTGOING_ONLY))
        filter_ = struct.pack("HxxxxxxP", len(OUTGOING_ONLY) // 8, ctypes.addressof(program))
        self._socket.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, filter_)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._grow()
        self._socket.bind((device, ETH_P_ALL))

    def _grow(self) -> None:
        """SO_RCVBUFFORCE needs the first user namespace's CAP_NET_ADMIN; else what the system allows."""
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, TAP_BUFFER)
        except PermissionError:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, TAP_BUFFER)

    def stamp(self, packet: bytes) -> tuple[int | None, list[tuple[int, bytes]]]:
        """The packet's stamp (ns; None if the tap missed it), and those before it that the ring had no place for."""
        overrun: list[tuple[int, bytes]] = []
        while (seen := self._next()) is not None:
            if seen[1] == packet:
                return seen[0], overrun
            overrun.append(seen)
        return None, overrun

    def rest(self) -> list[tuple[int, bytes]]:
        """When the ring is empty: the packets (and their stamps, ns) that it had no place for."""
        return list(iter(self._next, None))

    def _next(self) -> tuple[int, bytes] | None:
        try:
            packet, extra, _, _ = self._socket.recvmsg(READ_SIZE, 64)
        except OSError:  # nothing there, or the device is down or gone
            return None
        seconds, nanoseconds = struct.unpack_from("qq", extra[0][2])
        return seconds * 1_000_000_000 + nanoseconds, packet

    def close(self) -> None:
        self._socket.close()

"""A socket that leaves by one link only, and the proof of it by the link's own counters.

Binding an address does not choose the way out; binding the device does. Linux: SO_BINDTODEVICE (unprivileged since
5.7). Windows: IP_UNICAST_IF. macOS: IP_BOUND_IF. Plain blocking calls, good in any thread.
"""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from reports.record import Counters, Link

IP_UNICAST_IF = IPV6_UNICAST_IF = 31  # Windows, ws2ipdef.h
IP_BOUND_IF, IPV6_BOUND_IF = 25, 125  # macOS, netinet/in.h
IPPROTO_IP, IPPROTO_IPV6 = 0, 41
PLATFORM: str = sys.platform  # a plain str, so that a type checker reads on
Factory = Callable[[tuple[Any, ...]], socket.socket]  # takes what getaddrinfo says of an address
DEVICE_COUNTERS = (Path("/proc/thread-self/net/dev"), Path("/proc/self/net/dev"))


class BindingError(OSError):
    """The socket could not be bound to the link; one line says why."""


def _option(platform: str, family: int, name: str) -> tuple[int, int, bytes]:
    """Level, option and value of the socket option that chooses the device."""
    v6 = family == socket.AF_INET6
    level = IPPROTO_IPV6 if v6 else IPPROTO_IP
    if platform == "win32":
        from .windows import interface_index

        # The IPv4 option takes the index in network byte order, the IPv6 option in the host's.
        return level, IP_UNICAST_IF, struct.pack("=I" if v6 else "!I", interface_index(name))
    if platform == "darwin":
        return level, IPV6_BOUND_IF if v6 else IP_BOUND_IF, struct.pack("=I", socket.if_nametoindex(name))
    return socket.SOL_SOCKET, 25, name.encode() + b"\0"  # SO_BINDTODEVICE, asm-generic/socket.h


def bind_to_link(sock: socket.socket, link: Link) -> None:
    """Let `sock` send and receive by the link's device only. Raises `BindingError`."""
    try:
        sock.setsockopt(*_option(PLATFORM, sock.family, link.name))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not possible"
        message = f"cannot bind to the link {link.name}: {reason}"
        raise BindingError(getattr(error, "errno", None) or 0, message) from error


def source_address(link: Link, family: int) -> str:
    """The link's first address of the family. Raises `BindingError` when it has none."""
    version = 6 if family == socket.AF_INET6 else 4
    for address in link.addresses:
        if ip_address(address).version == version:
            return address
    raise BindingError(0, f"the link {link.name} has no IPv{version} address")


def bound_socket(link: Link, family: int = socket.AF_INET, type_: int = socket.SOCK_DGRAM) -> socket.socket:
    """A new socket bound to the link's device and to its address, on a free port. Raises `BindingError`."""
    address = source_address(link, family)
    sock = socket.socket(family, type_)
    try:
        bind_to_link(sock, link)
        scope = (
            socket.if_nametoindex(link.name) if ip_address(address).is_link_local and family != socket.AF_INET else 0
        )
        sock.bind((address, 0, 0, scope) if family == socket.AF_INET6 else (address, 0))
    except BindingError:
        sock.close()
        raise
    except OSError as error:
        sock.close()
        raise BindingError(error.errno or 0, f"cannot send from the link {link.name}: {error.strerror}") from error
    return sock


def socket_factory(link: Link | None, prepare: Callable[[socket.socket], object] = lambda _: None) -> Factory:
    """For aiohttp: makes sockets that leave by the link (None: any), each given to `prepare` before it connects."""

    def make(info: tuple[Any, ...]) -> socket.socket:
        sock = socket.socket(*info[:3])
        try:
            sock.setblocking(False)
            if link is not None:
                bind_to_link(sock, link)
            prepare(sock)
        except OSError:
            sock.close()
            raise
        return sock

    return make


def parse_device_counters(content: str, name: str) -> Counters | None:
    """One device's row of /proc/net/dev; None when it is not there."""
    for line in content.splitlines():
        device, colon, rest = line.rpartition(":")
        if colon and device.strip() == name:
            fields = rest.split()
            if len(fields) >= 10 and all(f.isdecimal() for f in fields):
                n = [int(f) for f in fields]
                return Counters(sent_bytes=n[8], received_bytes=n[0], sent_packets=n[9], received_packets=n[1])
    return None


def _psutil_counters(name: str) -> Counters | None:
    import psutil

    found = psutil.net_io_counters(pernic=True, nowrap=True).get(name)
    if found is None:
        return None
    return Counters(found.bytes_sent, found.bytes_recv, found.packets_sent, found.packets_recv)


def counters(name: str) -> Counters | None:
    """The device's counters now; None when it is gone. On Linux one small read, right in every namespace."""
    if not PLATFORM.startswith("linux"):
        return _psutil_counters(name)
    for path in DEVICE_COUNTERS:
        try:
            return parse_device_counters(path.read_text(), name)
        except OSError:
            continue
    return None


class Passage:
    """What has passed a link since this was made: `delta().sent_packets` below what was sent means a bypass.

    `delta()` is None when the link has vanished (or came back with counters set to nothing).
    """

    def __init__(self, link: Link) -> None:
        self.name = link.name
        self.before = counters(link.name)

    def delta(self) -> Counters | None:
        """Bytes and packets since the start."""
        now = counters(self.name)
        if self.before is None or now is None:
            return None
        then = self.before
        change = Counters(
            now.sent_bytes - then.sent_bytes,
            now.received_bytes - then.received_bytes,
            now.sent_packets - then.sent_packets,
            now.received_packets - then.received_packets,
        )
        return None if change.sent_packets < 0 or change.received_packets < 0 else change

    def bypassed(self, packets: int) -> bool | None:
        """Did fewer packets leave by the link than were sent? None: its counters cannot say."""
        change = self.delta()
        return None if change is None else change.sent_packets < packets

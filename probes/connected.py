"""A UDP socket to the room's reflector that leaves by one link."""

from __future__ import annotations

import socket

from probes.links.binding import bound_socket
from probes.session import ProbeFailure
from reports.record import Link


def connected(link: Link | None, address: tuple[str, int]) -> socket.socket:
    """The caller closes it. None: this computer's loopback. ProbeFailure: no route; BindingError: not by this link."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    sock = bound_socket(link, family, socket.SOCK_DGRAM) if link else socket.socket(family, socket.SOCK_DGRAM)
    try:
        sock.connect(address)
    except OSError:
        sock.close()
        raise ProbeFailure("room_unreachable", "no route by this link") from None
    return sock

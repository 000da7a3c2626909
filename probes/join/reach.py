"""The first of several addresses that accepts a TCP connection, by one link.

They are tried as RFC 8305 says: the families in turn, the next when one has failed or STAGGER_S later.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import time
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, Literal, cast

from probes.links.binding import BindingError, bind_to_link
from probes.session import ProbeFailure
from processes.tasks import end

if TYPE_CHECKING:
    from reports.record import Link

STAGGER_S = 0.25  # RFC 8305, section 8: Connection Attempt Delay
MOST_ADDRESSES = 6

Kind = Literal["refused", "unreachable", "silent", "proxy_refused", "proxy_unreachable"]
CODES: dict[Kind, str] = {
    "refused": "tcp_refused",
    "unreachable": "tcp_unreachable",
    "silent": "tcp_timeout",
    "proxy_refused": "proxy_refused",
    "proxy_unreachable": "proxy_unreachable",
}
TELLING: tuple[Kind, ...] = ("refused", "unreachable", "silent")  # the one that says most, first
_UNREACHABLE = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EACCES, errno.EPERM, errno.ENETDOWN, errno.EADDRNOTAVAIL}
_UNREACHABLE_WINDOWS = {1231, 1232}  # ERROR_NETWORK_UNREACHABLE, ERROR_HOST_UNREACHABLE


class DialError(Exception):
    """There is no connection. `detail` holds no address."""

    def __init__(self, kind: Kind, detail: str = "") -> None:
        super().__init__(kind)
        self.kind, self.detail = kind, detail


def family(address: str) -> socket.AddressFamily:
    """AF_INET or AF_INET6."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def goes(link: Link, address: str) -> bool:
    """Has the link an address that would be used with this one (RFC 6724), and a way to it? Sends nothing."""
    target = ip_address(address.partition("%")[0])
    own = (ip_address(a.partition("%")[0]) for a in link.addresses)
    return any(_matches(a, target) for a in own) and _routed(link, address)


def _matches(own: IPv4Address | IPv6Address, target: IPv4Address | IPv6Address) -> bool:
    """A link-local or unique local IPv6 address is no way to the internet; a private IPv4 address is, by NAT."""
    if own.version != target.version:
        return False
    local = own.is_link_local, own.is_private
    return own.version == 4 or local == (target.is_link_local, target.is_private) or not own.is_private


def _routed(link: Link, address: str) -> bool:
    """For IPv6; a socket that is bound to a device takes any IPv4 address for a neighbour (Linux)."""
    try:
        with socket.socket(family(address), socket.SOCK_DGRAM) as sock:
            bind_to_link(sock, link)
            sock.connect(_end(link, address, 443))
            return True
    except BindingError:
        return True  # connecting will tell
    except OSError:
        return False


def _end(link: Link, address: str, port: int) -> tuple[str, int] | tuple[str, int, int, int]:
    if ":" not in address:
        return address, port
    bare = address.partition("%")[0]
    return bare, port, 0, socket.if_nametoindex(link.name) if ip_address(bare).is_link_local else 0


def in_turn(found: Sequence[str]) -> list[str]:
    """The families by turns, beginning with that of the first (RFC 8305, section 4)."""
    by_family = [[a for a in found if family(a) is f] for f in dict.fromkeys(map(family, found))]
    longest = max(map(len, by_family), default=0)
    return [group[i] for i in range(longest) for group in by_family if i < len(group)]


# ---- connecting -------------------------------------------------------------------------------------------------


async def reach(link: Link, found: Sequence[str], port: int, until: float) -> socket.socket:
    """The first of these addresses that accepts. DialError: none does; of their reasons the one that says most."""
    waiting, trying, kinds = in_turn(found)[:MOST_ADDRESSES], set[asyncio.Task[socket.socket]](), list[Kind]()
    try:
        while (waiting or trying) and (left := until - time.monotonic()) > 0:
            if waiting:
                trying.add(asyncio.create_task(_one(link, waiting.pop(0), port)))
            patience = min(STAGGER_S, left) if waiting else left
            done, trying = await asyncio.wait(trying, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            if (connected := _winner(done, kinds)) is not None:
                return connected
    finally:
        await _drop(trying)
    kinds += ["silent"] * bool(waiting or trying)
    raise DialError(next((k for k in TELLING if k in kinds), "unreachable"), "" if kinds else "no way to its addresses")


def _winner(done: set[asyncio.Task[socket.socket]], kinds: list[Kind]) -> socket.socket | None:
    """The first that is connected; why the others are not goes into `kinds`."""
    connected = [task.result() for task in done if task.exception() is None]
    for spare in connected[1:]:
        spare.close()
    if connected:
        return connected[0]
    for error in (task.exception() for task in done):
        if not isinstance(error, DialError):
            raise cast("BaseException", error)
        kinds.append(error.kind)
    return None


async def _drop(tasks: set[asyncio.Task[socket.socket]]) -> None:
    for ended in await end(*tasks):
        if isinstance(ended, socket.socket):
            ended.close()


async def _one(link: Link, address: str, port: int) -> socket.socket:
    sock = socket.socket(family(address), socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        bind_to_link(sock, link)
        await asyncio.get_running_loop().sock_connect(sock, _end(link, address, port))
    except BindingError as error:
        sock.close()
        raise ProbeFailure("link_vanished" if error.errno == errno.ENODEV else "link_not_bound") from None
    except OSError as error:
        sock.close()
        raise DialError(kind_of(error)) from None
    except BaseException:
        sock.close()
        raise
    return sock


def kind_of(error: OSError) -> Kind:
    """Why a connection attempt failed."""
    if isinstance(error, TimeoutError):
        return "silent"
    if error.errno in _UNREACHABLE or getattr(error, "winerror", None) in _UNREACHABLE_WINDOWS:
        return "unreachable"
    return "refused"  # and reset, which a firewall sends in the host's name

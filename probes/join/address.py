"""address: has this computer an address on the link, and does a way out lead by it? Nothing is sent for the answer.

A socket that is bound to a device treats everything as its neighbour where no IPv4 route leads by it (Linux), so the
link's routers are looked at too. Without a router those on the same network can be reached all the same.
"""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address
from typing import TYPE_CHECKING

from probes.join.hosts import hosts
from probes.join.lookup import first_addresses
from probes.links.binding import BindingError, bound_socket

if TYPE_CHECKING:
    from collections.abc import Iterator

    from probes.join.errand import Errand
    from reports.record import Link

FAR = {4: "198.41.0.4", 6: "2001:503:ba3e::2:30"}  # a root name server: far from everybody; it is sent nothing
FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}
PORT = 443
LOOKUP_S = 0.5  # only where there is no router


async def step(errand: Errand) -> None:
    """Fails with link_no_address or no_route. Fact `ways`: the IP versions with a way out."""
    link, facts = errand.link, errand.m.facts
    if not link.usable:
        raise errand.fail("link_no_address", "" if link.carrier is not False else "it is not connected")
    ways = ways_out(link)
    facts["ways"] = tuple(f"ipv{version}" for version in sorted(ways))
    if ways:
        return
    facts["same_network"] = await _neighbours(errand)
    if not facts["same_network"]:
        own = any(own_versions(link))
        raise errand.fail("no_route", "no router is known" if own else "it has only an address that it gave itself")


def ways_out(link: Link) -> frozenset[int]:
    """The IP versions (4, 6) by which the link leads out."""
    return frozenset(v for v in own_versions(link) if _routed(link, v) and _allowed(link, v))


def own_versions(link: Link) -> Iterator[int]:
    """The IP versions of which the link has an address that is good beyond its own wire."""
    own = [ip_address(a.partition("%")[0]) for a in link.addresses]
    return (v for v in (4, 6) if any(a.version == v and not a.is_link_local for a in own))


def _routed(link: Link, version: int) -> bool:
    """A default route of this version. One without a router, as of a tunnel, does not say which version it is for."""
    if (link.gateway if version == 4 else link.gateway_v6) is not None:
        return True
    return not (link.gateway or link.gateway_v6) and (link.route_metric is not None or link.is_default)


def _allowed(link: Link, version: int) -> bool:
    """Would the system send to a far address by this link? Connecting UDP sends nothing."""
    try:
        with bound_socket(link, FAMILIES[version]) as sock:
            sock.connect((FAR[version], PORT))
            return True
    except BindingError:
        return False
    except OSError:
        return False


def leads(link: Link, target: str) -> bool:
    """Does the system itself go to this address by this link? Whatever rules and routes there are."""
    bare = target.partition("%")[0]
    try:
        with socket.socket(FAMILIES[ip_address(bare).version], socket.SOCK_DGRAM) as sock:
            sock.connect((bare, PORT))
            return str(sock.getsockname()[0]).partition("%")[0] in link.addresses
    except (OSError, ValueError):
        return False


async def _neighbours(errand: Errand) -> bool:
    """Is the portal or the room, or the proxy that leads to them, reached by this link although no router is known?"""
    from probes.join.proxy import configured

    link, proxy = errand.link, configured().proxy
    wanted = [n.host for n in hosts(errand.session) if n.vital or n.role == "room"]
    wanted += [proxy.host] if proxy is not None else []
    seconds = min(LOOKUP_S, errand.left - 0.05)
    found = await asyncio.gather(*(first_addresses(link, host, seconds) for host in wanted))
    return any(leads(link, address) for addresses in found for address in addresses)

"""Linux: devices, addresses and routes by rtnetlink (pyroute2), as plain dataclasses.

Netlink answers for the namespace of the process, which files under /sys do not always do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from reports.record import Counters

IPV4, IPV6 = 2, 10
MAIN_TABLE, UNICAST = 254, 1
IFF_UP = 0x1
TENTATIVE, DAD_FAILED = 0x40, 0x08
SCOPE_HOST, SCOPE_LINK = 254, 253
# Looking up a route sends nothing: these are documentation addresses (RFC 5737, RFC 3849).
FAR_AWAY = {IPV4: "198.51.100.1", IPV6: "2001:db8:ffff::1"}


class Message(Protocol):
    """What is used of a pyroute2 message."""

    def get_attr(self, name: str) -> Any:
        """A netlink attribute, or None."""

    def get(self, name: str) -> Any:
        """A field of the message's head, or None."""


@dataclass(frozen=True, slots=True)
class Device:
    """One RTM_NEWLINK."""

    index: int
    name: str
    arp_type: int | None = None
    up: bool = False
    carrier: bool | None = None
    mtu: int | None = None
    software: str = ""
    mac: str = ""
    parent: str = ""  # name on its bus
    parent_bus: str = ""
    master: int | None = None
    lower: int | None = None
    counters: Counters | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """One RTM_NEWADDR."""

    index: int
    text: str
    prefix_length: int
    local: bool  # valid on this link only


@dataclass(frozen=True, slots=True)
class Route:
    """One way of one RTM_NEWROUTE of the main table."""

    index: int
    family: int
    gateway: str | None
    metric: int
    length: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All of it at one moment. `default_index`: the device that a far address is reached by."""

    devices: tuple[Device, ...] = ()
    addresses: tuple[Address, ...] = ()
    routes: tuple[Route, ...] = ()
    default_index: int | None = None
    names: Mapping[int, str] = field(default_factory=dict)


def counters_of(stats: Mapping[str, int] | None) -> Counters | None:
    """IFLA_STATS64 as counters."""
    if not stats:
        return None
    return Counters(stats["tx_bytes"], stats["rx_bytes"], stats["tx_packets"], stats["rx_packets"])


def device_of(message: Message) -> Device:
    """A link message as a device. A device that is down has no carrier to speak of: False."""
    info = message.get_attr("IFLA_LINKINFO")
    carrier, up = message.get_attr("IFLA_CARRIER"), bool((message.get("flags") or 0) & IFF_UP)
    return Device(
        index=message.get("index"),
        name=message.get_attr("IFLA_IFNAME"),
        arp_type=message.get("ifi_type"),
        up=up,
        carrier=False if not up else None if carrier is None else bool(carrier),
        mtu=message.get_attr("IFLA_MTU"),
        software=(info.get_attr("IFLA_INFO_KIND") or "") if info else "",
        mac=message.get_attr("IFLA_ADDRESS") or "",
        parent=message.get_attr("IFLA_PARENT_DEV_NAME") or "",
        parent_bus=message.get_attr("IFLA_PARENT_DEV_BUS_NAME") or "",
        master=message.get_attr("IFLA_MASTER"),
        lower=message.get_attr("IFLA_LINK"),
        counters=counters_of(message.get_attr("IFLA_STATS64")),
    )


def address_of(message: Message) -> Address | None:
    """An address message; None for one that cannot be sent from (yet)."""
    flags = message.get_attr("IFA_FLAGS") or message.get("flags") or 0
    text = message.get_attr("IFA_LOCAL") or message.get_attr("IFA_ADDRESS")
    if not text or flags & (TENTATIVE | DAD_FAILED):
        return None
    local = message.get("family") == IPV6 and message.get("scope") == SCOPE_LINK
    return Address(message.get("index"), text, message.get("prefixlen"), local)


def routes_of(message: Message) -> Iterable[Route]:
    """A route message; one with several next hops gives several."""
    if message.get("type") != UNICAST:
        return
    family, length = message.get("family"), message.get("dst_len")
    metric = message.get_attr("RTA_PRIORITY") or 0
    if (index := message.get_attr("RTA_OIF")) is not None:
        yield Route(index, family, message.get_attr("RTA_GATEWAY"), metric, length)
    for hop in message.get_attr("RTA_MULTIPATH") or ():
        yield Route(hop.get("oif"), family, hop.get_attr("RTA_GATEWAY"), metric, length)


def warm_up() -> None:
    """Pay for the import before a deadline runs."""
    import pyroute2  # noqa: F401


async def messages(answer: Any) -> list[Any]:
    """All messages of an answer, which pyroute2 gives now as a list, now as an asynchronous generator."""
    result = await answer
    return list(result) if isinstance(result, list | tuple) else [message async for message in result]


async def _default_index(ip: Any) -> int | None:
    """The device by which a far address is reached, policy routing included."""
    from pyroute2.netlink.exceptions import NetlinkError

    for family, destination in FAR_AWAY.items():
        try:
            found = await messages(ip.route("get", dst=destination, family=family))
        except (NetlinkError, OSError):
            continue
        if found and (index := found[0].get_attr("RTA_OIF")) is not None:
            return int(index)
    return None


async def snapshot() -> Snapshot:
    """Ask the kernel. Raises `OSError` when it does not speak rtnetlink."""
    from pyroute2.netlink.exceptions import NetlinkError

    try:
        return await _snapshot()
    except NetlinkError as error:
        raise OSError(error.code, "rtnetlink does not answer") from error


async def _snapshot() -> Snapshot:
    from pyroute2 import AsyncIPRoute

    async with AsyncIPRoute() as ip:
        devices = tuple(device_of(m) for m in await messages(ip.get_links()))
        addresses = [address_of(m) for m in await messages(ip.get_addr())]
        found = await messages(ip.get_routes(table=MAIN_TABLE))
        default = await _default_index(ip)
    routes = tuple(route for m in found for route in routes_of(m))
    return Snapshot(devices, tuple(a for a in addresses if a), routes, default, {d.index: d.name for d in devices})


def default_routes(routes: Sequence[Route], index: int, family: int) -> list[Route]:
    """Default routes by this device, best first. Two halves (length 1), as VPN programs make, count as one."""
    own = [r for r in routes if r.index == index and r.family == family and r.length <= 1]
    return sorted(own, key=lambda r: (-r.length, r.metric))

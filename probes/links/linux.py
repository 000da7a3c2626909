"""Linux: links by rtnetlink, /sys, nl80211, lease files and D-Bus. No privileges needed, nothing is started."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from reports.record import Link

from . import dhcp, networkmanager, resolvers, rtnl, sysfs, wifi_linux
from .clues import Clues, Draft, draft_link
from .networkmanager import Managed
from .rtnl import Device, Snapshot
from .sysfs import Description
from .system_bus import NoAnswerError, system_bus

if TYPE_CHECKING:
    from dbus_fast.aio import MessageBus

KERNEL_DEADLINE_S = 0.8
RADIO_DEADLINE_S = 0.6
BUS_DEADLINE_S = 0.3
BUS_SOCKET = Path("/run/dbus/system_bus_socket")
LOCAL_BIT = 0x02  # of a hardware address' first byte (IEEE 802)


@dataclass(slots=True)
class Extras:
    """What other sources know, by interface index. A source that is slow or missing leaves its part empty."""

    radios: dict[int, wifi_linux.Radio] = field(default_factory=dict)
    managed: dict[int, Managed] = field(default_factory=dict)
    resolved: dict[int, tuple[str, ...]] = field(default_factory=dict)
    leases: list[dhcp.Lease] = field(default_factory=list)


def warm_up() -> None:
    """Pay for imports before a deadline runs."""
    rtnl.warm_up()
    if BUS_SOCKET.exists():
        import dbus_fast.aio  # noqa: F401


def _local_mac(mac: str) -> bool | None:
    try:
        first = int(mac.partition(":")[0], 16)
    except ValueError:
        return None
    return bool(first & LOCAL_BIT) if mac.strip("0:") else None


def _addresses(snap: Snapshot, index: int) -> tuple[str, ...]:
    own = [a for a in snap.addresses if a.index == index]
    wide = [a.text for a in own if not a.local]
    return tuple(wide or [a.text for a in own])


def _gateway(snap: Snapshot, index: int, family: int) -> str | None:
    routes = rtnl.default_routes(snap.routes, index, family)
    return next((r.gateway for r in routes if r.gateway), None)


def _metric(snap: Snapshot, index: int) -> int | None:
    for family in (rtnl.IPV4, rtnl.IPV6):
        if routes := rtnl.default_routes(snap.routes, index, family):
            return min(r.metric for r in routes)
    return None


def _below(device: Device, seen: Description, snap: Snapshot) -> tuple[str, ...]:
    """Devices it stands on. A veth's IFLA_LINK is its other end, which carries nothing."""
    lower = snap.names.get(device.lower) if device.lower and device.software != "veth" else None
    return tuple(dict.fromkeys([*([lower] if lower and lower != device.name else []), *seen.below]))


def _clues(device: Device, seen: Description, snap: Snapshot, extras: Extras) -> Clues:
    managed = extras.managed.get(device.index, Managed())
    own = _addresses(snap, device.index)
    lease = dhcp.networkd_lease(device.index) if seen.own else None
    lease = lease if lease and lease.address in own else dhcp.lease_for(device.name, own, extras.leases)
    return Clues(
        name=device.name,
        type_word=seen.type_word,
        software=device.software,
        arp_type=device.arp_type,
        driver=seen.driver,
        bus=seen.bus,
        physical=seen.physical,
        wireless=seen.wireless,
        radio_role=extras.radios.get(device.index, wifi_linux.Radio()).role,
        usb=seen.usb,
        local_mac=_local_mac(device.mac),
        duplex=seen.duplex,
        prefixes=tuple(f"{a.text}/{a.prefix_length}" for a in snap.addresses if a.index == device.index),
        gateway=_gateway(snap, device.index, rtnl.IPV4),
        dhcp_metered=True if (lease and lease.metered) or managed.dhcp_metered else None,
        nm_metered=managed.metered,
        default_route=_metric(snap, device.index) is not None,
        master=snap.names.get(device.master, "") if device.master else "",
        below=_below(device, seen, snap),
    )


def _resolvers(device: Device, own: tuple[str, ...], snap: Snapshot, extras: Extras) -> tuple[str, ...]:
    """The link's own; the computer's only for the default link, since nobody says whose they are."""
    lease = dhcp.lease_for(device.name, own, extras.leases)
    managed = extras.managed.get(device.index, Managed())
    found = (
        extras.resolved.get(device.index, ()) or managed.resolvers or resolvers.from_state_files(device.index)
        or (lease.resolvers if lease else ())
    )  # fmt: skip
    return found or (resolvers.from_resolv_conf() if device.index == snap.default_index else ())


def _link(device: Device, seen: Description, snap: Snapshot, extras: Extras) -> Link:
    own = _addresses(snap, device.index)
    wifi = extras.radios.get(device.index, wifi_linux.Radio()).wifi
    return replace(
        draft_link(device.name),
        carrier=device.carrier,
        addresses=own,
        gateway=_gateway(snap, device.index, rtnl.IPV4),
        gateway_v6=_gateway(snap, device.index, rtnl.IPV6),
        resolvers=_resolvers(device, own, snap, extras),
        mtu_bytes=device.mtu,
        driver=seen.driver or None,
        rate_bytes_per_second=wifi.tx_rate_bytes_per_second if wifi else seen.rate_bytes_per_second,
        duplex=seen.duplex,
        route_metric=_metric(snap, device.index),
        is_default=device.index == snap.default_index,
        wifi=wifi,
        counters=device.counters,
    )


def _peer_routes(snap: Snapshot) -> list[str]:
    """Links with a route by a gateway to one single host: how VPN programs keep the way to their server."""
    whole = {rtnl.IPV4: 32, rtnl.IPV6: 128}
    lone = [r for r in snap.routes if r.gateway and r.length == whole.get(r.family)]
    return [snap.names[r.index] for r in lone if r.index in snap.names]


async def _by_bus(bus: MessageBus, device: Device, extras: Extras) -> None:
    with suppress(NoAnswerError):
        extras.resolved[device.index] = await resolvers.from_resolved(bus, device.index)
    with suppress(NoAnswerError):
        extras.managed[device.index] = await networkmanager.ask(bus, device.name, device.mac)


async def _ask_bus(devices: Sequence[Device], extras: Extras) -> None:
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(BUS_DEADLINE_S), system_bus() as bus:
            await asyncio.gather(*(_by_bus(bus, device, extras) for device in devices))


async def _ask_radios(indices: Sequence[int], extras: Extras) -> None:
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(RADIO_DEADLINE_S):
            extras.radios = await wifi_linux.radios(indices)


async def _extras(snap: Snapshot, seen: dict[int, Description]) -> Extras:
    """Services are asked of devices with an address only; they cannot know of another namespace's."""
    extras = Extras(leases=list(dhcp.leases()))
    addressed = {a.index for a in snap.addresses if not ip_address(a.text).is_loopback}
    ours = [d for d in snap.devices if d.index in addressed and seen[d.index].own]
    radios = [d.index for d in snap.devices if seen[d.index].wireless]
    await asyncio.gather(
        *([_ask_bus(ours, extras)] if ours else []), *([_ask_radios(radios, extras)] if radios else [])
    )
    return extras


async def collect() -> tuple[tuple[Draft, ...], list[str]]:
    """Drafts of all links, and the names of those with a route to a single far host."""
    async with asyncio.timeout(KERNEL_DEADLINE_S):
        snap = await rtnl.snapshot()
    seen = {d.index: sysfs.describe(d.name, d.index, d.mac, (d.parent, d.parent_bus)) for d in snap.devices}
    extras = await _extras(snap, seen)
    drafts = tuple(
        Draft(_clues(d, seen[d.index], snap, extras), _link(d, seen[d.index], snap, extras)) for d in snap.devices
    )
    return drafts, _peer_routes(snap)

"""Windows: links by GetAdaptersAddresses and GetIfEntry2; the radio by the WLAN API; hardware by the registry.

Reading (`read`) is apart from understanding (`drafts`), so that the latter is tested anywhere. The structures are
those of iptypes.h and netioapi.h; their sizes are tested for the 64-bit layout. No command's output is parsed.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from reports.record import Counters, Wifi

from .clues import Clues, Draft, UsbFunction, UsbIdentity, draft_link

# IANA ifType (ipifcons.h) and NDIS_PHYSICAL_MEDIUM (ntddndis.h)
IF_TYPES = {23: "ppp", 24: "loopback", 71: "wifi", 131: "tunnel", 243: "wwan", 244: "wwan", 6: "ethernet"}
MEDIA = {1: "wifi", 8: "wwan", 9: "wifi", 10: "bluetooth"}
OPER_UP = 1
PLATFORM: str = sys.platform  # a plain str, so that a type checker reads on
HARDWARE = 0x01  # InterfaceAndOperStatusFlags.HardwareInterface
UNKNOWN_RATE = 2**64 - 1
USB_ID = re.compile(r"USB\\VID_([0-9A-F]{4})&PID_([0-9A-F]{4})", re.I)
USB_CLASS = re.compile(r"USB\\Class_([0-9A-F]{2})&SubClass_([0-9A-F]{2})&Prot_([0-9A-F]{2})", re.I)
BUSES = {"USB": "usb", "PCI": "pci", "BTH": "bluetooth", "VMBUS": "vmbus", "ROOT": "", "SWD": ""}


@dataclass(frozen=True, slots=True)
class Hardware:
    """What the registry holds of an adapter's device."""

    instance_id: str = ""
    service: str = ""
    compatible_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Adapter:
    """One adapter as Windows tells of it. Rates in bits per second; `metric` None: no default route."""

    name: str
    description: str = ""
    if_type: int = 0
    medium: int = 0
    flags: int = 0
    oper_status: int = 0
    mtu: int | None = None
    mac: bytes = b""
    prefixes: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()
    resolvers: tuple[str, ...] = ()
    metric: int | None = None
    is_default: bool = False
    transmit_rate: int | None = None
    counters: Counters | None = None
    hardware: Hardware = Hardware()
    wifi: Wifi | None = None


def warm_up() -> None:
    """Nothing heavy is imported."""


def usb_identity(hardware: Hardware) -> UsbIdentity | None:
    """From a device instance id such as USB\\VID_18D1&PID_4EEB&MI_00\\… and the compatible ids of its interface."""
    found = USB_ID.match(hardware.instance_id)
    if not found:
        return None
    classes = [m for text in hardware.compatible_ids if (m := USB_CLASS.match(text))]
    function: UsbFunction | None = None
    if classes:
        a, b, c = (int(part, 16) for part in classes[0].groups())
        function = (a, b, c)
    return UsbIdentity(int(found[1], 16), int(found[2], 16), function=function)


def _clues(adapter: Adapter) -> Clues:
    enumerator = adapter.hardware.instance_id.partition("\\")[0].upper()
    medium = MEDIA.get(adapter.medium) or IF_TYPES.get(adapter.if_type, "")
    return Clues(
        name=adapter.name,
        medium=medium,
        driver=adapter.hardware.service,
        bus=next((bus for start, bus in BUSES.items() if enumerator.startswith(start)), ""),
        label=adapter.description,
        physical=bool(adapter.flags & HARDWARE),
        wireless=medium == "wifi",
        usb=usb_identity(adapter.hardware),
        local_mac=bool(adapter.mac[0] & 0x02) if adapter.mac else None,
        prefixes=adapter.prefixes,
        gateway=_gateway(adapter, ":", present=False),
        default_route=adapter.metric is not None,
    )


def _gateway(adapter: Adapter, mark: str, *, present: bool) -> str | None:
    return next((g for g in adapter.gateways if (mark in g) is present), None)


def _addresses(prefixes: Sequence[str]) -> tuple[str, ...]:
    own = [p.partition("/")[0] for p in prefixes]
    wide = [a for a in own if not a.lower().startswith(("fe80:", "169.254."))]
    return tuple(wide or own)


def draft(adapter: Adapter) -> Draft:
    """One adapter as a draft."""
    rate = adapter.transmit_rate
    link = replace(
        draft_link(adapter.name),
        carrier=adapter.oper_status == OPER_UP if adapter.oper_status else None,
        addresses=_addresses(adapter.prefixes),
        gateway=_gateway(adapter, ":", present=False),
        gateway_v6=_gateway(adapter, ":", present=True),
        resolvers=adapter.resolvers,
        mtu_bytes=adapter.mtu,
        driver=adapter.hardware.service or None,
        rate_bytes_per_second=rate / 8 if rate and rate != UNKNOWN_RATE else None,
        route_metric=adapter.metric,
        is_default=adapter.is_default,
        wifi=adapter.wifi,
        counters=adapter.counters,
    )
    return Draft(_clues(adapter), link)


def drafts(adapters: Sequence[Adapter]) -> tuple[Draft, ...]:
    """All adapters; of two with one name the first."""
    return tuple({a.name: draft(a) for a in reversed(adapters)}.values())[::-1]


async def collect() -> tuple[tuple[Draft, ...], list[str]]:
    """Drafts of all links. Raises `OSError` when the system call fails."""
    import asyncio

    from .windows_calls import read

    return drafts(await asyncio.to_thread(read)), []


def interface_index(name: str) -> int:
    """The index of a connection by the name that Windows shows. Raises `OSError`."""
    if PLATFORM != "win32":
        raise OSError("this is not Windows")
    from .windows_calls import index_by_alias

    return index_by_alias(name)


def registry_hardware(guid: str, registry: Any) -> Hardware:
    """The device behind an adapter; `registry` is the module winreg, or one that answers as it does."""
    network = r"SYSTEM\CurrentControlSet\Control\Network\{4D36E972-E325-11CE-BFC1-08002BE10318}"
    instance = _value(registry, rf"{network}\{guid}\Connection", "PnpInstanceID")
    if not isinstance(instance, str):
        return Hardware()
    device = rf"SYSTEM\CurrentControlSet\Enum\{instance}"
    service, compatible = _value(registry, device, "Service"), _value(registry, device, "CompatibleIDs")
    ids = tuple(compatible) if isinstance(compatible, list | tuple) else ()
    return Hardware(instance, service if isinstance(service, str) else "", ids)


def _value(registry: Any, key: str, name: str) -> object:
    try:
        with registry.OpenKey(registry.HKEY_LOCAL_MACHINE, key) as opened:
            return registry.QueryValueEx(opened, name)[0]
    except OSError:
        return None

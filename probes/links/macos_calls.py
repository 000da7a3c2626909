"""macOS: the system calls. Written by the documentation and not yet run on macOS; see docs/platforms.md."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Any

from .macos import Raw

STORE_PATTERNS = (
    "State:/Network/Global/IPv[46]",
    "State:/Network/Service/[^/]+/(IPv4|IPv6|DNS|DHCP)",
    "State:/Network/Interface/[^/]+/Link",
)


def plain(value: Any) -> Any:
    """Cocoa's mappings, arrays and data as Python's own."""
    if isinstance(value, Mapping) or hasattr(value, "allKeys"):
        return {str(key): plain(value[key]) for key in value}
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if isinstance(value, str | bool | int | float) or value is None:
        return value
    return [plain(item) for item in value] if hasattr(value, "__iter__") else str(value)


def _interfaces(configuration: Any) -> Iterator[dict[str, Any]]:
    for interface in configuration.SCNetworkInterfaceCopyAll() or ():
        yield {
            "name": configuration.SCNetworkInterfaceGetBSDName(interface),
            "type": configuration.SCNetworkInterfaceGetInterfaceType(interface),
            "label": configuration.SCNetworkInterfaceGetLocalizedDisplayName(interface),
            "mac": configuration.SCNetworkInterfaceGetHardwareAddressString(interface),
        }


def _store(configuration: Any) -> dict[str, dict[str, Any]]:
    store = configuration.SCDynamicStoreCreate(None, "motesklar", None, None)
    found = configuration.SCDynamicStoreCopyMultiple(store, None, STORE_PATTERNS) or {}
    return {str(key): plain(found[key]) for key in found}


def _wifi() -> dict[str, dict[str, Any]]:
    try:
        import CoreWLAN
    except ImportError:
        return {}
    found: dict[str, dict[str, Any]] = {}
    for interface in CoreWLAN.CWWiFiClient.sharedWiFiClient().interfaces() or ():
        channel = interface.wlanChannel()
        found[str(interface.interfaceName())] = {
            "rssi": int(interface.rssiValue()),
            "rate": float(interface.transmitRate()),
            "channel": int(channel.channelNumber()) if channel else None,
            "band": int(channel.channelBand()) if channel else 0,
            "width": int(channel.channelWidth()) if channel else 0,
        }
    return found


def prefix_length(netmask: str | None, *, longest: int) -> int:
    """The length of a netmask such as 255.255.255.240 or ffff:ffff::; `longest` where there is none."""
    try:
        return int(ip_address(netmask or "")).bit_count()
    except ValueError:
        return longest


def _addresses() -> dict[str, list[str]]:
    import psutil

    lengths = {socket.AF_INET: 32, socket.AF_INET6: 128}
    return {
        name: [f"{a.address}/{prefix_length(a.netmask, longest=lengths[a.family])}" for a in own if a.family in lengths]
        for name, own in psutil.net_if_addrs().items()
    }


def read() -> Raw:
    """Everything at once. Raises `OSError` without SystemConfiguration."""
    import psutil

    try:
        import SystemConfiguration
    except ImportError as error:
        raise OSError("SystemConfiguration is not there") from error
    stats = {name: {"up": s.isup, "mtu": s.mtu or None} for name, s in psutil.net_if_stats().items()}
    numbers = psutil.net_io_counters(pernic=True)
    return Raw(
        interfaces=list(_interfaces(SystemConfiguration)),
        store=_store(SystemConfiguration),
        wifi=_wifi(),
        addresses=_addresses(),
        stats=stats,
        counters={n: (c.bytes_sent, c.bytes_recv, c.packets_sent, c.packets_recv) for n, c in numbers.items()},
    )

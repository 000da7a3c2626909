"""Windows: structures of iptypes.h, netioapi.h, ws2def.h and wlanapi.h as ctypes sees them, and how to walk them.

Sizes and offsets are those of the 64-bit layout (natural alignment); a test holds them. They can be made, and walked,
on every platform.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from ctypes import c_char, c_int32, c_ubyte, c_uint8, c_uint16, c_uint32, c_uint64, c_void_p
from ipaddress import ip_address
from typing import Any

AF_INET, AF_INET6 = 2, 23
WCHAR = c_uint16  # ctypes.c_wchar is four bytes elsewhere


class Guid(ctypes.Structure):
    """GUID."""

    _fields_ = (("data1", c_uint32), ("data2", c_uint16), ("data3", c_uint16), ("data4", c_ubyte * 8))


class SocketAddress(ctypes.Structure):
    """SOCKET_ADDRESS: a pointer to a sockaddr and its length."""

    _fields_ = (("sockaddr", c_void_p), ("length", c_int32))


class Unicast(ctypes.Structure):
    """IP_ADAPTER_UNICAST_ADDRESS_LH."""


Unicast._fields_ = (
    ("length", c_uint32), ("flags", c_uint32), ("next", ctypes.POINTER(Unicast)), ("address", SocketAddress),
    ("prefix_origin", c_int32), ("suffix_origin", c_int32), ("dad_state", c_int32), ("valid", c_uint32),
    ("preferred", c_uint32), ("lease", c_uint32), ("prefix_length", c_uint8),
)  # fmt: skip


class Listed(ctypes.Structure):
    """IP_ADAPTER_DNS_SERVER_ADDRESS, IP_ADAPTER_GATEWAY_ADDRESS_LH and others of their shape."""


Listed._fields_ = (
    ("length", c_uint32), ("reserved", c_uint32), ("next", ctypes.POINTER(Listed)), ("address", SocketAddress),
)  # fmt: skip


class AdapterAddresses(ctypes.Structure):
    """IP_ADAPTER_ADDRESSES_LH, up to and with what is used of it."""


AdapterAddresses._fields_ = (
    ("length", c_uint32), ("index", c_uint32), ("next", ctypes.POINTER(AdapterAddresses)), ("adapter_name", c_void_p),
    ("unicast", ctypes.POINTER(Unicast)), ("anycast", c_void_p), ("multicast", c_void_p),
    ("dns", ctypes.POINTER(Listed)), ("dns_suffix", c_void_p), ("description", c_void_p),
    ("friendly_name", c_void_p), ("mac", c_ubyte * 8), ("mac_length", c_uint32), ("flags", c_uint32),
    ("mtu", c_uint32), ("if_type", c_uint32), ("oper_status", c_int32), ("ipv6_index", c_uint32),
    ("zone_indices", c_uint32 * 16), ("prefixes", c_void_p), ("transmit_rate", c_uint64), ("receive_rate", c_uint64),
    ("wins", c_void_p), ("gateways", ctypes.POINTER(Listed)), ("ipv4_metric", c_uint32), ("ipv6_metric", c_uint32),
    ("luid", c_uint64),
)  # fmt: skip


class IfRow2(ctypes.Structure):
    """MIB_IF_ROW2 (netioapi.h)."""

    _fields_ = (
        ("luid", c_uint64), ("index", c_uint32), ("guid", Guid), ("alias", WCHAR * 257), ("description", WCHAR * 257),
        ("mac_length", c_uint32), ("mac", c_ubyte * 32), ("permanent_mac", c_ubyte * 32), ("mtu", c_uint32),
        ("if_type", c_uint32), ("tunnel_type", c_int32), ("media_type", c_int32), ("physical_medium", c_int32),
        ("access_type", c_int32), ("direction", c_int32), ("flags", c_ubyte), ("oper_status", c_int32),
        ("admin_status", c_int32), ("media_connect", c_int32), ("network_guid", Guid), ("connection_type", c_int32),
        ("transmit_rate", c_uint64), ("receive_rate", c_uint64), ("in_octets", c_uint64), ("in_ucast", c_uint64),
        ("in_nucast", c_uint64), ("in_discards", c_uint64), ("in_errors", c_uint64), ("in_unknown", c_uint64),
        ("in_ucast_octets", c_uint64), ("in_mcast_octets", c_uint64), ("in_bcast_octets", c_uint64),
        ("out_octets", c_uint64), ("out_ucast", c_uint64), ("out_nucast", c_uint64), ("out_discards", c_uint64),
        ("out_errors", c_uint64), ("out_ucast_octets", c_uint64), ("out_mcast_octets", c_uint64),
        ("out_bcast_octets", c_uint64), ("out_queue", c_uint64),
    )  # fmt: skip


class Ssid(ctypes.Structure):
    """DOT11_SSID. Never read: a network's name is nobody's business."""

    _fields_ = (("length", c_uint32), ("ssid", c_char * 32))


class Association(ctypes.Structure):
    """WLAN_ASSOCIATION_ATTRIBUTES. Rates in kbit/s."""

    _fields_ = (
        ("ssid", Ssid), ("bss_type", c_int32), ("bssid", c_ubyte * 6), ("phy_type", c_int32), ("phy_index", c_uint32),
        ("quality", c_uint32), ("rx_rate", c_uint32), ("tx_rate", c_uint32),
    )  # fmt: skip


class Connection(ctypes.Structure):
    """WLAN_CONNECTION_ATTRIBUTES."""

    _fields_ = (
        ("state", c_int32), ("mode", c_int32), ("profile", WCHAR * 256), ("association", Association),
        ("security_enabled", c_int32), ("onex_enabled", c_int32), ("auth", c_int32), ("cipher", c_int32),
    )  # fmt: skip


class WlanInterface(ctypes.Structure):
    """WLAN_INTERFACE_INFO."""

    _fields_ = (("guid", Guid), ("description", WCHAR * 256), ("state", c_int32))


def walk(first: Any) -> Iterator[Any]:
    """The structures of a chain, from a pointer to the first."""
    while first:
        yield first.contents
        first = first.contents.next


def wide_text(address: int | None) -> str:
    """A zero-terminated UTF-16 text at an address; "" for a null pointer."""
    if not address:
        return ""
    units, at = bytearray(), address
    while (unit := ctypes.string_at(at, 2)) != b"\0\0" and len(units) < 2048:
        units += unit
        at += 2
    return units.decode("utf-16-le", errors="replace")


def sockaddr_text(address: SocketAddress) -> str:
    """The IP address of a sockaddr; "" for another family."""
    if not address.sockaddr or address.length < 16:
        return ""
    raw = ctypes.string_at(address.sockaddr, address.length)
    family = int.from_bytes(raw[:2], "little")
    if family == AF_INET:
        return str(ip_address(raw[4:8]))
    return str(ip_address(raw[8:24])) if family == AF_INET6 and len(raw) >= 24 else ""


def guid_text(guid: Guid) -> str:
    """{XXXXXXXX-XXXX-XXXX-XXXX-XXXXXXXXXXXX}."""
    tail = bytes(guid.data4).hex().upper()
    return f"{{{guid.data1:08X}-{guid.data2:04X}-{guid.data3:04X}-{tail[:4]}-{tail[4:]}}}"

"""Windows: the system calls. Written by the documentation and not yet run on Windows; see docs/platforms.md."""

from __future__ import annotations

import ctypes
import sys
from dataclasses import replace
from typing import Any

from reports.record import Counters, Wifi

from .windows import Adapter, registry_hardware
from .windows_structures import (
    AdapterAddresses,
    Connection,
    Guid,
    IfRow2,
    guid_text,
    sockaddr_text,
    walk,
    wide_text,
)

ERROR_BUFFER_OVERFLOW = 111
INCLUDE_GATEWAYS, SKIP_ANYCAST, SKIP_MULTICAST = 0x80, 0x2, 0x4
FAR_AWAY = (198, 51, 100, 1)  # documentation address: looking up its route sends nothing
CURRENT_CONNECTION, RSSI = 7, 0x10000102  # WLAN_INTF_OPCODE
KBIT_BYTES = 1000 / 8


def _library(name: str) -> Any:
    if sys.platform != "win32":
        raise OSError("this is not Windows")
    return ctypes.WinDLL(name)  # type: ignore[unreachable, unused-ignore]


def _adapters_buffer(library: Any) -> Any:
    """GetAdaptersAddresses with a buffer that grows as asked for."""
    size = ctypes.c_uint32(16_384)
    for _ in range(4):
        buffer = ctypes.create_string_buffer(size.value)
        flags = INCLUDE_GATEWAYS | SKIP_ANYCAST | SKIP_MULTICAST
        status = library.GetAdaptersAddresses(0, flags, None, buffer, ctypes.byref(size))
        if status == 0:
            return buffer
        if status != ERROR_BUFFER_OVERFLOW:
            break
    raise OSError(status, "GetAdaptersAddresses failed")


def listed(first: Any) -> tuple[str, ...]:
    """The addresses of a chain of DNS servers or gateways."""
    return tuple(text for item in walk(first) if (text := sockaddr_text(item.address)))


def adapter_of(a: AdapterAddresses) -> Adapter:
    """One IP_ADAPTER_ADDRESSES as an adapter. An address that is not (yet) preferred is left out."""
    found = [(sockaddr_text(u.address), u.prefix_length) for u in walk(a.unicast) if u.dad_state == 4]
    gateways = listed(a.gateways)
    return Adapter(
        name=wide_text(a.friendly_name),
        description=wide_text(a.description),
        if_type=a.if_type,
        oper_status=a.oper_status,
        mtu=a.mtu if 0 < a.mtu < 2**31 else None,
        mac=bytes(a.mac[: a.mac_length]),
        prefixes=tuple(f"{text}/{length}" for text, length in found if text),
        gateways=gateways,
        # fec0:0:0:ffff::1 to 3 are what Windows lists where nothing is set
        resolvers=tuple(r for r in listed(a.dns) if not r.startswith("fec0:0:0:ffff:")),
        metric=a.ipv4_metric if gateways else None,
        transmit_rate=a.transmit_rate,
    )


def with_row(adapter: Adapter, row: IfRow2) -> Adapter:
    """What MIB_IF_ROW2 adds: medium, flags, counters."""
    counters = Counters(
        row.out_octets, row.in_octets, row.out_ucast + row.out_nucast, row.in_ucast + row.in_nucast
    )  # fmt: skip
    return replace(adapter, medium=row.physical_medium, flags=row.flags, counters=counters)


def wifi_of(connection: Connection | None, rssi: int | None) -> Wifi:
    """Signal and rates. Frequency and width are not asked for: channel numbers are ambiguous since 6 GHz."""
    a = connection.association if connection is not None else None
    return Wifi(
        signal_dbm=None if rssi is None else float(rssi),
        tx_rate_bytes_per_second=a.tx_rate * KBIT_BYTES if a and a.tx_rate else None,
        rx_rate_bytes_per_second=a.rx_rate * KBIT_BYTES if a and a.rx_rate else None,
    )


def _wlan_value(library: Any, handle: Any, guid: Guid, opcode: int, kind: Any) -> Any:
    size, data = ctypes.c_uint32(), ctypes.c_void_p()
    status = library.WlanQueryInterface(
        handle, ctypes.byref(guid), opcode, None, ctypes.byref(size), ctypes.byref(data), None
    )
    if status != 0 or not data.value or size.value < ctypes.sizeof(kind):
        return None
    value = kind.from_buffer_copy(ctypes.string_at(data.value, ctypes.sizeof(kind)))
    library.WlanFreeMemory(data)
    return value


def _wifi(guid: Guid) -> Wifi | None:
    """None where the WLAN service does not answer (or location permission is refused, Windows 11 24H2 on)."""
    try:
        library = _library("wlanapi")
    except OSError:
        return None
    handle, version = ctypes.c_void_p(), ctypes.c_uint32()
    if library.WlanOpenHandle(2, None, ctypes.byref(version), ctypes.byref(handle)) != 0:
        return None
    try:
        connection = _wlan_value(library, handle, guid, CURRENT_CONNECTION, Connection)
        rssi = _wlan_value(library, handle, guid, RSSI, ctypes.c_int32)
    finally:
        library.WlanCloseHandle(handle, None)
    return None if connection is None and rssi is None else wifi_of(connection, rssi.value if rssi else None)


def _default_index(library: Any) -> int | None:
    index = ctypes.c_uint32()
    destination = int.from_bytes(bytes(FAR_AWAY), sys.byteorder)
    return index.value if library.GetBestInterface(ctypes.c_uint32(destination), ctypes.byref(index)) == 0 else None


def _complete(library: Any, a: AdapterAddresses, default: int | None) -> Adapter:
    import winreg

    adapter, row = replace(adapter_of(a), is_default=a.index == default), IfRow2(luid=a.luid)
    if library.GetIfEntry2(ctypes.byref(row)) != 0:
        return adapter
    adapter = replace(with_row(adapter, row), hardware=registry_hardware(guid_text(row.guid), winreg))
    return replace(adapter, wifi=_wifi(row.guid)) if adapter.if_type == 71 else adapter


def read() -> list[Adapter]:
    """All adapters. Raises `OSError`."""
    library = _library("iphlpapi")
    buffer = _adapters_buffer(library)
    first = ctypes.cast(buffer, ctypes.POINTER(AdapterAddresses))
    default = _default_index(library)
    return [_complete(library, a, default) for a in walk(first)]


def index_by_alias(name: str) -> int:
    """The index of the connection called so. Raises `OSError`."""
    library, luid, index = _library("iphlpapi"), ctypes.c_uint64(), ctypes.c_uint32()
    if library.ConvertInterfaceAliasToLuid(ctypes.c_wchar_p(name), ctypes.byref(luid)) != 0:
        raise OSError("there is no such connection")
    if library.ConvertInterfaceLuidToIndex(ctypes.byref(luid), ctypes.byref(index)) != 0:
        raise OSError("the connection has no index")
    return index.value

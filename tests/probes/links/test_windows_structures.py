"""Sizes and offsets of the 64-bit layout (as the Windows SDK's headers give them), and walking chains in memory."""

from __future__ import annotations

import ctypes
import struct

import pytest

from probes.links import windows_calls
from probes.links import windows_structures as w
from reports.record import Counters

SIZES = [
    (w.Guid, 16), (w.SocketAddress, 16), (w.Unicast, 64), (w.Listed, 32), (w.IfRow2, 1352), (w.Ssid, 36),
    (w.Association, 68), (w.Connection, 604), (w.WlanInterface, 532),
]  # fmt: skip
OFFSETS = [
    (w.AdapterAddresses, "next", 8), (w.AdapterAddresses, "unicast", 24), (w.AdapterAddresses, "dns", 48),
    (w.AdapterAddresses, "description", 64), (w.AdapterAddresses, "friendly_name", 72), (w.AdapterAddresses, "mac", 80),
    (w.AdapterAddresses, "mac_length", 88), (w.AdapterAddresses, "mtu", 96), (w.AdapterAddresses, "if_type", 100),
    (w.AdapterAddresses, "oper_status", 104), (w.AdapterAddresses, "prefixes", 176),
    (w.AdapterAddresses, "transmit_rate", 184), (w.AdapterAddresses, "gateways", 208),
    (w.AdapterAddresses, "ipv4_metric", 216), (w.AdapterAddresses, "luid", 224),
    (w.Unicast, "prefix_length", 56), (w.Unicast, "dad_state", 40),
    (w.IfRow2, "index", 8), (w.IfRow2, "guid", 12), (w.IfRow2, "alias", 28), (w.IfRow2, "description", 542),
    (w.IfRow2, "physical_medium", 1140), (w.IfRow2, "flags", 1152), (w.IfRow2, "transmit_rate", 1192),
    (w.IfRow2, "in_octets", 1208), (w.IfRow2, "out_octets", 1280),
    (w.Connection, "association", 520), (w.Association, "quality", 56), (w.Association, "tx_rate", 64),
]  # fmt: skip


@pytest.mark.parametrize(("structure", "size"), SIZES, ids=lambda x: getattr(x, "__name__", x))
@pytest.mark.skipif(struct.calcsize("P") != 8, reason="64-bit layout")
def test_sizes(structure, size: int):
    assert ctypes.sizeof(structure) == size


@pytest.mark.parametrize(("structure", "field", "offset"), OFFSETS)
@pytest.mark.skipif(struct.calcsize("P") != 8, reason="64-bit layout")
def test_offsets(structure, field: str, offset: int):
    assert getattr(structure, field).offset == offset


class Memory:
    """Keeps what pointers point to."""

    def __init__(self) -> None:
        self.kept: list[object] = []

    def address(self, raw: bytes) -> int:
        buffer = ctypes.create_string_buffer(raw, len(raw))
        self.kept.append(buffer)
        return ctypes.addressof(buffer)

    def text(self, words: str) -> int:
        return self.address((words + "\0").encode("utf-16-le"))

    def sockaddr(self, raw: bytes) -> w.SocketAddress:
        return w.SocketAddress(self.address(raw), len(raw))

    def chain(self, kind, items):
        first = None
        for item in reversed(items):
            item.next = ctypes.pointer(first) if first is not None else None
            self.kept.append(item)
            first = item
        return ctypes.pointer(first)


V4 = b"\x02\0\0\0" + bytes([192, 0, 2, 7]) + b"\0" * 8
V6 = b"\x17\0\0\0\0\0\0\0" + bytes.fromhex("20010db8" + "0" * 22 + "09") + b"\0" * 4
SITE_LOCAL_DNS = b"\x17\0\0\0\0\0\0\0" + bytes.fromhex("fec00000" + "0000ffff" + "0" * 15 + "1") + b"\0" * 4


def test_an_adapter_is_read_from_memory():
    m = Memory()
    a = w.AdapterAddresses(
        index=7, mac_length=6, mtu=1500, if_type=71, oper_status=1, ipv4_metric=35, transmit_rate=10**8
    )
    a.mac[:6] = b"\x00\x1b\x21\x01\x02\x03"
    a.friendly_name, a.description = m.text("Trådlöst 2"), m.text("Intel(R) Wi-Fi 6")
    a.unicast = m.chain(w.Unicast, [
        w.Unicast(address=m.sockaddr(V4), prefix_length=24, dad_state=4),
        w.Unicast(address=m.sockaddr(V6), prefix_length=64, dad_state=4),
        w.Unicast(address=m.sockaddr(V4), prefix_length=24, dad_state=1),
    ])  # fmt: skip
    a.gateways = m.chain(w.Listed, [w.Listed(address=m.sockaddr(V4))])
    a.dns = m.chain(w.Listed, [w.Listed(address=m.sockaddr(SITE_LOCAL_DNS)), w.Listed(address=m.sockaddr(V6))])
    found = windows_calls.adapter_of(a)
    assert (found.name, found.description) == ("Trådlöst 2", "Intel(R) Wi-Fi 6")
    assert found.prefixes == ("192.0.2.7/24", "2001:db8::9/64")
    assert (found.gateways, found.resolvers) == (("192.0.2.7",), ("2001:db8::9",))
    assert (found.metric, found.mtu, found.mac) == (35, 1500, b"\x00\x1b\x21\x01\x02\x03")


def test_an_empty_adapter_is_read_too():
    found = windows_calls.adapter_of(w.AdapterAddresses(mtu=0xFFFFFFFF))
    assert (found.name, found.prefixes, found.metric, found.mtu) == ("", (), None, None)


def test_a_row_adds_medium_flags_and_counters():
    row = w.IfRow2(physical_medium=9, flags=1, out_octets=10, in_octets=20, out_ucast=3, out_nucast=1, in_ucast=5)
    found = windows_calls.with_row(windows_calls.Adapter("x"), row)
    assert (found.medium, found.flags, found.counters) == (9, 1, Counters(10, 20, 4, 5))


def test_wifi_rates_and_signal():
    connection = w.Connection(association=w.Association(tx_rate=866_700, rx_rate=0))
    found = windows_calls.wifi_of(connection, -61)
    assert (found.signal_dbm, found.tx_rate_bytes_per_second, found.rx_rate_bytes_per_second) == (
        -61.0,
        866_700 * 125,
        None,
    )
    assert windows_calls.wifi_of(None, -61).tx_rate_bytes_per_second is None


def test_guid_text():
    guid = w.Guid(0x4D36E972, 0xE325, 0x11CE, (ctypes.c_ubyte * 8)(0xBF, 0xC1, 8, 0, 0x2B, 0xE1, 3, 0x18))
    assert w.guid_text(guid) == "{4D36E972-E325-11CE-BFC1-08002BE10318}"


def test_elsewhere_the_calls_say_so():
    with pytest.raises(OSError, match="not Windows"):
        windows_calls.index_by_alias("Wi-Fi")

"""Files that other programs write: right ones are understood, broken ones do no harm."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.links import dhcp, networkmanager, resolvers
from probes.links.binding import parse_device_counters
from probes.links.sysfs import parse_uevent
from reports.record import Counters

DHCLIENT = """\
lease {
  interface "usb0";
  fixed-address 192.168.42.10;
  option domain-name-servers 192.168.42.129;
}
lease {
  interface "usb0";
  fixed-address 192.168.183.7;
  option subnet-mask 255.255.255.0;
  option vendor-encapsulated-options "ANDROID_METERED";
  option domain-name-servers 192.168.183.1, 2001:db8::1;
  renew 4 2026/11/19 09:00:00;
}
"""
HEX = "41:4e:44:52:4f:49:44:5f:4d:45:54:45:52:45:44"
NETWORKD = "# private\nADDRESS=192.168.183.7\nDNS=192.168.183.1\nVENDOR_SPECIFIC=" + HEX.replace(":", "") + "\n"


def test_dhclient_leases_in_order():
    first, second = dhcp.parse_dhclient(DHCLIENT)
    assert first == dhcp.Lease("192.168.42.10", "usb0", False, ("192.168.42.129",))
    assert second == dhcp.Lease("192.168.183.7", "usb0", True, ("192.168.183.1", "2001:db8::1"))


def test_the_mark_in_hexadecimal():
    [lease] = dhcp.parse_dhclient(f"lease {{\n fixed-address 10.0.0.2;\n option vendor-encapsulated-options {HEX};\n}}")
    assert lease.metered


def test_networkd_lease():
    assert dhcp.parse_networkd(NETWORKD) == dhcp.Lease("192.168.183.7", "", True, ("192.168.183.1",))


@pytest.mark.parametrize(
    ("name", "address", "metered"),
    [
        ("usb0", "192.168.183.7", True),
        ("usb0", "192.168.42.10", False),
        ("usb0", "10.9.9.9", None),  # an old lease of another network says nothing
        ("eth0", "192.168.183.7", None),
    ],
)
def test_a_lease_counts_only_for_the_links_present_address(name: str, address: str, metered: bool | None):
    lease = dhcp.lease_for(name, [address], dhcp.parse_dhclient(DHCLIENT))
    assert (lease.metered if lease else None) is metered


def test_leases_are_found_in_folders(tmp_path: Path):
    (tmp_path / "dhclient.usb0.leases").write_text(DHCLIENT)
    (tmp_path / "internal-0b1c-2d3e-wlan0.lease").write_text(NETWORKD)
    (tmp_path / "broken.leases").write_bytes(os.urandom(2000))
    found = list(dhcp.leases([tmp_path, tmp_path / "missing"], tmp_path))
    assert [lease.interface for lease in found] == ["usb0", "usb0", "wlan0"]


def test_an_absurdly_large_file_is_not_read(tmp_path: Path):
    large = tmp_path / "large"
    large.write_bytes(b"x" * (dhcp.LARGEST + 1))
    assert dhcp.read(large) == ""


@given(st.text())
def test_parsers_take_anything(content: str):
    assert all(dhcp.is_address(lease.address) for lease in dhcp.parse_dhclient(content))
    dhcp.parse_networkd(content)
    dhcp.option_bytes(content)
    parse_device_counters(content, "eth0")
    assert all(dhcp.is_address(a) for a in resolvers.parse_resolv_conf(content))
    assert all(dhcp.is_address(a) for a in resolvers.parse_link_state(content))


@given(st.ip_addresses(), st.booleans(), st.lists(st.ip_addresses(), max_size=3))
def test_dhclient_round_trip(address, metered, servers):
    mark = 'option vendor-encapsulated-options "ANDROID_METERED";\n' if metered else ""
    dns = f"option domain-name-servers {', '.join(map(str, servers))};\n" if servers else ""
    [lease] = dhcp.parse_dhclient(f'lease {{\n  interface "w0";\n  fixed-address {address};\n  {mark}  {dns}\n}}\n')
    assert lease == dhcp.Lease(str(address), "w0", metered, tuple(map(str, servers)))


KEYS = st.text(st.characters(codec="ascii", categories=["Lu"]), min_size=1)
VALUES = st.text(st.characters(codec="ascii", categories=["L", "N", "P"]))


@given(st.dictionaries(KEYS, VALUES))
def test_uevent_round_trip(said: dict[str, str]):
    assert parse_uevent("\n".join(f"{k}={v}" for k, v in said.items())) == said


@given(st.text())
def test_uevent_takes_anything(content: str):
    parse_uevent(content)


def test_link_state_and_resolv_conf():
    assert resolvers.parse_link_state("SERVERS=192.0.2.1 192.0.2.2#dns.example fe80::1%3\nDNS=192.0.2.1\n") == (
        "192.0.2.1",
        "192.0.2.2",
        "fe80::1",
    )
    assert resolvers.parse_resolv_conf("# x\nnameserver 127.0.0.53\nnameserver 192.0.2.9\nsearch a\n") == ("192.0.2.9",)


def test_resolved_and_networkmanager_properties():
    assert resolvers.from_dns_property([[2, b"\xc0\x00\x02\x01"], [10, b"\0" * 15 + b"\x01"], [2, b"bad"], []]) == (
        "192.0.2.1",
        "::1",
    )
    said = networkmanager.managed(
        {"Metered": 3},
        {"NameserverData": [{"address": "192.0.2.1"}]},
        {"Options": {"vendor_encapsulated_options": HEX}},
    )
    assert said == networkmanager.Managed("guess-yes", ("192.0.2.1",), True)
    assert networkmanager.managed({}, {}, {}) == networkmanager.Managed()


ROWS = """\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo colls carrier compressed
    lo: 100 1 0 0 0 0 0 0 200 2 0 0 0 0 0 0
  eth0:7 8 0 0 0 0 0 0 9 10 0 0 0 0 0 0
eth0:1: 3 4 0 0 0 0 0 0 5 6 0 0 0 0 0 0
"""


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("lo", Counters(200, 100, 2, 1)),
        ("eth0", Counters(9, 7, 10, 8)),
        ("eth0:1", Counters(5, 3, 6, 4)),
        ("eth", None),
    ],
)
def test_device_counters(name: str, expected: Counters | None):
    assert parse_device_counters(ROWS, name) == expected

"""Real discovery, in namespaces with real devices of the kernel's."""

from __future__ import annotations

import sys
import threading

import pytest

from probes.links import discover
from reports.record import KINDS, Link

from .inside import run

pytestmark = [pytest.mark.skipif(sys.platform != "linux", reason="Linux only"), pytest.mark.netlab]

VETH_AND_TUN = """
ip("link add v0 type veth peer name w0", "addr add 10.1.0.2/24 dev v0", "link set v0 up", "link set w0 up",
   "link add br0 type bridge", "link set w0 master br0", "link set br0 up",
   "tuntap add mode tun tun0", "addr add 10.8.0.2/24 dev tun0", "link set tun0 up",
   "tuntap add mode tap tap0", "link set tap0 master br0",
   "route add default via 10.1.0.1 dev v0 metric 100")
"""


@pytest.mark.parametrize("own_sysfs", [True, False], ids=["own sysfs", "another namespace's sysfs"])
def test_container_like_namespace(own_sysfs: bool):
    found = run(
        VETH_AND_TUN + "answer({n: [l.kind, l.confidence, l.is_default, l.route_metric] for n, l in links().items()})",
        own_sysfs=own_sysfs,
    )
    assert {name: row[0] for name, row in found.items()} == {
        "lo": "other", "v0": "wired", "w0": "other", "br0": "other", "tun0": "vpn", "tap0": "other",
    }  # fmt: skip
    assert found["v0"] == ["wired", 0.4, True, 100]


def test_a_tunnel_with_the_default_route_and_what_is_beneath():
    found = run(
        VETH_AND_TUN
        + """
ip("route add 192.0.2.77/32 via 10.1.0.1 dev v0", "route add default dev tun0 metric 50")
by_name = links()
tun = by_name["tun0"]
answer([tun.kind, tun.is_default, tun.beneath, by_name["v0"].is_default, default_link(tuple(by_name.values())).name])
"""
    )
    # the tunnel has no carrier until a program opens it, and the kernel still routes into it
    assert found[:4] == ["vpn", True, "v0", False]
    assert found[4] in {"tun0", "v0"}


def test_two_half_routes_of_a_vpn_are_a_default_route():
    found = run(
        VETH_AND_TUN
        + """
ip("route add 0.0.0.0/1 dev tun0", "route add 128.0.0.0/1 dev tun0")
tun = links()["tun0"]
answer([tun.is_default, tun.route_metric])
"""
    )
    assert found == [True, 0]


def test_addresses_gateways_mtu_and_link_local():
    found = run(
        """
ip("link add v0 type veth peer name w0", "link set v0 mtu 1334 up", "link set w0 up")
import time
for _ in range(40):
    if links()["v0"].addresses: break
    time.sleep(0.1)
only_local = links()["v0"].addresses
ip("addr add 2001:db8::2/64 dev v0 nodad", "addr add 10.1.0.2/24 dev v0", "-6 route add default via 2001:db8::1 dev v0")
v0 = links()["v0"]
answer([only_local, v0.addresses, v0.gateway, v0.gateway_v6, v0.mtu_bytes, v0.route_metric, v0.is_default])
"""
    )
    assert found[0][0].startswith("fe80::")
    assert sorted(found[1]) == ["10.1.0.2", "2001:db8::2"]
    assert found[2:] == [None, "2001:db8::1", 1334, 1024, True]


def test_no_links_but_loopback_and_a_vanished_cable():
    found = run(
        """
first = list(links())
ip("link add v0 type veth peer name w0", "addr add 10.1.0.2/24 dev v0", "link set v0 up")
v0 = links()["v0"]
ip("link del v0")
answer([first, v0.carrier, v0.usable, "v0" in links()])
"""
    )
    assert found == [["lo"], False, False, False]


async def test_this_computer():
    before = threading.active_count()
    found = await discover()
    assert all(isinstance(link, Link) and link.kind in KINDS for link in found)
    assert len({link.name for link in found}) == len(found)
    assert next(link for link in found if link.name == "lo").kind == "other"
    assert threading.active_count() == before


async def test_a_deadline_too_short_gives_nothing_rather_than_an_error():
    assert await discover(deadline_s=0.0) == ()

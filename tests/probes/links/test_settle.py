"""What VPNs stand on, what is metered, which link is the default."""

from __future__ import annotations

from dataclasses import replace

import pytest

from probes.links import default_link
from probes.links.clues import Clues, Draft, draft_link
from probes.links.settle import settle

WIRED = Clues("eth0", arp_type=1, driver="e1000e", bus="pci", physical=True)
WIFI = Clues("wlan0", type_word="wlan", wireless=True, physical=True, bus="pci")
TUN = Clues("tun0", software="tun", arp_type=65534)


def draft(clues: Clues, metric: int | None = None, **link) -> Draft:
    base = replace(draft_link(clues.name), addresses=("10.0.0.2",), carrier=True, route_metric=metric)
    return Draft(replace(clues, default_route=metric is not None), replace(base, **link))


def beneath(drafts: list[Draft], *peer_routes: str) -> str | None:
    return next(link.beneath for link in settle(drafts, peer_routes) if link.kind == "vpn")


@pytest.mark.parametrize(
    ("tunnel", "peer_routes", "expected"),
    [
        (TUN, (), "eth0"),  # the best default route
        (TUN, ("wlan0",), "wlan0"),  # the route to the VPN's far end
        (TUN, ("tun0",), "eth0"),  # a tunnel does not stand on itself
        (replace(TUN, below=("wlan0",)), (), "wlan0"),  # the kernel says what carries it
    ],
)
def test_beneath(tunnel: Clues, peer_routes: tuple[str, ...], expected: str):
    assert beneath([draft(WIRED, 100), draft(WIFI, 600), draft(tunnel, 50)], *peer_routes) == expected


def test_beneath_is_unknown_without_any_other_link():
    assert beneath([draft(TUN, 0)]) is None


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, None),
        ({"nm_metered": "yes"}, True),
        ({"nm_metered": "guess-yes"}, True),
        ({"nm_metered": "no"}, False),
        ({"nm_metered": "guess-no"}, False),
        ({"nm_metered": "guess-no", "dhcp_metered": True}, True),
    ],
)
def test_metered(change: dict, expected: bool | None):
    [link] = settle([draft(replace(WIFI, **change))])
    assert link.metered is expected


def test_default_link_is_the_systems_choice_then_the_best_route_among_usable_ones():
    both = settle([draft(WIRED, 100), draft(WIFI, 600)])
    assert default_link(both).name == "eth0"
    assert default_link(settle([draft(WIRED, 100), draft(WIFI, 600, is_default=True)])).name == "wlan0"
    assert default_link(settle([draft(WIRED, 100, carrier=False), draft(WIFI, 600)])).name == "wlan0"
    assert default_link(settle([draft(WIRED)])) is None
    assert default_link(()) is None

"""Link kinds with the kernel's real drivers, and binding proven by the links' own counters.

Run in the lab after tests/lab/plug_in phone wifi pan cellular; what is not plugged in is skipped.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from probes.links import default_link, discover
from probes.links.binding import BindingError, Passage, bound_socket
from reports.record import Kind, Link

KINDS: list[tuple[str, Kind]] = [
    ("lo", "other"),
    ("eth0", "wired"),
    ("wlan0", "wifi"),
    ("hwsim0", "other"),
    ("usb0", "tethered"),
    ("bnep1", "tethered"),
    ("wwan0", "mobile"),
]
DRIVERS = {"eth0": "e1000", "wlan0": "mac80211_hwsim", "usb0": "cdc_ncm"}
BURST, SIZE = 30, 200


def look() -> dict[str, Link]:
    return {link.name: link for link in asyncio.run(discover())}


@cache
def first_look() -> dict[str, Link]:
    """One discovery for the tests that only read: the guest is slow."""
    return look()


def link_called(name: str) -> Link:
    if not Path(f"/sys/class/net/{name}").exists():
        pytest.skip(f"{name} is not plugged in: tests/lab/plug_in")
    return first_look()[name]


@pytest.mark.parametrize(("name", "kind"), KINDS)
def test_kind(name: str, kind: Kind):
    link = link_called(name)
    assert link.kind == kind, link
    assert link.confidence >= 0.7
    assert link.evidence


@pytest.mark.parametrize(("name", "driver"), sorted(DRIVERS.items()))
def test_driver(name: str, driver: str):
    assert link_called(name).driver == driver


def test_wired_details():
    link = link_called("eth0")
    assert (link.addresses, link.gateway, link.duplex, link.rate_bytes_per_second) == (
        ("10.77.1.2",),
        "10.77.1.1",
        "full",
        125e6,
    )


def test_default_link_is_the_one_that_the_routes_prefer():
    links = tuple(first_look().values())
    assert [link.name for link in links if link.is_default] == ["eth0"]
    assert default_link(links).name == "eth0"


def test_another_default_route_makes_another_default_link(lab: Callable[..., str]):
    link_called("wlan0")
    lab("default", "wifi")
    try:
        assert default_link(tuple(look().values())).name == "wlan0"
    finally:
        lab("default", "wired")


def test_wifi_details():
    wifi = link_called("wlan0").wifi
    assert wifi is not None
    assert (wifi.band, wifi.frequency_hz, wifi.width_hz) == ("5 GHz", 5180e6, 80e6)
    assert wifi.signal_dbm is not None
    assert wifi.tx_rate_bytes_per_second > 100_000
    assert wifi.tx_packets is not None
    assert wifi.tx_retries is not None
    assert wifi.tx_failed is not None


@pytest.mark.parametrize("dbm", [-82, -50])
def test_wifi_signal_follows_the_radio(lab: Callable[..., str], dbm: int):
    link_called("wlan0")
    lab("wifi", "rssi", str(dbm))
    assert within(8, lambda: look()["wlan0"].wifi.signal_dbm == dbm)


def within(seconds: float, true: Callable[[], bool]) -> bool:
    """Does it come true in time?"""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.3)
    return False


def burst(link: Link, far: tuple[str, int]) -> int:
    """Packets that came back of a burst by this link."""
    got = 0
    with bound_socket(link) as sock:
        sock.settimeout(3)
        for _ in range(BURST):
            sock.sendto(b"x" * SIZE, far)
            got += len(sock.recv(2000)) == SIZE
    return got


@pytest.mark.parametrize("name", ["eth0", "wlan0", "usb0", "bnep1"])
def test_packets_leave_by_the_link_they_are_bound_to(name: str, far_echo: tuple[str, int]):
    link = link_called(name)
    others = [Passage(other) for other in first_look().values() if other.usable and other.name not in {name, "lo"}]
    passage = Passage(link)
    assert burst(link, far_echo) == BURST
    delta = passage.delta()
    assert delta.sent_packets >= BURST
    assert delta.sent_bytes >= BURST * SIZE
    assert delta.received_packets >= BURST
    assert passage.bypassed(BURST) is False
    assert all(other.delta().sent_packets < BURST / 2 for other in others)


@pytest.mark.parametrize(("mode", "driver"), [("ecm", "cdc_ether"), ("rndis", "rndis_host"), ("ncm", "cdc_ncm")])
def test_a_phone_is_tethered_in_every_mode(lab: Callable[..., str], mode: str, driver: str):
    link_called("usb0")
    lab("phone", mode)
    link = look()["usb0"]
    assert (link.kind, link.driver, link.usable) == ("tethered", driver, True), link
    assert link.confidence >= 0.9


def test_a_phone_that_is_unplugged_is_gone(lab: Callable[..., str]):
    link = link_called("usb0")
    passage = Passage(link)
    lab("phone", "off")
    assert "usb0" not in look()
    assert passage.delta() is None
    with pytest.raises(BindingError, match="usb0"):
        bound_socket(link)


def test_a_wifi_that_left_its_network_is_not_usable(lab: Callable[..., str]):
    link_called("wlan0")
    lab("wifi", "down")
    try:
        assert within(8, lambda: look()["wlan0"].carrier is False)
        link = look()["wlan0"]
        assert (link.kind, link.usable, link.wifi) == ("wifi", False, None)
    finally:
        lab("wifi", "join")

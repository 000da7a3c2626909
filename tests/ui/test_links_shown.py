"""The links in plain words: which is in use, which is better and why."""

from __future__ import annotations

import pytest

from agent.ui.links_shown import links_shown
from reports.compare import Comparison
from reports.record import Link, Wifi
from tests.reports.make import echo, good, link, verdict

ETH, WLAN, USB = link(), link("wlan0", "wifi", is_default=True), link("usb0", "tethered", is_default=True)
WEAK = link("wlan0", "wifi", is_default=True, wifi=Wifi(signal_dbm=-82.0))
NEAR = link("wlan0", "wifi", is_default=True, wifi=Wifi(signal_dbm=-52.0))
UNPLUGGED = link(carrier=False, addresses=())
TUN = link("tun0", "vpn", is_default=True, beneath="wlan0")
OVER = link("wlan0", "wifi")
BRIDGE = link("docker0", "other")

# what is shown: "*" in use, "+" better
CASES: list[tuple[str, tuple[Link, ...], set[str], list[str]]] = [
    ("a cable", (link(is_default=True),), {"eth0"}, ["* nätverkskabel"]),
    ("good wifi", (NEAR,), {"wlan0"}, ["* trådlöst nät"]),
    ("weak wifi", (WEAK,), {"wlan0"}, ["* trådlöst nät, svag signal"]),
    ("before anything is chosen", (WEAK,), set(), ["* trådlöst nät, svag signal"]),
    ("a cable is there", (WLAN, ETH), {"wlan0"}, ["* trådlöst nät", "+ nätverkskabel, stabilare än wifi"]),
    ("a phone, and wifi", (USB, OVER), {"usb0"},
     ["* delat från en telefon", "+ trådlöst nät, stabilare än delad mobil"]),
    ("a phone, both there", (USB, OVER, ETH), {"usb0"},
     ["* delat från en telefon", "+ nätverkskabel, stabilare än delad mobil", "trådlöst nät"]),
    ("the cable is not plugged in", (WLAN, UNPLUGGED), {"wlan0"}, ["* trådlöst nät"]),
    ("the link went in the middle", (UNPLUGGED,), {"eth0"}, ["nätverkskabel, inte ansluten"]),
    ("no address", (link(addresses=(), is_default=True),), {"eth0"}, ["* nätverkskabel, får ingen adress av nätet"]),
    ("a container's bridge is no link", (WLAN, BRIDGE), {"wlan0"}, ["* trådlöst nät"]),
    ("a vpn", (TUN, OVER), {"tun0"}, ["* trådlöst nät, genom en VPN-tunnel", "trådlöst nät"]),
    ("a vpn over nobody knows what", (link("tun0", "vpn", is_default=True),), {"tun0"}, ["* VPN-tunnel"]),
    ("two of a kind", (WLAN, link("wlan1", "wifi")), {"wlan0"}, ["* trådlöst nät 1", "trådlöst nät 2"]),
    ("nothing", (), set(), []),
]  # fmt: skip


def drawn(*args: object, **more: object) -> list[str]:
    shown = links_shown(*args, **more)  # type: ignore[arg-type]
    return [f"{'* ' * each.in_use}{'+ ' * each.better}{each.says['sv']}" for each in shown]


@pytest.mark.parametrize(("links", "chosen", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_before_anything_is_measured(links: tuple[Link, ...], chosen: set[str], expected: list[str]) -> None:
    assert drawn(links, chosen) == expected


def test_what_was_tested() -> None:
    assert [(each.kind, each.tested) for each in links_shown((WLAN, ETH), {"wlan0"})] == [
        ("wifi", True), ("wired", False),
    ]  # fmt: skip


def test_a_signal_that_was_watched_goes_before_the_one_that_was_listed() -> None:
    found = verdict(good("wlan0", wifi_signal_dbm=-80.0), links=(NEAR,), chosen="wlan0")
    assert drawn((NEAR,), {"wlan0"}, found.findings) == ["* trådlöst nät, svag signal"]
    found = verdict(good("wlan0", wifi_signal_dbm=-60.0), links=(WEAK,), chosen="wlan0")
    assert drawn((WEAK,), {"wlan0"}, found.findings) == ["* trådlöst nät"]


def test_a_cable_that_was_measured_to_be_bad_is_not_better() -> None:
    bad = echo(rtt_p95_seconds=0.4)
    found = verdict(good("wlan0"), bad, links=(WLAN, ETH), chosen="wlan0")
    assert drawn((WLAN, ETH), {"wlan0", "eth0"}, found.findings) == ["* trådlöst nät", "nätverkskabel"]


def test_at_the_end_the_better_one_is_that_of_the_action() -> None:
    cable, wifi = link(is_default=True), link("wlan0", "wifi")
    found = verdict(
        good(rtt_p95_seconds=0.2), good("wlan0"), links=(cable, wifi), chosen="eth0",
        comparison=Comparison("wlan0", "eth0", (), told_apart=True),
    )  # fmt: skip
    both = {"eth0", "wlan0"}
    assert found.action == "use_link"
    assert drawn((cable, wifi), both, found.findings, verdict=found) == [
        "* nätverkskabel", "+ trådlöst nät, bättre än nätverkskabel i testet",
    ]  # fmt: skip
    links = (cable, link("eth1"), wifi)
    assert [each.split(",")[0] for each in drawn(links, both, found.findings, verdict=found)] == [
        "* nätverkskabel 1", "+ trådlöst nät", "nätverkskabel 2",
    ]  # fmt: skip
    plugged = verdict(good("wlan0"), links=(WLAN, ETH), chosen="wlan0")
    assert drawn((WLAN, ETH), {"wlan0"}, plugged.findings, verdict=plugged)[1] == "+ nätverkskabel, stabilare än wifi"
    calm = verdict(good(), good("wlan0"), links=(cable, wifi), chosen="eth0")
    assert drawn((cable, wifi), both, calm.findings, verdict=calm) == ["* nätverkskabel", "trådlöst nät"]


def test_both_languages() -> None:
    (shown,) = links_shown((WEAK,), {"wlan0"})
    assert shown.says == {"sv": "trådlöst nät, svag signal", "en": "wifi, weak signal"}

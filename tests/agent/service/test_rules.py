"""What puts a self-test off."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from agent.service.meeting import Meeting
from agent.service.rules import FLOW_PATIENCE_S, Seen, costly, hindrance, links_to_test, megabytes_each, reserve
from agent.settings import AgentSection
from reports.record import Link

PLENTY = 1e9


def link(name: str, kind: str = "wired", **more: object) -> Link:
    return Link(name, kind, 1.0, (), carrier=True, addresses=("192.0.2.1",), **more)  # type: ignore[arg-type]


CABLE, WIFI = link("eth0", is_default=True), link("wlan0", "wifi")
PHONE, METERED = link("usb0", "tethered", is_default=True), link("wlan0", "wifi", metered=True, is_default=True)
TUNNEL = link("tun0", "vpn", is_default=True, beneath="usb0")
CALM = Seen(Meeting(False, False, False), "mains", (CABLE, WIFI))
PLAIN = AgentSection()

ROWS = [
    (CALM, PLAIN, PLENTY, None),
    (Seen(Meeting()), PLAIN, PLENTY, None),  # nothing can be told
    (replace(CALM, meeting=Meeting(camera=True)), PLAIN, PLENTY, "camera"),
    (replace(CALM, meeting=Meeting(microphone=True)), PLAIN, PLENTY, "microphone"),
    (replace(CALM, meeting=Meeting(flow=True)), PLAIN, PLENTY, "flow"),
    (replace(CALM, meeting=Meeting(flow=True)), AgentSection(flows=False), PLENTY, None),
    (replace(CALM, power="battery"), PLAIN, PLENTY, "battery"),
    (replace(CALM, power="saving"), PLAIN, PLENTY, "battery"),
    (replace(CALM, power="battery"), AgentSection(battery=True), PLENTY, None),
    (replace(CALM, power="battery_low"), AgentSection(battery=True), PLENTY, "battery"),
    (replace(CALM, power="unknown"), PLAIN, PLENTY, None),
    (replace(CALM, links=(PHONE,)), PLAIN, PLENTY, "metered"),
    (replace(CALM, links=(METERED,)), PLAIN, PLENTY, "metered"),
    (replace(CALM, links=(TUNNEL, replace(PHONE, is_default=False))), PLAIN, PLENTY, "metered"),
    (replace(CALM, links=(PHONE,)), AgentSection(metered=True), PLENTY, None),
    (replace(CALM, links=(PHONE, WIFI)), AgentSection(all_links=True), PLENTY, None),  # by wifi alone
    (replace(CALM, links=()), PLAIN, PLENTY, None),  # no link: that is an answer too
    (CALM, PLAIN, 2.9e6, "budget"),
    (CALM, PLAIN, 3e6, None),
    (CALM, AgentSection(all_links=True), 5e6, "budget"),
]


@pytest.mark.parametrize(("seen", "allowed", "left", "expected"), ROWS)
def test_what_speaks_against_it(seen: Seen, allowed: AgentSection, left: float, expected: str | None):
    assert hindrance(seen, allowed, left, 0.0) == expected


@pytest.mark.parametrize("device", ["camera", "microphone"])
def test_no_setting_and_no_wait_allows_a_test_while_a_device_is_in_use(device: str):
    seen = replace(CALM, meeting=Meeting(**{device: True}))
    for flags in itertools.product((False, True), repeat=5):
        names = ("flows", "all_links", "metered", "battery", "devices")
        allowed = AgentSection(**dict(zip(names, flags, strict=True)))
        assert hindrance(seen, allowed, PLENTY, 1e9) == device


def test_a_flow_puts_off_for_some_hours_only():
    seen = replace(CALM, meeting=Meeting(flow=True))
    assert hindrance(seen, PLAIN, PLENTY, FLOW_PATIENCE_S - 1) == "flow"
    assert hindrance(seen, PLAIN, PLENTY, FLOW_PATIENCE_S) is None


def test_links_that_cost_are_left_out_unless_allowed():
    every = (CABLE, PHONE, WIFI)
    assert links_to_test(every, AgentSection(all_links=True)) == [CABLE, WIFI]
    assert links_to_test(every, AgentSection(all_links=True, metered=True)) == [CABLE, PHONE, WIFI]
    assert costly(TUNNEL, (TUNNEL, PHONE))
    assert not costly(TUNNEL, (TUNNEL, CABLE))


@pytest.mark.parametrize(
    ("links", "left_mb", "asked", "each", "reserved_mb"),
    [
        ((CABLE,), 250, None, 50, 50),
        ((CABLE,), 20, None, 20, 20),
        ((CABLE, WIFI), 60, None, 30, 60),
        ((CABLE,), 250, 7.0, 7, 7),
        ((CABLE,), 5, 7.0, 5, 5),
        ((PHONE,), 250, None, None, 3),  # as check has it: little, and no test that fills the link
        ((CABLE, PHONE), 250, None, None, 53),
        ((CABLE, PHONE), 20, None, 3, 6),
        ((), 250, None, 50, 0),
    ],
)
def test_what_each_link_may_move(
    links: tuple[Link, ...], left_mb: float, asked: float | None, each: float | None, reserved_mb: float
):
    assert megabytes_each(links, links, left_mb * 1e6, asked) == each
    assert reserve(links, links, each) == reserved_mb * 1e6
    assert reserve(links, links, each) <= left_mb * 1e6

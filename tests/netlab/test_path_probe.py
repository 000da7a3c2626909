"""The path probe over two real routers: whose loss it is, how far the room is, and routers with habits."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import struct
import threading
import time
import warnings
from dataclasses import replace
from pathlib import Path

import pytest

from probes import gateway, path
from probes.session import Draft
from tests.netlab.fixtures import why_no_routers
from tests.netlab.pathlab import Lab, lab, whole
from tests.netlab.program import room_on
from tests.netlab.router import routed_path

__all__ = ["lab", "whole"]
pytestmark = [pytest.mark.netlab, pytest.mark.timeout(120)]

CAP_NET_RAW, CAPABILITIES_V3 = 13, 0x20080522  # linux/capability.h


# ---- loss and distance --------------------------------------------------------------------------------------------


def test_a_clean_way(lab: Lab) -> None:
    draft = lab.probe()
    assert draft.failure is None
    assert (draft.values["gateway_loss_ratio"], draft.values["path_loss_ratio"]) == (0, 0)
    assert draft.values["path_hops"] == 2
    assert (draft.values["path_mtu_up_bytes"], draft.values["path_mtu_down_bytes"]) == (1500, 1500)
    assert draft.facts["mtu_black_hole"] == "none"
    assert draft.facts["gateway_asked_by"] == "icmp"
    assert 0 < draft.values["gateway_rtt_p50_seconds"] < draft.values["gateway_rtt_p95_seconds"] < 0.01
    assert draft.unknown == {}
    lines = draft.facts["hops"]
    assert [line[:2] for line in lines] == ["1:", "2:"]
    assert all("private" in line and "no answer" not in line and "10.98" not in line for line in lines)


def test_loss_on_the_first_hop_is_seen_by_both(lab: Lab) -> None:
    lab.way.lose("first", "both", 0.1)
    values = lab.probe(5.0).values
    assert values["gateway_loss_ratio_ci95_low"] > 0.08  # the truth is 0.19
    assert values["gateway_loss_ratio_ci95_high"] < 0.32
    assert values["path_loss_ratio_ci95_low"] > 0.08
    assert values["path_hops"] == 2


def test_loss_beyond_is_not_the_first_hops(lab: Lab) -> None:
    lab.way.lose("beyond", "both", 0.1)
    values = lab.probe(5.0).values
    assert values["gateway_loss_ratio"] == 0
    assert 0.08 < values["path_loss_ratio_ci95_low"] < 0.19
    assert values["path_hops"] == 2


@pytest.mark.slow
def test_errors_within_the_routers_limit(lab: Lab) -> None:
    """Linux routers send six errors to a host, then one a second: the probe asks for no more, so none are missing."""
    time.sleep(4)  # what earlier tests used up comes back
    lines = lab.probe(6.0).facts["hops"]
    answered = [tuple(int(n) for n in line.split(", ")[1].split(" of ")) for line in lines]
    assert all(got >= asked - 1 >= 5 for got, asked in answered), lines


# ---- routers with habits ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [2, 10, 30])
def test_a_router_that_counts_its_answers_is_not_lossy(lab: Lab, rate: int) -> None:
    limit = f"icmp type echo-request limit rate over {rate}/second burst 5 packets drop"
    lab.rule("gateway", "input", limit)
    draft = lab.probe()
    assert draft.failure is None
    assert draft.unknown["gateway_loss_ratio"].startswith(gateway.LIMITED)
    assert draft.values["gateway_rtt_p50_seconds"] > 0
    assert draft.values["path_loss_ratio"] == 0


def test_a_router_that_answers_no_ping_is_not_lossy(lab: Lab) -> None:
    lab.rule("gateway", "input", "icmp type echo-request drop")
    draft = lab.probe()
    assert draft.unknown["gateway_loss_ratio"].startswith(gateway.SILENT)
    assert draft.facts["gateway_asked_by"] == "udp ttl"
    assert 0 < draft.values["gateway_rtt_p50_seconds"] < 0.01


def without_raw_sockets() -> None:
    """The calling thread loses CAP_NET_RAW; capabilities are each thread's own on Linux."""
    libc, size = ctypes.CDLL(None, use_errno=True), struct.calcsize("6I")
    header = ctypes.create_string_buffer(struct.pack("Ii", CAPABILITIES_V3, 0))
    data = ctypes.create_string_buffer(size)
    assert libc.capget(header, data) == 0
    words = list(struct.unpack("6I", data.raw[:size]))  # effective, permitted, inheritable; and the higher bits
    words[0] &= ~(1 << CAP_NET_RAW)
    words[1] &= ~(1 << CAP_NET_RAW)
    assert libc.capset(header, ctypes.create_string_buffer(struct.pack("6I", *words))) == 0


@pytest.mark.parametrize("allowed", [True, False])
def test_without_privileges(lab: Lab, allowed: bool) -> None:
    if not allowed:
        lab.way.forbid_ping()
    draft = lab.probe(before=without_raw_sockets)
    assert draft.failure is None
    assert draft.facts["gateway_asked_by"] == ("icmp" if allowed else "udp ttl")
    assert ("gateway_loss_ratio" in draft.values) == allowed
    if not allowed:
        assert draft.unknown["gateway_loss_ratio"].startswith(gateway.NOT_PERMITTED)
    assert 0 < draft.values["gateway_rtt_p50_seconds"] < 0.01
    assert draft.values["path_hops"] == 2
    assert draft.values["path_mtu_up_bytes"] == 1500


# ---- what is not there --------------------------------------------------------------------------------------------


def test_udp_is_blocked_and_the_first_hop_is_measured(lab: Lab) -> None:
    lab.rule("operator", "forward", "meta l4proto udp drop")
    draft = lab.probe()
    assert draft.failure is not None
    assert draft.failure.code == "no_reply"
    assert draft.values["gateway_loss_ratio"] == 0
    assert {n for n in draft.unknown if n.startswith("path")} == set(path.NAMES) - set(gateway.NAMES)


def test_no_gateway(lab: Lab) -> None:
    async def run() -> Draft:
        session = await lab.errand(1.5)
        session.link = replace(session.link, gateway=None, gateway_v6=None)
        return await path.probe(session)

    draft = lab.way.laptop.call(lambda: asyncio.run(run()))
    assert {draft.unknown[name] for name in gateway.NAMES} == {gateway.NO_GATEWAY}
    assert draft.values["path_hops"] == 2


@pytest.mark.any_load
def test_the_link_vanishes_in_the_middle(tmp_path: Path) -> None:
    if reason := why_no_routers():
        pytest.skip(reason)
    with routed_path() as way, room_on(way, tmp_path) as room:
        timer = threading.Timer(2.0, lambda: way.laptop.run(["ip", "link", "del", way.laptop_device], sysfs=False))
        timer.start()
        begun = time.monotonic()
        with warnings.catch_warnings():  # the room's connection cannot even say goodbye
            warnings.simplefilter("ignore", ResourceWarning)
            draft = Lab(way, room.url).probe(20.0)
            gc.collect()
        timer.join()
        assert draft.failure is not None
        assert draft.failure.code == "link_vanished"
        assert time.monotonic() - begun < 12

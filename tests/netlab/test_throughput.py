"""Throughput beside iperf3, and the queue of a router beside what it was told to hold: through the real program."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.netlab.impairment import Way
from tests.netlab.program import Result, Room, check, result_of, room_on, start_check
from tests.netlab.router import RoutedPath, RouterFactory

pytestmark = [pytest.mark.netlab, pytest.mark.timeout(240)]

ALL = "MOTESKLAR_ALL_RATES" in os.environ
# Mbit/s, and octets that may wait on the way down: 0.4 s … 0.024 s. Up it is 0.6 of that: none is taken for the other
QUEUES = {1: 50_000, 5: 100_000, 20: 200_000, 50: 500_000, 200: 600_000}
RATES = [
    pytest.param(rate, marks=[] if ALL or rate == 20 else pytest.mark.skip("set MOTESKLAR_ALL_RATES=1"))
    for rate in QUEUES
]
ENDS: dict[Way, tuple[str, str]] = {"up": ("laptop", "room"), "down": ("room", "laptop")}


def reference(path: RoutedPath, way: Way, mbit: int) -> float:
    """iperf3's figure, the receiver's, in bytes per second. At 1 Mbit/s its first and last moments weigh much."""
    with path.iperf(*ENDS[way], seconds=25 if mbit == 1 else 4) as transfer:
        transfer.wait()
    return transfer.received_mbit * 1e6 / 8


def throughput(path: RoutedPath, room: Room, folder: Path, *more: str) -> Result:
    """Both ends on one core: packets that virtual wires carry on two reorder, which TCP takes for loss."""
    core = min(os.sched_getaffinity(0))
    os.sched_setaffinity(room.process.pid, {core})
    through = ("taskset", "-c", str(core))
    return check(path, room, folder, "--only", "throughput", "--budget-mb", "800", *more, through=through)


@pytest.mark.slow
@pytest.mark.parametrize("mbit", RATES)
def test_as_iperf_says_and_the_queue_as_it_is(routed_path: RouterFactory, tmp_path: Path, mbit: int) -> None:
    with routed_path() as path, room_on(path, tmp_path) as room:
        path.shape("operator", "down", mbit, queue_bytes=QUEUES[mbit])
        path.shape("operator", "up", mbit, queue_bytes=round(0.6 * QUEUES[mbit]))
        down = reference(path, "down", mbit)
        found = throughput(path, room, tmp_path, "--deep").of("throughput")
        up = reference(path, "up", mbit)
    values, full = found["values"], QUEUES[mbit] * 8 / mbit / 1e6
    assert found["failure"] is None
    for way, reference_figure, queue in (("down", down, full), ("up", up, 0.6 * full)):
        assert values[f"throughput_{way}_bytes_per_second"] == pytest.approx(reference_figure, rel=0.05)
        assert values[f"queue_{way}_seconds"] == pytest.approx(queue, rel=0.05)
        assert values[f"rtt_rise_{way}_seconds"] == pytest.approx(queue, rel=0.15)
        assert found["facts"][f"congestion_control_{way}"] == "cubic"
        assert found["facts"][f"saturated_{way}"] is True


@pytest.mark.parametrize(("way", "other"), [("up", "down"), ("down", "up")])
def test_a_long_queue_is_found_in_its_direction_only(
    routed_path: RouterFactory, tmp_path: Path, way: Way, other: Way
) -> None:
    with routed_path() as path, room_on(path, tmp_path) as room:
        path.shape("operator", way, 10, queue_bytes=300_000)
        path.shape("operator", other, 40, queue_bytes=30_000)
        result = throughput(path, room, tmp_path)
    found = result.of("throughput")
    assert found["values"][f"rtt_rise_{way}_seconds"] > 0.15
    assert found["values"][f"rtt_rise_{other}_seconds"] < 0.02
    assert found["values"].get(f"queue_{other}_seconds", 0) < 0.01
    assert _complaints(result) == [f"rtt_rise_{way}"]


def test_a_good_link_is_tested_within_four_seconds(routed_path: RouterFactory, tmp_path: Path) -> None:
    with routed_path() as path, room_on(path, tmp_path) as room:
        for way in ENDS:
            path.shape("operator", way, 150, queue_bytes=200_000)
        result = check(path, room, tmp_path, "--only", "throughput")
    found = result.of("throughput")
    assert found["failure"] is None
    assert found["duration_s"] <= 4
    assert not _complaints(result)
    assert found["facts"]["moved_bytes"] <= 50e6
    assert found["facts"]["stopped_early"]


@pytest.mark.any_load
def test_a_path_that_breaks_in_the_middle(routed_path: RouterFactory, tmp_path: Path) -> None:
    with routed_path() as path, room_on(path, tmp_path) as room:
        path.shape("operator", "down", 20, queue_bytes=100_000)
        process = start_check(path, room, tmp_path, "--only", "throughput", "--deep")
        _until_it_flows(path)
        begun = time.monotonic()
        path.lose("beyond", "both", 0.9999)
        out, err = process.communicate(timeout=60)
        taken = time.monotonic() - begun
        path.heal()
    found = result_of(process, out, err).of("throughput")
    assert found["failure"]["code"] == "transfer_stalled"
    assert not found["values"].keys() & {"throughput_down_bytes_per_second", "throughput_up_bytes_per_second"}
    assert taken < 25


def _complaints(result: Result) -> list[str]:
    """About what this probe has measured."""
    findings = result.document["verdict"]["findings"]
    bad = [f["rule"] for f in findings if f["level"] in ("degraded", "not_ready")]
    return [rule for rule in bad if rule.startswith(("rtt_rise", "throughput"))]


def _until_it_flows(path: RoutedPath) -> None:
    end = time.monotonic() + 20
    while path.queued_bytes("operator", "down") < 20_000:
        assert time.monotonic() < end
        time.sleep(0.05)
    time.sleep(0.5)

"""How many packets may leave, on simulated ways: enough to fill the link, and not so many that they wait for long."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from probes.dispersion import Capacity, Point, capacity
from probes.train_pace import FIRST_WINDOW, Pace
from tests.probes.shaped import OCTETS, Way

M = 1e6 / 8
SEND_NS = 12_000  # for one packet


@dataclass
class Run:
    """What left and what arrived within the time."""

    departures: list[int]
    points: list[Point]
    ended_ns: int


def fly(way: Way, *, rtt_ns: int = 300_000, most: int = 300, widest: int = 32, seconds: float = 0.28) -> Run:
    """The probe's loop against a simulated way; the answers come half an RTT after the arrivals."""
    pace, departures, now, told = Pace(most, OCTETS, widest, rtt_ns, int(seconds * 1e9)), [], 0, 0
    arrivals: list[tuple[int, Point]] = []
    base = way.arrivals([0])[0].arrived_ns
    while not pace.over(now):
        due = [p for at, p in arrivals[told:] if at <= now]
        told += len(due)
        pace.heard(due, now)
        if allowed := pace.allowance(now):
            departures += [now + i * SEND_NS for i in range(allowed)]
            pace.emitted(allowed, now)
            now += allowed * SEND_NS
            arrivals = sorted((p.arrived_ns - base + rtt_ns, p) for p in way.arrivals(departures))
        else:
            now += max(20_000, min(pace.wait_ns(now), 1_000_000))
    return Run(departures, [p for _, p in arrivals[:told]], now)


@pytest.mark.parametrize("bucket", [5_000, 50_000, 200_000])
@pytest.mark.parametrize("rate", [1, 5, 20, 50, 200])
def test_every_rate_and_bucket_is_measured_in_time(rate: float, bucket: float) -> None:
    way = Way(rate * M, bucket)
    run = fly(way)
    found = capacity(run.points, OCTETS)
    assert isinstance(found, Capacity)
    assert found.rate == pytest.approx(way.rate, rel=0.02)
    assert run.ended_ns <= 0.281e9


@pytest.mark.parametrize("bucket", [5_000, 50_000, 100_000, 200_000])
def test_a_slow_link_is_not_left_with_a_long_queue(bucket: float) -> None:
    run = fly(Way(1 * M, bucket))
    assert len(run.departures) - len(run.points) <= 36  # of 11 ms each


@pytest.mark.parametrize("rate", [2, 20, 100])
def test_a_long_way(rate: float) -> None:
    way = Way(rate * M, 30_000)
    found = capacity(fly(way, rtt_ns=40_000_000).points, OCTETS)
    assert isinstance(found, Capacity)
    assert found.rate == pytest.approx(way.rate, rel=0.02)


@pytest.mark.parametrize(("rate", "queue"), [(1, 4_000), (5, 15_000), (50, 20_000)])
def test_a_short_queue_that_overflows(rate: float, queue: float) -> None:
    way = Way(rate * M, 20_000, queue=queue)
    found = capacity(fly(way, seconds=0.4).points, OCTETS)
    assert isinstance(found, Capacity)
    assert found.rate == pytest.approx(way.rate, rel=0.02)


def test_it_begins_with_few_and_ends_when_nothing_comes() -> None:
    pace = Pace(300, OCTETS, 32, 300_000, 10**9)
    assert pace.allowance(0) == FIRST_WINDOW
    pace.emitted(FIRST_WINDOW, 0)
    assert pace.allowance(1000) == 0
    assert not pace.over(40_000_000)
    assert pace.over(60_000_000)


def test_never_more_than_was_ordered() -> None:
    for most in (0, 1, 9, 40):
        assert len(fly(Way(500 * M), most=most).departures) == most

"""Capacity from simulated trains: known rates, bursts, losses, batches, pauses; and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.dispersion import Capacity, Point, Refusal, capacity
from tests.probes.shaped import OCTETS, Way, back_to_back

M = 1e6 / 8
FAST = 900 * M  # what the sender can


def packets_for(way: Way) -> int:
    """What the probe would send: a third of a second's worth and the bucket, and not over 300 packets."""
    return max(20, min(300, int((way.bucket + way.rate * 0.33) / OCTETS)))


def measured(way: Way, packets: int | None = None, sender: float = FAST) -> Capacity | Refusal:
    return capacity(way.arrivals(back_to_back(packets or packets_for(way), sender)), OCTETS)


def error(way: Way, **more: float) -> float:
    found = measured(way, **more)  # type: ignore[arg-type]
    assert isinstance(found, Capacity), found
    return found.rate / way.rate - 1


# ---- known rates


@pytest.mark.parametrize("bucket", [3_000, 5_000, 50_000, 200_000])
@pytest.mark.parametrize("rate", [1, 5, 20, 50, 200])
def test_rates_and_buckets(rate: float, bucket: float) -> None:
    way = Way(rate * M, bucket, jitter_ns=20_000)
    found = measured(way)
    assert isinstance(found, Capacity)
    assert found.rate == pytest.approx(way.rate, rel=0.01)
    assert found.low <= way.rate * 1.001
    assert way.rate * 0.999 <= found.high
    if bucket > 10_000:
        assert found.burst_bytes == pytest.approx(bucket, rel=0.15)


OTHER_WAYS = {
    "a short queue": Way(20 * M, queue=20_000),
    "a short queue and a bucket": Way(50 * M, 50_000, queue=60_000),
    "loss behind the queue": Way(20 * M, loss=0.05, jitter_ns=20_000),
    "much loss behind the queue": Way(20 * M, loss=0.3, jitter_ns=20_000),
    "loss and a bucket": Way(50 * M, 100_000, loss=0.05, jitter_ns=20_000),
    "interrupts every 200 µs": Way(50 * M, batch_ns=200_000),
    "interrupts every 200 µs, a bucket, loss": Way(50 * M, 100_000, batch_ns=200_000, loss=0.02),
    "wifi, eight frames at a time": Way(50 * M, aggregate=8, jitter_ns=50_000),
    "wifi, sixteen frames at a time": Way(100 * M, aggregate=16, jitter_ns=50_000),
    "the link pauses for 5 ms": Way(50 * M, pause=(20e6, 25e6), jitter_ns=20_000),
    "the link pauses for 5 ms, and loses": Way(50 * M, pause=(20e6, 25e6), jitter_ns=20_000, loss=0.02),
    "uneven stamps": Way(100 * M, jitter_ns=100_000),
}


@pytest.mark.parametrize("way", OTHER_WAYS.values(), ids=OTHER_WAYS.keys())
def test_other_ways(way: Way) -> None:
    found = measured(way, 300)
    assert isinstance(found, Capacity), found
    assert found.rate == pytest.approx(way.rate, rel=0.02)


def test_the_interval_holds_the_truth() -> None:
    """In at least 90 of 100 trains with uneven stamps; and it is no wider than it needs to be."""
    ways = [Way(100 * M, 20_000, jitter_ns=80_000, loss=0.01, seed=seed) for seed in range(100)]
    found = [measured(way, 300) for way in ways]
    assert sum(isinstance(f, Capacity) and f.low <= 100 * M <= f.high for f in found) >= 90
    assert all(isinstance(f, Capacity) and f.high - f.low < 0.2 * f.rate for f in found)


def test_pauses_of_the_sender_do_not_count() -> None:
    """After a pause in sending the bucket is full again; what follows is a burst, not the link's rate."""
    way = Way(50 * M, 20_000, jitter_ns=10_000)
    departures = back_to_back(150, FAST)
    departures += [departures[-1] + 80_000_000 + d for d in back_to_back(150, FAST)]
    found = capacity(way.arrivals(departures), OCTETS)
    assert isinstance(found, Capacity)
    assert found.rate == pytest.approx(way.rate, rel=0.02)


def test_the_receivers_clock_may_be_wrong_by_years() -> None:
    way = Way(20 * M)
    early = [p._replace(arrived_ns=p.arrived_ns - 10**18) for p in way.arrivals(back_to_back(200, FAST))]
    found = capacity(early, OCTETS)
    assert isinstance(found, Capacity)
    assert found.rate == pytest.approx(way.rate, rel=0.01)


def test_order_of_arrival_does_not_matter() -> None:
    points = Way(20 * M).arrivals(back_to_back(100, FAST))
    assert capacity(points[::-1], OCTETS) == capacity(points, OCTETS)


# ---- refused


@pytest.mark.parametrize("sender", [10, 50, 90])
def test_a_sender_slower_than_the_link(sender: float) -> None:
    found = measured(Way(100 * M, 20_000, jitter_ns=10_000), 300, sender * M)
    assert isinstance(found, Refusal)
    assert found.reason == "the sender was the bottleneck"
    assert found.at_least == pytest.approx(sender * M, rel=0.05)


def test_a_slow_sender_behind_interrupts_in_batches() -> None:
    assert isinstance(measured(Way(500 * M, batch_ns=500_000), 300, 100 * M), Refusal)


def test_a_burst_that_swallows_the_train() -> None:
    found = measured(Way(5 * M, 500_000), 300)
    assert isinstance(found, Refusal)
    assert found.at_least is not None
    assert found.at_least > 100 * M


@pytest.mark.parametrize("packets", range(9))
def test_too_few(packets: int) -> None:
    found = capacity(Way(20 * M).arrivals(back_to_back(packets, FAST)), OCTETS)
    assert found == Refusal("too few packets of the train arrived")


def test_every_second_packet_lost() -> None:
    points = Way(20 * M).arrivals(back_to_back(200, FAST))[::2]
    assert capacity(points, OCTETS) == Refusal("too few packets of the train arrived")


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.builds(Point, st.integers(0, 400), st.integers(0, 10**10), st.integers(0, 10**10)),
        max_size=60,
        unique_by=lambda p: p.sequence,
    )
)
def test_whatever_arrives_there_is_an_answer(points: list[Point]) -> None:
    found = capacity(points, OCTETS)
    if isinstance(found, Capacity):
        assert 0 < found.low <= found.rate <= found.high < float("inf")
        assert found.burst_bytes is None or found.burst_bytes > 0
    else:
        assert found.reason


@settings(max_examples=60, deadline=None)
@given(
    rate=st.floats(1, 200),
    bucket=st.floats(2_000, 150_000),
    loss=st.floats(0, 0.05),
    jitter=st.floats(0, 30_000),
    seed=st.integers(0, 10**6),
)
def test_any_rate_is_right_or_refused(rate: float, bucket: float, loss: float, jitter: float, seed: int) -> None:
    way = Way(rate * M, bucket, loss=loss, jitter_ns=jitter, seed=seed)
    found = measured(way)
    if isinstance(found, Capacity):
        assert found.rate == pytest.approx(way.rate, rel=0.02)

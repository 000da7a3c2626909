from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.steady import Sample, steady, total_at

MS = 1_000_000


def series(*parts: tuple[float, float], step_ms: int = 10) -> list[Sample]:
    """(seconds, bytes per second) after each other, sampled every `step_ms`."""
    samples, at, total = [Sample(0, 0)], 0.0, 0.0
    for seconds, rate in parts:
        for _ in range(round(seconds * 1000 / step_ms)):
            at += step_ms * MS
            total += rate * step_ms / 1000
            samples.append(Sample(round(at), round(total)))
    return samples


CASES = [
    ("even", [(2, 1e6)], False),
    ("slow start", [(0.1, 1e5), (0.1, 2e5), (0.1, 4e5), (0.1, 8e5), (1.6, 1e6)], False),
    ("a bucket's burst", [(0.1, 1e7), (1.9, 1e6)], False),
    ("two steps up to it", [(0.5, 2e5), (0.3, 5e5), (1.2, 1e6)], False),
    ("slowing down is not growing", [(1, 1.3e6), (1, 1e6)], False),
]


@pytest.mark.parametrize(("parts", "growing"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_what_is_not_steady_is_left_out(parts: list[tuple[float, float]], growing: bool) -> None:
    found = steady(series(*parts))
    assert found is not None
    assert found.bytes_per_second == pytest.approx(1e6, rel=0.03)
    assert found.growing is growing
    assert found.end_ns == 2_000 * MS


def test_a_rate_that_still_doubles_has_no_upper_end() -> None:
    found = steady(series(*[(0.1, 2.0**i * 1e4) for i in range(10)]))
    assert found is not None
    assert found.growing
    assert found.high == math.inf
    assert found.low < found.bytes_per_second


def test_nothing_came_any_more() -> None:
    found = steady(series((0.3, 1e6), (1.7, 0)))
    assert found is not None
    assert found.growing  # no plateau: nothing that could be called the link's speed


@pytest.mark.parametrize(
    "samples", [[], [Sample(0, 0)], [Sample(0, 0), Sample(1, 1), Sample(2, 2)], [Sample(5, 1)] * 4]
)
def test_too_little_to_say_anything(samples: list[Sample]) -> None:
    assert steady(samples) is None


def test_lumps_do_not_shift_the_mean() -> None:
    """TLS records of 16 kB at 1 Mbit/s: one comes every 131 ms."""
    found = steady(series((4, 125_000), step_ms=131))
    assert found is not None
    assert found.bytes_per_second == pytest.approx(125_000, rel=0.001)


def test_the_interval_holds_the_mean_in_19_of_20() -> None:
    held = 0
    for seed in range(100):
        rng = random.Random(seed)
        found = steady(series(*[(0.05, max(0.0, rng.gauss(1e6, 2e5))) for _ in range(40)]))
        assert found is not None
        assert found.interval is not None
        held += found.interval[0] <= 1e6 <= found.interval[1]
    assert held >= 88  # of 100: where the steady part begins depends on the data too


def test_few_messages_have_no_interval_but_bounds() -> None:
    found = steady(series((0.25, 1e5), (0.5, 1e6), step_ms=250))
    assert found is not None
    assert found.interval is None
    assert found.low < 1e6 < found.high


@given(st.lists(st.tuples(st.integers(1, 10**9), st.integers(0, 10**9)), min_size=4, max_size=60))
def test_whatever_comes_the_rate_is_within_what_was_seen(steps: list[tuple[int, int]]) -> None:
    samples, at, total = [], 0, 0
    for wait, more in steps:
        at, total = at + wait, total + more
        samples.append(Sample(at, total))
    found = steady(samples)
    assert found is not None
    assert 0 <= found.bytes_per_second <= max(more / wait for wait, more in steps) * 1e9 * 1.0001
    assert samples[0].at_ns <= found.begin_ns < found.end_ns == samples[-1].at_ns
    assert total_at(samples, samples[-1].at_ns) == total

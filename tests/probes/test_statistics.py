from __future__ import annotations

import math
import random
from itertools import pairwise
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.statistics import Z95, batch_means, percentile, wilson, z_of_worst

NUMBERS = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60).map(sorted)


@pytest.mark.parametrize(
    ("ordered", "fraction", "expected"),
    [([7], 0.95, 7), ([1, 2], 0.5, 1.5), ([1, 2, 3], 0.5, 2), ([0, 10], 0.95, 9.5), ([1, 2, 3, 4], 0.0, 1),
     ([1, 2, 3, 4], 1.0, 4), (list(range(101)), 0.99, 99)],
)  # fmt: skip
def test_percentile(ordered: list[float], fraction: float, expected: float) -> None:
    assert percentile(ordered, fraction) == pytest.approx(expected)


@given(NUMBERS)
def test_percentiles_are_ordered_and_within(ordered: list[float]) -> None:
    found = [percentile(ordered, f) for f in (0, 0.5, 0.95, 0.99, 1)]
    assert found[0] == ordered[0]
    assert found[-1] == ordered[-1]
    assert all(b >= a - 1e-9 * max(1, abs(a)) for a, b in pairwise(found))


@given(NUMBERS, st.floats(0, 1))
def test_percentile_is_numpys(ordered: list[float], fraction: float) -> None:
    import numpy as np

    assert percentile(ordered, fraction) == pytest.approx(float(np.quantile(ordered, fraction)), rel=1e-9, abs=1e-6)


# Wilson's score interval, 95 %: 10 of 100 and 1 of 10 as tabulated widely; the others from its formula by hand
# at the ends: 0 of n reaches to z²/(n + z²).
@pytest.mark.parametrize(
    ("events", "total", "low", "high"),
    [(10, 100, 0.0552, 0.1744), (1, 10, 0.0179, 0.4042), (5, 10, 0.2366, 0.7634), (0, 20, 0.0, 0.1611),
     (20, 20, 0.8389, 1.0), (0, 1, 0.0, 0.7935), (50, 1000, 0.0381, 0.0653)],
)  # fmt: skip
def test_wilson(events: int, total: int, low: float, high: float) -> None:
    assert wilson(events, total) == (pytest.approx(low, abs=6e-5), pytest.approx(high, abs=6e-5))


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_the_ratio(counts: tuple[int, int]) -> None:
    events, total = counts
    low, high = wilson(events, total)
    assert 0 <= low <= events / total <= high <= 1
    wider = wilson(events, total, 3.0)
    assert wider[0] <= low + 1e-12
    assert wider[1] >= high - 1e-12


def test_z_of_worst() -> None:
    assert z_of_worst(1) == pytest.approx(Z95, abs=1e-5)
    assert z_of_worst(0) == z_of_worst(1)
    assert z_of_worst(5) == pytest.approx(2.5758, abs=1e-4)  # 99 %
    assert z_of_worst(50) == pytest.approx(3.2905, abs=1e-4)  # 99.9 %


def test_batch_means_by_hand() -> None:
    values = [1.0] * 32 + [2.0] * 32 + [3.0] * 32  # three batches of means 1, 2, 3: s = 1, t(2) = 4.303
    half = 4.303 / math.sqrt(3)
    assert batch_means(values) == (pytest.approx(2 - half), pytest.approx(2 + half))


@pytest.mark.parametrize(("length", "known"), [(0, False), (95, False), (96, True), (320, True), (5000, True)])
def test_batch_means_of_too_few_is_none(length: int, known: bool) -> None:
    assert (batch_means([0.5] * length) is not None) is known


def ar1(rng: random.Random, length: int, phi: float) -> list[float]:
    """x = phi x' + noise, stationary from its first value; the true mean is 5."""
    x, series = rng.gauss(0, 1 / math.sqrt(1 - phi * phi)), []
    for _ in range(length):
        x = phi * x + rng.gauss(0, 1)
        series.append(5 + x)
    return series


@pytest.mark.parametrize(("phi", "length", "least"), [(0.0, 1000, 0.92), (0.6, 1000, 0.92), (0.9, 3000, 0.90)])
def test_batch_means_cover_the_true_mean_of_a_correlated_series(phi: float, length: int, least: float) -> None:
    rng = random.Random(20)
    runs = 300
    covered = naive = 0
    for _ in range(runs):
        series = ar1(rng, length, phi)
        found = batch_means(series)
        assert found is not None
        covered += found[0] <= 5 <= found[1]
        middle = fmean(series)
        half = 1.96 * math.sqrt(fmean((v - middle) ** 2 for v in series) / length)
        naive += abs(middle - 5) <= half
    assert least <= covered / runs <= 0.985
    if phi:
        assert naive / runs < 0.75  # what an interval that takes them as independent would do

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testroom.limits import Buckets, TokenBucket

S = 1_000_000_000


@pytest.mark.parametrize(
    ("rate", "burst", "asks", "allowed"),
    [
        (10, None, [(0, 12)], 10),  # a second's worth at once
        (10, 3, [(0, 12)], 3),
        (0.5, None, [(0, 3)], 1),  # never less than one
        (10, 2, [(0, 2), (0.1, 2)], 3),  # a tenth of a second: one more
        (10, 2, [(0, 2), (100, 5)], 4),  # never more than the burst
        (10, 2, [(0, 2), (0.05, 1), (0.1, 1)], 3),  # halves add up
    ],
)
def test_token_bucket(rate: float, burst: float | None, asks: list[tuple[float, int]], allowed: int) -> None:
    bucket = TokenBucket(rate, 5 * S, burst)
    assert sum(bucket.allow(round((5 + at) * S)) for at, times in asks for _ in range(times)) == allowed


def test_a_clock_that_is_set_back_stops_nobody_for_long() -> None:
    bucket = TokenBucket(10, 1000 * S, burst=1)
    assert bucket.allow(1000 * S)
    assert not bucket.allow(400 * S)  # ten minutes back: no gift ...
    assert bucket.allow(400 * S + S // 5)  # ... and no debt


@given(st.lists(st.integers(0, 3 * S), max_size=60).map(sorted), st.integers(1, 20))
def test_never_more_than_burst_and_rate(times: list[int], rate: int) -> None:
    bucket = TokenBucket(rate, 0)
    allowed = [t for t in times if bucket.allow(t)]
    for i, first in enumerate(allowed):
        for j, last in enumerate(allowed[i:], i):
            assert j - i + 1 <= rate + (last - first) / S * rate + 1e-6


def test_each_key_has_its_own_bucket() -> None:
    buckets = Buckets(1, burst=2)
    assert [buckets.allow(key, 0) for key in "aaabbb"] == [True, True, False] * 2


def test_memory_does_not_grow_and_the_latest_are_kept() -> None:
    buckets = Buckets(1, burst=1, most=3)
    for key in ("a", "b", "c", "a", "d"):  # d drives b out, the one seen longest ago
        buckets.allow(key, 0)
    assert len(buckets._of) == 3
    assert [buckets.allow(key, 0) for key in ("a", "d", "b")] == [False, False, True]

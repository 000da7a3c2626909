from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes import emodel

# R and MOS: G.107, annex B; its table B.1 has MOS 4.34, 4.03, 3.60, 3.10, 2.58 at R 90, 80, 70, 60, 50
RATINGS = [(-5, 1.0), (0, 1.0), (3, 1.0), (50, 2.58), (60, 3.10), (70, 3.60), (80, 4.03), (90, 4.34), (93.2, 4.41),
           (100, 4.5), (120, 4.5)]  # fmt: skip


@pytest.mark.parametrize(("rating", "mos"), RATINGS)
def test_mos_of_a_rating(rating: float, mos: float) -> None:
    assert emodel.mos(rating) == pytest.approx(mos, abs=0.0065)


def idd(ms: float) -> float:
    """G.107, equation 7-27, written anew with the logarithms it is printed with."""
    x = math.log10(ms / 100) / math.log10(2)
    return 25 * (math.pow(1 + x**6, 1 / 6) - 3 * math.pow(1 + (x / 3) ** 6, 1 / 6) + 2)


# by hand at Ta = 200 ms: X = 1: 25 (2^(1/6) - 3 (1 + 1/729)^(1/6) + 2) = 25 (1.122462 - 3.000685 + 2) = 3.0444;
# at 400 ms: X = 2: 25 (65^(1/6) - 3 (1 + 64/729)^(1/6) + 2) = 25 (2.005176 - 3.042380 + 2) = 24.0699
@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.0, 0), (0.1, 0), (0.101, 0), (0.15, 0.163), (0.2, 3.0444), (0.3, 14.76), (0.4, 24.07)],
)
def test_delay_impairment(seconds: float, expected: float) -> None:
    assert emodel.delay_impairment(seconds) == pytest.approx(expected, abs=0.03)
    if seconds > 0.1:
        assert emodel.delay_impairment(seconds) == pytest.approx(idd(seconds * 1000), abs=1e-9)


# Ie,eff = 95 Ppl / (Ppl / BurstR + 20), with the loss in per cent
@pytest.mark.parametrize(
    ("ratio", "burst", "expected"),
    [(0, 1, 0), (0.01, 1, 95 / 21), (0.05, 1, 19), (0.2, 1, 47.5), (0.2, 2, 1900 / 30), (1, 1, 9500 / 120),
     (0.05, 0.5, 19)],
)  # fmt: skip
def test_loss_impairment(ratio: float, burst: float, expected: float) -> None:
    assert emodel.loss_impairment(ratio, burst) == pytest.approx(expected)


# x is lost. A mean run of losses, over the 1 / (1 - loss) that independent loss would give
@pytest.mark.parametrize(
    ("pattern", "expected"),
    [("", 1), ("....", 1), ("x...", 1), ("xx..", 1), ("xxx.......", 2.1), ("xxxx............", 3), ("xx....x...", 1.05),
     ("xxxx", 1)],
)  # fmt: skip
def test_burst_ratio(pattern: str, expected: float) -> None:
    assert emodel.burst_ratio([c == "x" for c in pattern]) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("one_way", "buffer", "lost", "expected"),
    [
        (0.01, 0.01, 0, 4.41),  # R = 93.2
        (0.15, 0.0235, 0, 4.343),  # Ta = 200 ms: R = 90.16
        (0.0, 0.0, 5, 3.79),  # 5 % lost singly: BurstR 1, R = 74.2
        (0.0, 0.0, 100, 1.103),  # everything: R = 14.03
    ],
)
def test_a_conversation(one_way: float, buffer: float, lost: int, expected: float) -> None:
    packets = [i % 20 == 3 for i in range(100)] if lost == 5 else [i < lost for i in range(100)]
    assert emodel.conversation(one_way, buffer, packets) == pytest.approx(expected, abs=0.012)


def test_losses_together_are_worse_than_the_same_apart() -> None:
    apart, together = [i % 20 == 3 for i in range(200)], [i < 10 for i in range(200)]
    assert emodel.conversation(0.05, 0.02, together) < emodel.conversation(0.05, 0.02, apart) - 0.1


SECONDS = st.floats(0, 3)


@given(SECONDS, SECONDS, st.lists(st.booleans(), max_size=100))
def test_mos_is_a_mos_and_never_better_with_more_delay(delay: float, more: float, lost: list[bool]) -> None:
    here, there = emodel.conversation(delay, 0.0, lost), emodel.conversation(delay + more, 0.0, lost)
    assert 1 <= there <= here + 1e-9 <= 4.5 + 1e-9


@given(st.floats(0, 99), st.floats(0.001, 1))
def test_mos_rises_with_the_rating(rating: float, more: float) -> None:
    assert emodel.mos(rating + more) >= emodel.mos(rating)

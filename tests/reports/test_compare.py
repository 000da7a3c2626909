"""Which link is better, and when that cannot be said."""

import math
import random
from statistics import fmean

import pytest

from reports.compare import KIND_ORDER, compare, t_quantile
from reports.record import KINDS, Kind

KIND: dict[str, Kind] = {"eth0": "wired", "wlan0": "wifi", "usb0": "tethered", "wwan0": "mobile"}


def walk(seed: int, mean: float, *, n: int = 50, alike: float = 0.5, spread: float = 0.2) -> list[float]:
    """Slots that resemble their neighbours, as a link's quality does."""
    rng, x, slots = random.Random(seed), 0.0, []
    for _ in range(n):
        x = alike * x + rng.gauss(0, spread)
        slots.append(mean + x)
    return slots


def test_a_clear_difference() -> None:
    bad, fair = walk(1, 3.0), walk(2, 4.2)
    c = compare({"eth0": bad, "wlan0": fair}, kinds=KIND)
    assert (c.best, c.worst, c.told_apart) == ("wlan0", "eth0", True)
    (d,) = c.differences
    assert (d.a, d.b) == ("wlan0", "eth0")
    assert 0.5 < d.low < fmean(fair) - fmean(bad) < d.high < 1.5


def test_equal_links_fall_to_the_routine() -> None:
    c = compare({"usb0": walk(1, 4.0), "wlan0": walk(2, 4.0), "eth0": walk(3, 4.0)}, kinds=KIND)
    assert (c.best, c.worst, c.told_apart) == ("eth0", None, False)
    assert len(c.differences) == 3


def test_the_worst_is_named_when_the_best_two_are_alike() -> None:
    c = compare({"wlan0": walk(1, 2.0), "usb0": walk(2, 4.2), "eth0": walk(3, 4.2)}, kinds=KIND)
    assert (c.best, c.worst, c.told_apart) == ("eth0", "wlan0", False)


def test_what_strikes_both_links_cancels() -> None:
    rng = random.Random(4)
    shared = [rng.gauss(0, 0.5) for _ in range(50)]
    c = compare({"eth0": [4.0 + s for s in shared], "wlan0": [3.8 + s for s in shared]}, kinds=KIND)
    assert c.told_apart
    assert c.differences[0].low == pytest.approx(0.2)
    assert not compare({"eth0": [4.0 + s for s in shared], "wlan0": walk(9, 3.8, spread=0.5)}, kinds=KIND).told_apart


def test_a_difference_nobody_hears_is_none() -> None:
    c = compare({"wlan0": [4.41] * 50, "eth0": [4.40] * 50}, kinds=KIND)
    assert (c.best, c.told_apart) == ("eth0", False)


@pytest.mark.parametrize("slots", [[], [math.nan] * 50, [4.0] * 4])
def test_too_little_to_say(slots: list[float]) -> None:
    c = compare({"eth0": slots, "wlan0": walk(1, 2.0)}, kinds=KIND)
    assert (c.told_apart, c.worst, c.differences) == (False, None, ())


def test_a_link_of_which_nothing_is_known_is_not_recommended() -> None:
    assert compare({"eth0": [math.nan] * 50, "wlan0": walk(1, 2.0)}, kinds=KIND).best == "wlan0"


def test_slots_without_a_value_are_left_out_in_pairs() -> None:
    holes = [math.nan if i % 3 == 0 else q for i, q in enumerate(walk(1, 3.0))]
    assert compare({"eth0": holes, "wlan0": walk(2, 4.2)}, kinds=KIND).best == "wlan0"


def test_none_and_one() -> None:
    assert compare({}, kinds=KIND).best is None
    alone = compare({"wlan0": walk(1, 4.0)}, kinds=KIND)
    assert (alone.best, alone.worst, alone.told_apart) == ("wlan0", None, False)


def test_the_order_of_kinds_is_whole() -> None:
    assert set(KIND_ORDER) == set(KINDS)


@pytest.mark.parametrize(("df", "table"), [(4, 2.7764), (5, 2.5706), (9, 2.2622), (30, 2.0423)])
def test_students_t(df: int, table: float) -> None:
    assert t_quantile(0.975, df) == pytest.approx(table, rel=1e-3)


def test_equal_links_are_seldom_told_apart_and_unequal_ones_mostly() -> None:
    """Seeded: 200 comparisons each; a 95 % interval may err in 5 of 100, and correlated slots cost a few more."""

    def told(difference: float, alike: float = 0.5) -> int:
        pairs = (
            {"eth0": walk(2 * i, 4.0 - difference, alike=alike), "wlan0": walk(2 * i + 1, 4.0, alike=alike)}
            for i in range(200)
        )
        return sum(compare(pair, kinds=KIND).told_apart for pair in pairs)

    assert told(0.0) <= 16
    assert told(0.0, alike=0.8) <= 26
    assert told(0.5) >= 190

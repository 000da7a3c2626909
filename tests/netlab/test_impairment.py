import math
import random
from dataclasses import replace
from itertools import pairwise
from statistics import fmean, pstdev

import pytest

from tests.netlab.impairment import SECOND, SHAPES, GilbertElliott, Impairer, Impairment

MS = SECOND // 1000


def plans(impairment, count=1000, *, seed=1, size=100, step=MS, udp=True):
    impairer = Impairer(impairment, seed, "up")
    return [impairer.plan(n * step, size, udp=udp) for n in range(count)]


def lost(planned):
    return [n for n, (outcome, _) in enumerate(planned) if outcome == "lost"]


@pytest.mark.parametrize(
    ("impairment", "expected"),
    [
        (Impairment(), []),
        (Impairment(lose=(0, 3, 4)), [0, 3, 4]),
        (Impairment(lose_every=4), [3, 7, 11]),
        (Impairment(lose_every=5, lose=(0,)), [0, 4, 9]),
        (Impairment(loss=1.0), list(range(12))),
        (Impairment(burst=GilbertElliott(to_bad=1.0, to_good=1.0)), [0, 2, 4, 6, 8, 10]),
        (Impairment(burst=GilbertElliott(to_bad=1.0, to_good=0.0)), list(range(12))),
    ],
)
def test_loss_by_pattern(impairment, expected):
    assert lost(plans(impairment, 12)) == expected


def test_random_loss_has_its_ratio():
    ratio = len(lost(plans(Impairment(loss=0.05), 20_000))) / 20_000
    assert ratio == pytest.approx(0.05, abs=4 * math.sqrt(0.05 * 0.95 / 20_000))


def test_burst_loss_has_its_ratio_and_its_mean_length():
    gone = set(lost(plans(Impairment(burst=GilbertElliott(to_bad=0.02, to_good=0.25)), 50_000)))
    bursts = sum(1 for n in gone if n - 1 not in gone)
    assert len(gone) / 50_000 == pytest.approx(0.02 / 0.27, rel=0.1)
    assert len(gone) / bursts == pytest.approx(4.0, rel=0.1)


@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_is_centred_with_deviation_one(shape):
    rng = random.Random(5)
    drawn = [SHAPES[shape](rng) for _ in range(100_000)]
    assert fmean(drawn) == pytest.approx(0, abs=0.02)
    assert pstdev(drawn) == pytest.approx(1, rel=0.1 if shape == "pareto" else 0.02)


@pytest.mark.parametrize("shape", SHAPES)
def test_jitter_is_the_standard_deviation_of_the_delay(shape):
    planned = plans(Impairment(delay=0.1, jitter=0.01, shape=shape, keep_order=False), 20_000)
    delays = [(dues[0] - n * MS) / SECOND for n, (_, dues) in enumerate(planned)]
    assert fmean(delays) == pytest.approx(0.1, abs=0.0005)
    assert pstdev(delays) == pytest.approx(0.01, rel=0.15 if shape == "pareto" else 0.03)


def test_no_packet_leaves_before_it_came():
    assert all(dues[0] >= n * MS for n, (_, dues) in enumerate(plans(Impairment(jitter=0.02, keep_order=False))))


@pytest.mark.parametrize("keep_order", [True, False])
def test_order_is_kept_when_asked(keep_order):
    dues = [dues[0] for _, dues in plans(Impairment(delay=0.05, jitter=0.005, keep_order=keep_order))]
    assert (dues == sorted(dues)) is keep_order


def test_a_packet_held_back_does_not_drag_the_next_along():
    planned = plans(Impairment(delay=0.01, reorder_at=(2,), reorder_hold=0.005), 5)
    assert [dues[0] // MS for _, dues in planned] == [10, 11, 17, 13, 14]


def test_duplicates():
    planned = plans(Impairment(duplicate_at=(1,), duplicate_gap=0.002), 3)
    assert [[d // MS for d in dues] for _, dues in planned] == [[0], [1, 3], [2]]


def test_rate_spaces_packets_and_drops_what_finds_no_place():
    impairment = Impairment(rate=100_000, queue=300)  # 100 bytes take 1 ms
    impairer = Impairer(impairment, 1, "up")
    planned = [impairer.plan(0, 100, udp=True) for _ in range(5)]
    assert planned == [("delivered", (n * MS,)) for n in (1, 2, 3)] + [("queue_dropped", ())] * 2
    assert impairer.plan(2 * MS, 100, udp=True) == ("delivered", (4 * MS,))
    assert impairer.plan(50 * MS, 100, udp=True) == ("delivered", (51 * MS,))


def test_a_lost_packet_has_used_the_rate():
    impairer = Impairer(Impairment(rate=100_000, lose=(0,)), 1, "up")
    assert impairer.plan(0, 100, udp=True) == ("lost", ())
    assert impairer.plan(0, 100, udp=True) == ("delivered", (2 * MS,))


EVERYTHING = Impairment(
    delay=0.02,
    jitter=0.005,
    shape="pareto",
    loss=0.1,
    duplicate=0.1,
    reorder=0.1,
    burst=GilbertElliott(0.1, 0.5, 0.9, 0.01),
    lose=(3,),
)


def test_one_seed_gives_one_series():
    assert plans(EVERYTHING, seed=7) == plans(EVERYTHING, seed=7)
    assert plans(EVERYTHING, seed=7) != plans(EVERYTHING, seed=8)


def test_chance_does_not_depend_on_timing():
    fates = [[(outcome, len(dues)) for outcome, dues in plans(EVERYTHING, step=step)] for step in (MS, 7 * MS)]
    assert fates[0] == fates[1]


def test_directions_differ_under_one_seed():
    there, back = (Impairer(Impairment(loss=0.5), 1, way) for way in ("up", "down"))
    assert [there.plan(0, 1, udp=True) for _ in range(99)] != [back.plan(0, 1, udp=True) for _ in range(99)]


def test_udp_only_spares_the_others_and_does_not_count_them():
    impairer = Impairer(Impairment(delay=0.001, loss=0.0, lose=(1,), jitter=0.0, udp_only=True), 1, "up")
    planned = [impairer.plan(0, 100, udp=udp)[0] for udp in (True, False, False, True, True)]
    assert planned == ["delivered", "delivered", "delivered", "lost", "delivered"]


def test_positions_count_from_the_change_and_chance_goes_on():
    impairer = Impairer(Impairment(lose=(0,)), 1, "up")
    first = [impairer.plan(0, 1, udp=True)[0] for _ in range(3)]
    impairer.change(Impairment(lose=(1,)))
    assert [*first, *(impairer.plan(0, 1, udp=True)[0] for _ in range(3))] == [
        "lost",
        "delivered",
        "delivered",
        "delivered",
        "lost",
        "delivered",
    ]


def test_gaps_of_a_rate_are_even():
    dues = [dues[0] for _, dues in plans(Impairment(rate=250_000, queue=10**6), 100, size=500)]
    assert {b - a for a, b in pairwise(dues)} == {2 * MS}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"loss": 1.5}, "loss"),
        ({"duplicate": -0.1}, "duplicate"),
        ({"delay": -1}, "delay"),
        ({"shape": "round"}, "shape"),
        ({"rate": 0}, "rate"),
        ({"burst": {"to_bad": 1.5, "to_good": 0.1}}, "to_bad"),
    ],
)
def test_values_out_of_range_are_refused(wrong, says):
    with pytest.raises(ValueError, match=says):
        Impairment.from_json(wrong)


def test_json_gives_the_same_back():
    assert Impairment.from_json(EVERYTHING.to_json()) == EVERYTHING
    assert Impairment.from_json({"delay": 0.5}) == replace(Impairment(), delay=0.5)
    with pytest.raises(TypeError, match="dealy"):
        Impairment.from_json({"dealy": 0.5})

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes import loss
from probes.loss import Packet
from probes.roundtrip import Fates, RoundTrip
from reports.vocabulary import NAMES
from tests.probes.trips import BEGIN, STEP, fates, trace, trip

PATTERNS = st.lists(st.booleans(), min_size=1, max_size=200)


def packets(pattern: str) -> list[Packet]:
    """x is lost; one every 20 ms."""
    return [Packet(BEGIN + i * STEP, c == "x") for i, c in enumerate(pattern)]


def lost_at(count: int, ups: Sequence[int], downs: Sequence[int]) -> list[RoundTrip]:
    return [trip(i, None if i in ups else 0.01, None if i in downs else 0.01) for i in range(count)]


# ---- directions ---------------------------------------------------------------------------------------------------


def test_each_loss_in_its_direction() -> None:
    trips = lost_at(10, ups=[2, 5], downs=[7])
    found, unknown = loss.values(trace(trips, fates([i for i in range(10) if i not in (2, 5)])))
    assert unknown == {}
    assert (found["packets_sent"], found["packets_reflected"], found["packets_received"]) == (10, 8, 7)
    assert (found["loss_up_ratio"], found["loss_down_ratio"], found["loss_ratio"]) == (0.2, 1 / 8, 0.3)
    assert found["loss_up_ratio_ci95_low"] < 0.2 < found["loss_up_ratio_ci95_high"]


def test_without_a_report_loss_has_no_direction_and_none_is_guessed() -> None:
    found, unknown = loss.values(trace(lost_at(10, ups=[2], downs=[7])))
    assert found["loss_ratio"] == 0.2
    assert "packets_reflected" not in found
    assert not [n for n in found if n.startswith(("loss_up", "loss_down", "duplicate", "burst"))]
    assert set(unknown) == {f"{what}_{way}_ratio" for what in ("loss", "duplicate") for way in ("up", "down")}
    assert unknown.keys() <= NAMES


def test_without_a_report_but_with_every_answer_nothing_was_lost() -> None:
    found, unknown = loss.values(trace(lost_at(10, [], [])))
    assert found["loss_up_ratio"] == found["loss_down_ratio"] == 0
    assert set(unknown) == {"duplicate_up_ratio", "duplicate_down_ratio"}  # a copy's way is still not known


def test_an_answer_proves_arrival_though_the_report_is_short() -> None:
    found, _ = loss.values(trace(lost_at(4, [], []), Fates(1, 0, 0, 0, b"\x01")))
    assert found["loss_up_ratio"] == 0


def test_everything_lost() -> None:
    found, _ = loss.values(trace(lost_at(20, range(20), []), fates([])))
    assert (found["loss_up_ratio"], found["loss_ratio"]) == (1, 1)
    assert "loss_down_ratio" not in found  # nothing was on that way
    found, _ = loss.values(trace(lost_at(20, [], range(20)), fates(range(20))))
    assert (found["loss_up_ratio"], found["loss_down_ratio"], found["packets_reflected"]) == (0, 1, 20)


def test_what_was_not_sent_was_not_lost() -> None:
    never = RoundTrip(3, "audio", 160, BEGIN)
    found, _ = loss.values(trace([*lost_at(3, [], []), never], fates(range(3))))
    assert (found["packets_sent"], found["loss_ratio"]) == (3, 0)
    assert loss.values(trace([never])) == ({}, {})


# ---- copies and order ---------------------------------------------------------------------------------------------


def test_copies() -> None:
    trips = [trip(i, copies=3 if i == 1 else 1) for i in range(4)]
    found, _ = loss.values(trace(trips, fates(range(4), duplicates=1)))
    assert (found["duplicate_down_ratio"], found["duplicate_up_ratio"]) == (0.5, 0.25)


# RFC 4737: a packet is reordered when its number is below the next expected; the first rows are section 7's manner
ORDERS = [([1, 2, 3, 4], 0), ([1, 2, 4, 5, 3], 1), ([1, 2, 7, 3, 4, 5, 6], 4), ([4, 3, 2, 1], 3), ([2, 1, 4, 3], 2),
          ([1, 4, 2, 5, 3], 2), ([], 0), ([9], 0)]  # fmt: skip


@pytest.mark.parametrize(("sequences", "count"), ORDERS)
def test_reordered(sequences: list[int], count: int) -> None:
    assert loss.reordered(sequences) == count


def test_reordering_in_its_direction() -> None:
    trips = [trip(i) for i in range(10)]
    trips[4].order, trips[5].order = 5, 4  # overtaken on the way back
    found, _ = loss.values(trace(trips, fates(range(10), reordered=3)))
    assert (found["reordered_down_ratio"], found["reordered_up_ratio"]) == (0.1, 0.3)
    trips = [trip(i, reflected={4: 5, 5: 4}.get(i, i)) for i in range(10)]
    trips[4].order, trips[5].order = 5, 4  # overtaken on the way there, and so answered in that order
    found, _ = loss.values(trace(trips))
    assert (found["reordered_down_ratio"], found["reordered_up_ratio"]) == (0, 0.1)


# ---- bursts -------------------------------------------------------------------------------------------------------

DOT16 = "." * 16
# pattern, density of gaps, density of bursts, mean burst (packets from its first loss to its last), mean gap
BURSTS = {
    "none": ("." * 50, 0, 0, None, None),
    "one alone": (DOT16 + "x" + DOT16, 1 / 33, 0, None, None),
    "two alone, 16 apart": (DOT16 + "x" + DOT16 + "x" + DOT16, 2 / 50, 0, None, None),
    "two together, 15 apart": (DOT16 + "x" + DOT16[:15] + "x" + DOT16, 0, 2 / 17, 17, (48 - 16) / 2),
    "solid": ("." * 20 + "xxxx" + "." * 20, 0, 1, 4, (43 - 3) / 2),
    "burst and lone": ("." * 20 + "xx.x" + "." * 20 + "x" + "." * 20, 1 / 61, 3 / 4, 4, (64 - 3) / 2),
    "two bursts": ("xx" + "." * 30 + "x.x.x.x" + "." * 11, 0, 6 / 9, 4.5, (49 - 1 - 6) / 3),
    "all": ("x" * 10, 0, 1, 10, 0),
}


@pytest.mark.parametrize(("pattern", "gap_density", "density", "burst", "gap"), BURSTS.values(), ids=BURSTS)
def test_bursts_and_gaps(
    pattern: str, gap_density: float, density: float, burst: float | None, gap: float | None
) -> None:
    found = loss.bursts_and_gaps("up", packets(pattern))
    assert found["gap_density_up_ratio"] == pytest.approx(gap_density)
    assert found["burst_density_up_ratio"] == pytest.approx(density)
    if burst is None or gap is None:
        assert len(found) == 2
    else:
        assert found["burst_duration_up_seconds"] == pytest.approx((burst - 1) * 0.02)  # from first loss to last
        assert found["gap_duration_up_seconds"] == pytest.approx(gap * 0.02)


WORST = [("." * 100, 0, 10), ("." * 40 + "xx" + "." * 50, 2, 10), ("xxxxx" + "." * 95, 5, 10),
         ("." * 20 + "x" + "." * 9 + "x" + "." * 20, 1, 10), ("." * 20 + "x" + "." * 8 + "x" + "." * 20, 2, 10),
         ("x" * 100, 10, 10)]  # fmt: skip


@pytest.mark.parametrize(("pattern", "lost", "sent"), WORST)
def test_the_worst_200_ms(pattern: str, lost: int, sent: int) -> None:
    trips = lost_at(len(pattern), [i for i, c in enumerate(pattern) if c == "x"], [])
    found, _ = loss.values(trace(trips, fates([i for i, c in enumerate(pattern) if c == "."])))
    assert found["burst_loss_up_ratio"] == pytest.approx(lost / sent)
    assert found["burst_loss_up_ratio_ci95_low"] <= lost / sent <= found["burst_loss_up_ratio_ci95_high"]


def test_the_worst_of_many_windows_has_a_wider_interval() -> None:
    def width(count: int) -> float:
        trips = lost_at(count, [5, 6], [])
        found, _ = loss.values(trace(trips, fates([i for i in range(count) if i not in (5, 6)])))
        return found["burst_loss_up_ratio_ci95_high"] - found["burst_loss_up_ratio_ci95_low"]

    assert width(11) < width(200) < width(2000)


# ---- invariants ---------------------------------------------------------------------------------------------------


@given(PATTERNS, st.randoms(use_true_random=False))
def test_every_packet_is_accounted_for(reached: list[bool], rng: st.DataObject) -> None:
    trips = [trip(i, 0.01 if here else None, rng.choice([0.01, None])) for i, here in enumerate(reached)]
    run = trace(trips, fates([i for i, here in enumerate(reached) if here]))
    found, unknown = loss.values(run)
    assert unknown == {}
    assert found.keys() <= NAMES
    assert all(0 <= v <= 1 for n, v in found.items() if "_ratio" in n)
    assert all(v >= 0 for v in found.values())
    ways = loss.directions(run)
    assert ways is not None
    for packets_, arrived in ((ways["up"], found["packets_reflected"]), (ways["down"], found["packets_received"])):
        assert len(packets_) == arrived + sum(p.lost for p in packets_)  # sent = received + lost


@given(PATTERNS)
def test_the_worst_window_is_at_least_the_mean(lost: list[bool]) -> None:
    """Slow and plain: every window of 200 ms that lies within the run."""
    given_ = [Packet(BEGIN + i * STEP, x) for i, x in enumerate(lost)]
    runs = [lost[i : i + 10] for i in range(max(1, len(lost) - 10))]
    expected = max(sum(w) / len(w) for w in runs)
    trips = lost_at(len(lost), [i for i, x in enumerate(lost) if x], [])
    found, _ = loss.values(trace(trips, fates([i for i, x in enumerate(lost) if not x])))
    assert found["burst_loss_up_ratio"] == pytest.approx(expected)
    assert loss.bursts_and_gaps("up", given_).keys() <= NAMES


@given(st.lists(st.integers(0, 300), unique=True))
def test_the_reports_bits(reached: list[int]) -> None:
    report = fates(reached)
    assert [n for n in range(320) if report.reached(n)] == sorted(reached)
    assert not replace(report, seen=b"").reached(0)

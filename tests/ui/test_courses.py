"""The chart's points: half seconds of a run, from raw round trips."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.ui.courses import MOST_POINTS, courses_of, slot_of
from probes.quality import SLOT_NS
from probes.roundtrip import Trace
from tests.probes.trips import MS, trace, trip
from tests.reports.make import link

WORDS = {"eth0": {"sv": "nätverkskabel", "en": "network cable"}, "wlan0": {"sv": "trådlöst nät", "en": "wifi"}}
LINKS = (link(), link("wlan0", "wifi"))


def steady(count: int, **more: float | None) -> Trace:
    """Every 20 ms, so that 25 make a slot."""
    return trace([trip(n, **more) for n in range(count)])


def test_a_slot_is_half_a_second_with_its_median_and_its_loss() -> None:
    slow = [trip(n, up=0.030) for n in range(25, 45)] + [trip(n, up=None) for n in range(45, 50)]
    (course,) = courses_of(LINKS[:1], {"eth0": trace([*(trip(n) for n in range(25)), *slow])}, WORDS)
    assert (course.kind, course.says["sv"]) == ("wired", "nätverkskabel")
    first, second = course.points
    assert (first.seconds, first.loss_ratio, second.seconds) == (0.0, 0.0, 0.5)
    assert first.rtt_seconds == pytest.approx(0.020, abs=2e-4)
    assert second.rtt_seconds == pytest.approx(0.040, abs=2e-4)
    assert second.loss_ratio == pytest.approx(5 / 25)


def test_the_median_is_no_mean() -> None:
    (course,) = courses_of(LINKS[:1], {"eth0": trace([trip(0), trip(1), trip(2, up=0.9)])}, WORDS)
    assert course.points[0].rtt_seconds == pytest.approx(0.020, abs=2e-4)


def test_where_nothing_came_back_there_is_no_round_trip() -> None:
    (course,) = courses_of(LINKS[:1], {"eth0": steady(10, up=None)}, WORDS)
    assert [(p.rtt_seconds, p.loss_ratio) for p in course.points] == [(None, 1.0)]


def test_links_share_the_runs_beginning_and_a_silence_leaves_a_gap() -> None:
    late = trace([trip(n) for n in (*range(50, 75), *range(125, 150))])
    cable, wifi = courses_of(LINKS, {"wlan0": late, "eth0": steady(25)}, WORDS)
    assert [p.seconds for p in cable.points] == [0.0]
    assert [p.seconds for p in wifi.points] == [1.0, 2.5]


def test_what_was_never_sent_is_not_lost() -> None:
    planned = replace(trip(1), sent_ns=0, copies=0)
    (course,) = courses_of(LINKS[:1], {"eth0": trace([trip(0), planned])}, WORDS)
    assert course.points[0].loss_ratio == 0.0


def test_what_stayed_in_the_computer_and_what_sent_nothing_has_no_course() -> None:
    assert courses_of(LINKS, {"loopback": steady(25), "wlan0": trace([])}, WORDS) == ()


@pytest.mark.parametrize(("seconds", "slots"), [(0, 1), (6, 1), (59.99, 1), (60.5, 2), (3599.9, 60)])
def test_a_long_run_has_wider_slots(seconds: float, slots: int) -> None:
    slot = slot_of(round(seconds * 1e9))
    assert slot == slots * SLOT_NS
    assert seconds * 1e9 // slot < MOST_POINTS


def test_never_more_points_than_that() -> None:
    sparse = Trace([replace(trip(n), planned_ns=trip(0).planned_ns + n * 450 * MS) for n in range(500)], 0.0, True)
    (course,) = courses_of(LINKS[:1], {"eth0": sparse}, WORDS)
    assert 60 < len(course.points) <= MOST_POINTS

"""When the next self-test is due."""

from __future__ import annotations

import random

import pytest

from agent.service.schedule import AGAIN_S, FIRST_S, SPREAD, Schedule

NOW = 1.8e9
HOUR = 3600.0
EVERY = 6 * HOUR


def dice() -> random.Random:
    return random.Random(7)


def spans(make: object, times: int = 400) -> tuple[float, float]:
    """The earliest and the latest of many draws."""
    chance = dice()
    drawn = [make(chance) for _ in range(times)]  # type: ignore[operator]
    return min(drawn), max(drawn)


def test_the_next_is_a_fifth_sooner_or_later():
    low, high = spans(lambda d: Schedule(EVERY).next(NOW, d))
    assert NOW + (1 - SPREAD) * EVERY <= low < NOW + 0.83 * EVERY
    assert NOW + 1.17 * EVERY < high <= NOW + (1 + SPREAD) * EVERY


@pytest.mark.parametrize(
    ("every", "last", "earliest", "latest"),
    [
        (EVERY, None, 0, FIRST_S),
        (EVERY, NOW - 5 * EVERY, 0, FIRST_S),  # it was off for a day
        (EVERY, NOW + HOUR, 0, FIRST_S),  # its clock was ahead
        (EVERY, NOW - HOUR, 0.8 * EVERY - HOUR, 1.2 * EVERY - HOUR),  # restarted
        (60.0, None, 0, 60.0),
    ],
)
def test_after_a_start(every: float, last: float | None, earliest: float, latest: float):
    low, high = spans(lambda d: Schedule(every).first(NOW, last, d) - NOW)
    assert earliest <= low
    assert high <= latest
    assert high - low > 0.5 * (latest - earliest), "drawn from the whole span, so that a fleet is not in step"


@pytest.mark.parametrize("reason", [*AGAIN_S, "", "unheard of"])
def test_one_that_was_put_off_is_tried_again_within_the_hour(reason: str):
    low, high = spans(lambda d: Schedule(EVERY).again(NOW, reason, d) - NOW)
    assert 60 < low < high < 1.3 * HOUR


def test_put_off_by_no_more_than_the_next_would_be():
    low, high = spans(lambda d: Schedule(30.0).again(NOW, "budget", d) - NOW)
    assert 20 < low < high < 40


def test_a_clock_that_was_set_back_does_not_stop_the_tests():
    schedule = Schedule(EVERY)
    due = schedule.next(NOW, dice())
    assert schedule.sane(due, NOW, dice()) == due
    years_ago = NOW - 10 * 365 * 24 * HOUR
    assert schedule.sane(due, years_ago, dice()) <= years_ago + 1.2 * EVERY

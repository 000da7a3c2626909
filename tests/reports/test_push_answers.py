from __future__ import annotations

import random
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.push_answers import NO_ANSWER, Answer, Pace, answered, retry_after_s
from reports.spool import LONGEST_WAIT_S

NOW = 1.8e9
DICE = random.Random(1)


@pytest.mark.parametrize(
    ("status", "fate"),
    [
        *((status, "done") for status in (200, 201, 202, 204, 409)),
        *((status, "refused") for status in (400, 413, 422)),
        *((status, "unauthorised") for status in (401, 403)),
        *(
            (status, "later")
            for status in (NO_ANSWER, 301, 302, 307, 404, 405, 407, 408, 415, 425, 429, 500, 502, 503, 507)
        ),
    ],
)
def test_what_an_answer_means(status: int, fate: str):
    assert answered(status, {}, NOW).fate == fate


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("120", 120),
        (" 0 ", 0),
        ("9" * 400, LONGEST_WAIT_S),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("²", None),
        (formatdate(NOW + 90, usegmt=True), 90),
        (formatdate(NOW - 90, usegmt=True), 0),
        (formatdate(NOW + 10 * LONGEST_WAIT_S, usegmt=True), LONGEST_WAIT_S),
        ("Mon, 99 Xyz 20000000 99:99:99 GMT", None),
    ],
)
def test_retry_after(value: str | None, seconds: float | None):
    assert retry_after_s(value, None, NOW) == seconds


def test_a_date_counts_from_the_far_ends_clock():
    """This computer's clock is an hour behind."""
    told = formatdate(NOW + 3600 + 90, usegmt=True)
    assert retry_after_s(told, formatdate(NOW + 3600, usegmt=True), NOW) == 90
    assert retry_after_s(told, "nonsense", NOW) == 3690


@given(st.text(), st.none() | st.text())
def test_no_header_breaks_it(value: str, date: str | None):
    found = retry_after_s(value, date, NOW)
    assert found is None or 0 <= found <= LONGEST_WAIT_S


@given(st.floats(0, LONGEST_WAIT_S), st.integers(0, 10**6))
def test_a_pause_that_was_asked_for_is_kept(after: float, tries: int):
    assert after <= Pace().wait_s(Answer(429, "", after), tries, DICE) <= LONGEST_WAIT_S


def test_attempts_come_less_and_less_often():
    def longest(tries: int) -> float:
        return max(Pace(first=5, most=900).wait_s(Answer(NO_ANSWER, ""), tries, DICE) for _ in range(200))

    assert 4.5 < longest(0) <= 5
    assert 18 < longest(2) <= 20
    assert 850 < longest(10**9) <= 900


def test_a_fleet_does_not_come_back_in_step():
    for asked, spread in ((0.0, 4), (3600.0, 300)):
        waits = [Pace().wait_s(Answer(503, "", asked), 0, DICE) for _ in range(100)]
        assert max(waits) - min(waits) > spread
    waits = [Pace().wait_s(Answer(NO_ANSWER, ""), 5, DICE) for _ in range(100)]
    assert max(waits) > 1.5 * min(waits)


def test_a_reason_is_words_and_the_number():
    assert answered(503, {}, NOW).reason == "it has trouble of its own (503)"
    assert answered(302, {}, NOW).reason == "an answer that is not understood (302)"

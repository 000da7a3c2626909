"""What guests' browsers measured, by its code: forgotten in time."""

from __future__ import annotations

import time

from reports.record import AgentInfo, SelfTest, Verdict
from testroom.guests.codes import Records

TEST = SelfTest("a", 0, 0, AgentInfo("", "", ""), "configured", False, (), (), Verdict("ready"))


def test_the_oldest_is_forgotten_when_there_are_too_many():
    records = Records(most=3)
    codes = [records.keep(TEST) for _ in range(5)]
    assert len(records) == 3
    assert [records.find(code) is not None for code in codes] == [False, False, True, True, True]


def test_it_is_forgotten_after_its_time():
    records = Records(kept_s=0.05)
    code = records.keep(TEST)
    assert records.find(code) is TEST
    time.sleep(0.06)
    assert records.find(code) is None
    assert len(records) == 0

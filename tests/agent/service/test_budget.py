"""Bytes of a day, on the disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.service.budget import DAY_S, Budget

NOON = 1.8e9 - 1.8e9 % DAY_S + DAY_S / 2


def test_what_was_spent_stays_spent_after_a_restart_and_is_back_the_next_day(tmp_path: Path):
    path = tmp_path / "budget.json"
    Budget(path, 100.0).spend(NOON, 30.0)
    Budget(path, 100.0).spend(NOON + 60, 20.0)
    assert Budget(path, 100.0).left(NOON + 61) == 50.0
    assert Budget(path, 100.0).left(NOON + DAY_S) == 100.0
    assert Budget(path, 40.0).left(NOON) == 0.0, "settings with less"


def test_what_was_not_moved_is_given_back(tmp_path: Path):
    budget = Budget(tmp_path / "budget.json", 100.0)
    budget.spend(NOON, 60.0)
    assert budget.left(NOON) == 40.0
    budget.spend(NOON, 5.0 - 60.0)
    assert budget.left(NOON) == 95.0


def test_given_back_after_midnight_makes_no_more_than_a_day(tmp_path: Path):
    budget = Budget(tmp_path / "budget.json", 100.0)
    budget.spend(NOON, 60.0)
    budget.spend(NOON + DAY_S, 5.0 - 60.0)
    assert budget.left(NOON + DAY_S) == 100.0


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"day": 7}', '{"day": "x", "bytes": "x"}', "\0", '{"bytes": 1e999}']
)
def test_a_broken_file_begins_the_day_anew(tmp_path: Path, content: str):
    path = tmp_path / "budget.json"
    path.write_text(content)
    budget = Budget(path, 100.0)
    assert budget.left(NOON) == 100.0
    budget.spend(NOON, 1.0)
    assert budget.left(NOON) == 99.0

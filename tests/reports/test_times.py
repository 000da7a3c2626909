"""Swedish time, summer and winter, whatever this computer's clock is set to."""

from __future__ import annotations

import pytest

from reports.times import day, minute


@pytest.mark.parametrize(
    ("at", "said"),
    [(1.8e9, "2027-01-15 09:00"), (1.8e9 + 180 * 86400, "2027-07-14 10:00"), (1e300, "9892"), (-5, "1970-01-01 01:00")],
)
def test_minutes(at: float, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    assert minute(at).startswith(said)
    assert minute(at).startswith(day(at))

"""clock: one figure of several servers' clocks, or none when they contradict each other."""

from __future__ import annotations

import pytest

from probes.join import clock
from probes.join.errand import NeedlessError
from probes.profile import GENERIC
from tests.probes.join.servers import errand, outcome

SKEWS = [
    ({"room": 0.2}, 0.2, None),
    ({"portal": 600.0}, 600.0, None),
    ({"portal": 599.0, "room": 601.0}, 600.0, True),
    ({"portal": -0.4, "room": 0.0, "Login": 20.0}, 0.0, True),
    ({"portal": 0.0, "room": 31.0}, None, False),
    ({"portal": 0.0, "room": 0.0, "Login": -600.0}, None, False),
]


@pytest.mark.parametrize(("skews", "value", "agree"), SKEWS)
async def test_the_clock(skews: dict[str, float], value: float | None, agree: bool | None):
    wanted = errand(GENERIC, skews=skews)
    assert await outcome(clock.step, wanted) == ("ok", "")
    assert wanted.m.values == ({} if value is None else {"clock_skew_seconds": pytest.approx(value)})
    assert set(wanted.m.unknown) == ({"clock_skew_seconds"} if value is None else set())
    assert (wanted.m.facts["clocks"], wanted.m.facts.get("agree")) == (len(skews), agree)


async def test_without_a_clock_there_is_nothing_to_say():
    with pytest.raises(NeedlessError):
        await clock.step(errand(GENERIC))


@pytest.mark.parametrize(
    ("date", "age", "expected"),
    [
        ("Sun, 06 Nov 1994 08:49:37 GMT", None, 784111777.5),
        ("Sunday, 06-Nov-94 08:49:37 GMT", None, 784111777.5),
        ("Sun, 06 Nov 1994 08:49:37 GMT", "60", 784111837.5),
        ("Sun, 06 Nov 1994 08:49:37 GMT", "-60", 784111777.5),
        ("Sun, 06 Nov 1994 08:49:37 GMT", "soon", None),
        ("yesterday", None, None),
        ("Sun, 99 Nov 1994 08:49:37 GMT", None, None),
        ("", None, None),
        (None, "5", None),
    ],
)
def test_a_servers_clock(date: str | None, age: str | None, expected: float | None):
    assert clock.server_time(date, age) == expected

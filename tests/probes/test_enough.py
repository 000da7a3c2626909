from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from probes.enough import Live, enough
from probes.steady import Rate
from reports import policy

IDLE = [0.020] * 15
FAST, SLOW, NEAR = 12e6, 40_000.0, 250_000.0  # bytes per second; the limits are 250 000 and 62 500 up


@pytest.fixture(scope="module")
def settled() -> object:
    return policy.load_policy(None).settled


def rate(bytes_per_second: float, *, growing: bool = False, spread: float = 0.05) -> Rate:
    ends = (bytes_per_second * (1 - spread), bytes_per_second * (1 + spread))
    return Rate(bytes_per_second, 0, 10**9, growing, ends)


def flat(rise: float, count: int = 60) -> list[float]:
    return [0.020 + rise] * count


def growing(per_second: float, seconds: float = 1.3) -> list[float]:
    return [0.020 + per_second * i * seconds / 65 for i in range(65)]


CASES: list[tuple[str, float, Rate | None, Sequence[float], str]] = [
    ("a fast link whose queue stays short", 1.3, rate(FAST), flat(0.005), "clear"),
    ("it has only begun", 0.9, rate(FAST), flat(0.005), ""),
    ("nothing has come", 1.3, None, flat(0.005), ""),
    ("no packet came back", 1.3, rate(FAST), [], ""),
    ("it still speeds up", 1.3, rate(FAST, growing=True), flat(0.005), ""),
    ("a queue far too long", 1.3, rate(FAST, growing=True), flat(0.3), "more than a meeting bears"),
    ("the rise is near a limit", 1.3, rate(FAST), flat(0.048), ""),
    ("between the limits", 1.3, rate(FAST), flat(0.095), "clear"),
    ("the queue grows towards the limit", 1.3, rate(FAST), growing(0.02), ""),
    ("it grows, but not so far", 1.3, rate(FAST), growing(0.002), "clear"),
    ("slow for certain, and no queue", 1.3, rate(SLOW), flat(0.005), "clear"),
    ("the throughput is near its limit", 1.3, rate(NEAR), flat(0.005), ""),
    ("the throughput is not sure", 1.3, rate(300_000, spread=0.5), flat(0.005), ""),
    ("slow, but it still speeds up", 1.3, rate(SLOW, growing=True), flat(0.3), ""),
]


@pytest.mark.parametrize(("seconds", "speed", "loaded", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_when_it_is_enough(
    settled: object, seconds: float, speed: Rate | None, loaded: Sequence[float], expected: str
) -> None:
    said = enough(Live("up", seconds, 4.0, speed, IDLE, loaded), settled)  # type: ignore[arg-type]
    assert bool(said) == bool(expected)
    assert expected in said


def test_without_a_policy_nothing_is_settled() -> None:
    live = Live("up", 3.0, 4.0, rate(FAST), IDLE, flat(0.005))
    assert enough(live, lambda _, low, high: low == high) == ""


def test_it_asks_about_all_that_may_still_come() -> None:
    asked: dict[str, tuple[float, float]] = {}

    def note(name: str, low: float, high: float) -> bool:
        asked[name] = (low, high)
        return "throughput" in name

    enough(Live("down", 2.0, 4.0, rate(FAST, growing=True), IDLE, flat(0.01)), note)
    assert asked["throughput_down_bytes_per_second"][1] == math.inf
    assert asked["rtt_rise_down_seconds"] == (pytest.approx(0.009), math.inf)

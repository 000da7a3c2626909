from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from probes import loaded
from probes.loaded import Phase, Way, Window
from probes.roundtrip import RoundTrip, Trace
from reports.vocabulary import NAMES
from tests.probes.trips import BEGIN, MS, STEP, trace, trip

IDLE_S, LOADED_S = 0.5, 4.0
BASE = 0.010


def sawtooth(full: float, period_s: float = 1.0) -> Callable[[float], float]:
    """What cubic does to a drop-tail queue: from 0.7 of full to full, again and again, after filling it once."""
    return lambda s: full * min(1.0, s / 0.3) if s < 0.3 else full * (0.7 + 0.3 * ((s - 0.3) % period_s) / period_s)


def run(
    way: Way, queue: Callable[[float], float], *, noise: float = 0.0002, seed: int = 1
) -> tuple[Trace, Phase, list[RoundTrip]]:
    """Idle, then loaded in one direction; `queue`: its delay, seconds after the load began."""
    rng = random.Random(seed)
    begin = BEGIN + round(IDLE_S * 1e9)
    trips = []
    for i in range(round((IDLE_S + LOADED_S) * 1e9 / STEP)):
        since = (BEGIN + i * STEP - begin) / 1e9
        extra = queue(since) if since >= 0 else 0.0
        ways = {"up": BASE + rng.expovariate(1 / noise), "down": BASE + rng.expovariate(1 / noise)}
        ways[way] += extra
        trips.append(trip(i, **ways))
    phase = Phase(way, begin, begin + round(LOADED_S * 1e9), begin + 300 * MS)
    return trace(trips), phase, trips


def losses_at(phase: Phase, *seconds: float) -> Phase:
    """Noticed a round trip later, within a quarter of a second."""
    begin = phase.from_ns
    windows = (Window(begin + round(s * 1e9), begin + round((s + 0.25) * 1e9)) for s in seconds)
    return replace(phase, losses=tuple(windows))


def judged(made: Trace, *phases: Phase) -> tuple[dict[str, float], dict[str, str]]:
    found, unknown = loaded.values(made, phases[0].from_ns, phases)
    assert found.keys() | unknown.keys() == {n for p in phases for n in loaded.names(p.way)} <= NAMES
    assert not found.keys() & unknown.keys()
    return found, unknown


@pytest.mark.parametrize("way", ["up", "down"])
@pytest.mark.parametrize("full", [0.4, 0.08, 0.02])
def test_a_queue_of_known_size_in_its_direction(way: Way, full: float) -> None:
    made, phase, _ = run(way, sawtooth(full))
    found, _ = judged(made, losses_at(phase, 0.3, 1.3, 2.3, 3.3))
    assert found[f"queue_{way}_seconds"] == pytest.approx(full, rel=0.05)
    assert found[f"rtt_rise_{way}_seconds"] == pytest.approx(0.985 * full, rel=0.06)
    mean = 60 / found[f"responsiveness_{way}_per_minute"]
    assert mean == pytest.approx(2 * BASE + 0.84 * full, rel=0.06)
    other: Way = "down" if way == "up" else "up"
    found, _ = judged(made, replace(losses_at(phase, 0.3, 1.3), way=other))
    assert found.get(f"queue_{other}_seconds", 0) < 0.002


def test_one_late_interrupt_is_no_queue() -> None:
    made, phase, trips = run("up", sawtooth(0.05))
    trips[60].reached_ns += 300 * MS
    trips[60].replied_ns += 300 * MS
    trips[60].departed_ns += 300 * MS
    trips[60].received_ns += 300 * MS
    found, _ = judged(made, losses_at(phase, 0.3, 1.3, 2.3))
    assert found["queue_up_seconds"] == pytest.approx(0.05, rel=0.05)
    assert found["rtt_rise_up_seconds"] < 0.06


def test_a_queue_that_only_grows_is_not_said_to_be_full() -> None:
    made, phase, _ = run("down", lambda s: 0.05 * s)
    found, unknown = judged(made, losses_at(phase))
    assert unknown == {"queue_down_seconds": loaded.NOT_FULL}
    assert found["rtt_rise_down_seconds"] == pytest.approx(0.19, rel=0.05)


def test_loss_by_the_radio_is_no_full_queue() -> None:
    """Losses anywhere, while the queue is nearly full only once."""
    made, phase, _ = run("up", lambda s: 0.1 if 3.0 <= s < 3.1 else 0.01)
    _, unknown = judged(made, losses_at(phase, 0.2, 0.9, 1.5, 2.0, 2.4, 3.0))
    assert unknown == {"queue_up_seconds": loaded.NOT_FULL}


def test_where_losses_are_not_known_neither_is_the_queue() -> None:
    made, phase, _ = run("up", sawtooth(0.1))
    found, unknown = judged(made, phase)
    assert unknown == {"queue_up_seconds": loaded.NO_LOSSES_KNOWN}
    assert found["rtt_rise_up_seconds"] > 0.09


def test_no_rise_is_none_and_never_negative() -> None:
    made, phase, _ = run("up", lambda _: -0.005)
    found, _ = judged(made, losses_at(phase))
    assert found["rtt_rise_up_seconds"] == 0


def test_too_few_packets_say_nothing() -> None:
    made, phase, _ = run("up", sawtooth(0.1))
    _, unknown = judged(made, replace(losses_at(phase, 0.1), to_ns=phase.from_ns + 100 * MS))
    assert set(unknown.values()) == {loaded.FEW_LOADED}
    found, unknown = loaded.values(made, BEGIN + 50 * MS, [losses_at(phase, 0.3)])
    assert unknown == {"rtt_rise_up_seconds": loaded.FEW_IDLE, "queue_up_seconds": loaded.FEW_IDLE}
    assert set(found) == {"responsiveness_up_per_minute"}


def test_a_clock_that_was_set_falsifies_everything() -> None:
    made, phase, _ = run("up", sawtooth(0.1))
    made.clock_moved_ns = 60 * MS
    found, unknown = judged(made, losses_at(phase, 0.3))
    assert found == {}
    assert set(unknown.values()) == {loaded.CLOCK_SET}


def test_nothing_came_back_at_all() -> None:
    made = trace([trip(i, None) for i in range(100)])
    phase = Phase("up", BEGIN, BEGIN + 50 * STEP, BEGIN, losses=())
    _, unknown = judged(made, phase)
    assert set(unknown.values()) <= {loaded.FEW_IDLE, loaded.FEW_LOADED}

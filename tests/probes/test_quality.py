from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes import emodel, quality
from probes.roundtrip import Trace
from reports.vocabulary import NAMES
from tests.probes.trips import BEGIN, fates, trace, trip

BUFFER = 0.2


def run(count: int = 200, *, up: tuple[int, ...] = (), down: tuple[int, ...] = (), slow: tuple[int, ...] = ()) -> Trace:
    trips = [
        trip(i, None if i in up else 0.35 if i in slow else 0.04, None if i in down else 0.06) for i in range(count)
    ]
    return trace(trips, fates([i for i in range(count) if i not in up]))


def test_a_quiet_path() -> None:
    found = quality.values(run(), BUFFER)
    assert found.keys() == {"late_up_ratio", "late_down_ratio", "mos_up", "mos_down"}
    assert found["late_up_ratio"] == found["late_down_ratio"] == 0
    assert found["mos_up"] == found["mos_down"] == pytest.approx(4.41, abs=0.01)


def test_late_is_worse_than_the_buffer_counted_from_the_fastest() -> None:
    """0.31 s above the fastest is late with a buffer of 0.2 s, not with one of 0.4 s; and late is as good as lost."""
    run_ = run(slow=(50, 51))
    found = quality.values(run_, BUFFER)
    assert (found["late_up_ratio"], found["late_down_ratio"]) == (2 / 200, 0)
    assert quality.values(run_, 0.4)["late_up_ratio"] == 0
    assert found["mos_up"] < found["mos_down"]


def test_loss_counts_in_its_direction_only() -> None:
    quiet, up, down = (
        quality.values(r, BUFFER) for r in (run(), run(up=tuple(range(0, 200, 20))), run(down=tuple(range(0, 200, 20))))
    )
    assert up["mos_up"] < quiet["mos_up"] - 0.3
    assert up["mos_down"] == pytest.approx(quiet["mos_down"], abs=0.01)
    assert down["mos_down"] < quiet["mos_down"] - 0.3
    assert down["mos_up"] == pytest.approx(quiet["mos_up"], abs=0.01)


def test_mos_is_the_emodels_with_half_the_rtt_and_the_buffers_wait() -> None:
    found = quality.values(run(up=tuple(range(0, 200, 20))), BUFFER)
    assert found["mos_up"] == pytest.approx(emodel.conversation(0.05, 0.0, [i % 20 == 0 for i in range(200)]), abs=1e-6)


def test_only_audio_is_heard() -> None:
    run_ = run(up=(5, 6, 7))
    for i in (5, 6, 7):
        run_.trips[i] = replace(run_.trips[i], stream="video")
    assert quality.values(run_, BUFFER)["mos_up"] == pytest.approx(4.41, abs=0.01)


def test_without_a_report_a_loss_leaves_the_mos_unknown() -> None:
    run_ = run(down=(3,))
    run_.fates = None
    assert quality.values(run_, BUFFER).keys() == {"late_up_ratio", "late_down_ratio"}
    whole = run()
    whole.fates = None
    assert quality.values(whole, BUFFER)["mos_up"] == pytest.approx(4.41, abs=0.01)


@pytest.mark.parametrize("run_", [run(0), run(3, up=(0, 1, 2)), run(3, down=(0, 1, 2))], ids=["empty", "up", "down"])
def test_nothing_returned_has_no_quality(run_: Trace) -> None:
    assert quality.values(run_, BUFFER) == {}


# ---- over time ----------------------------------------------------------------------------------------------------


def test_over_time_names_the_bad_half_second() -> None:
    """25 packets a half second; the third one loses every other packet, the fourth is not sent, the fifth all lost."""
    trips = [trip(i, None if (50 <= i < 75 and i % 2) or i >= 100 else 0.01) for i in range(125) if not 75 <= i < 100]
    for number, t in enumerate(trips):
        t.sequence = number
    found = quality.over_time(trace(trips), BEGIN, 5, BUFFER)
    assert found[0] == found[1] == pytest.approx(4.41, abs=0.01)
    assert 1 <= found[2] < 3
    assert math.isnan(found[3])
    assert found[4] == 1.0


def test_over_time_leaves_out_what_lies_beyond_its_slots() -> None:
    found = quality.over_time(run(100), BEGIN + 500_000_000, 2, BUFFER)
    assert len(found) == 2
    assert not any(math.isnan(v) for v in found)


@given(st.lists(st.tuples(st.floats(0.001, 1) | st.none(), st.floats(0.001, 1) | st.none()), max_size=60))
def test_quality_of_anything(ways: list[tuple[float | None, float | None]]) -> None:
    trips = [trip(i, up, down) for i, (up, down) in enumerate(ways)]
    run_ = trace(trips, fates([i for i, (up, _) in enumerate(ways) if up is not None]))
    found = quality.values(run_, BUFFER)
    assert found.keys() <= NAMES
    assert all(1 <= v <= 4.5 if n.startswith("mos") else 0 <= v <= 1 for n, v in found.items())
    assert all(math.isnan(v) or 1 <= v <= 4.5 for v in quality.over_time(run_, BEGIN, 3, BUFFER))

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes import delay
from probes.delay import Transit
from probes.roundtrip import RoundTrip
from reports.vocabulary import NAMES
from tests.probes.trips import BEGIN, MS, STEP, trace, trip

DELAYS = st.lists(st.floats(0.0001, 2), min_size=1, max_size=80)


def transits(milliseconds: Sequence[float], order: Sequence[int] | None = None) -> list[Transit]:
    return [
        Transit(i, order[i] if order else i, BEGIN + i * STEP, round(ms * 1e6)) for i, ms in enumerate(milliseconds)
    ]


# ---- one way ------------------------------------------------------------------------------------------------------


def test_up_and_down_cancel_two_clocks() -> None:
    trips = [trip(0, 0.010, 0.030), trip(1, 0.015, 0.020)]
    ups, downs = delay.up(trips), delay.down(trips)
    assert ups[1].transit_ns - ups[0].transit_ns == 5 * MS
    assert downs[1].transit_ns - downs[0].transit_ns == -10 * MS
    assert delay.round_trips(trips) == pytest.approx([0.035, 0.040])  # less the reflector's 50 µs


@pytest.mark.parametrize(
    ("left", "scheduled", "expected"), [(20, 10, 20), (0, 10, 10), (0, 0, 5)], ids=["driver", "queue", "program"]
)
def test_departure_is_the_latest_known_moment(left: int, scheduled: int, expected: int) -> None:
    at = RoundTrip(0, "audio", 160, 0, sent_ns=5, scheduled_ns=scheduled, left_ns=left)
    assert delay.departure(at) == expected


def test_an_unknown_departure_of_a_reply_is_put_at_the_others_median() -> None:
    trips = [trip(i) for i in range(5)]
    trips[3].departed_ns = 0
    trips[4].departed_ns = trips[4].replied_ns + 30_000
    downs = delay.down(trips)
    assert downs[3].transit_ns == downs[0].transit_ns  # the others waited 20 µs
    for t in trips:
        t.departed_ns = 0
    assert delay.down(trips)[0].transit_ns == downs[0].transit_ns + 20_000


def test_no_round_trip_takes_less_than_no_time() -> None:
    """The others waited 500 µs in the reflector; this one can have waited 40 µs at the most."""
    trips = [trip(i, 0.000010, 0.000010) for i in range(5)]
    for t in trips[:4]:
        t.departed_ns = t.replied_ns + 500_000
        t.received_ns = t.departed_ns - 7_000_000_000 + 10_000
    trips[4].departed_ns = 0
    assert delay.round_trips(trips) == pytest.approx([0, *[0.000020] * 4], abs=1e-9)


def test_lost_packets_have_no_delay() -> None:
    trips = [trip(0), trip(1, None), trip(2, 0.01, None), trip(3)]
    assert [t.sequence for t in delay.up(trips)] == [t.sequence for t in delay.down(trips)] == [0, 3]
    assert len(delay.round_trips(trips)) == 2


# ---- RFC 3550 -----------------------------------------------------------------------------------------------------


def rfc_3550(packets: Sequence[tuple[float, float]]) -> list[float]:
    """Section 6.4.1 as it is written: S and R of packets i and j, D(i,j) = (Rj - Ri) - (Sj - Si)."""
    jitter, found = 0.0, []
    for (si, ri), (sj, rj) in pairwise(packets):
        d = (rj - ri) - (sj - si)
        jitter = jitter + (abs(d) - jitter) / 16
        found.append(jitter)
    return found


def test_jitter_is_rfc_3550s() -> None:
    rng = random.Random(1)
    sent = [i * 0.02 for i in range(40)]
    arrived = [s + 0.05 + rng.expovariate(1 / 0.03) for s in sent]  # some overtake: order of arrival counts
    order = sorted(range(40), key=arrived.__getitem__)
    given_ = [Transit(i, order.index(i), round(sent[i] * 1e9), round((arrived[i] - sent[i]) * 1e9)) for i in range(40)]
    expected = rfc_3550([(sent[i], arrived[i]) for i in order])
    assert order != sorted(order)
    assert [j for _, j in delay.smoothed_jitter(given_)] == pytest.approx(expected, abs=1e-9)


def test_jitter_by_hand() -> None:
    series = delay.smoothed_jitter(transits([10, 26, 26, 10]))  # |D| 16, 0, 16 ms
    assert [j * 1000 for _, j in series] == pytest.approx([1.0, 0.9375, 0.9375 + (16 - 0.9375) / 16])


def test_jitter_forgets_its_beginning() -> None:
    steady = delay.interarrival_jitter(transits([10, 14] * 200))  # |D| is always 4 ms: J is 4 ms once settled
    assert steady is not None
    assert steady.seconds == pytest.approx(0.004, rel=0.02)
    assert steady.interval is not None
    assert steady.interval[0] <= steady.seconds <= steady.interval[1]


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_packets_have_no_jitter(count: int) -> None:
    assert delay.interarrival_jitter(transits([10] * count)) is None


@pytest.mark.parametrize("worst_from", [0, 400, 900], ids=["its begin", "its middle", "its end"])
def test_the_worst_15_seconds_are_found_wherever_they_are(worst_from: int) -> None:
    """26 s of 20 ms; 8 s of them alternate by 10 ms, the others are still."""
    shape = [10 + 10 * (i % 2) * (worst_from <= i < worst_from + 400) for i in range(1300)]
    found = delay.interarrival_jitter(transits(shape))
    assert found is not None
    assert found.seconds == pytest.approx(0.010 * 8 / 15, rel=0.06)  # the calm of a 15 s window dilutes them


def test_a_short_run_is_one_window() -> None:
    shape = [10 + 10 * (i % 2) * (i >= 300) for i in range(600)]
    found = delay.interarrival_jitter(transits(shape))
    assert found is not None
    assert found.seconds == pytest.approx(fmean(j for _, j in delay.smoothed_jitter(transits(shape))))


# ---- RFC 5481 -----------------------------------------------------------------------------------------------------


def test_pdv_and_ipdv_by_hand() -> None:
    trips = [trip(i, up) for i, up in enumerate([0.012, 0.010, 0.017, 0.011])]
    ups = delay.up(trips)
    assert [v * 1000 for v in delay.delay_variation(ups)] == pytest.approx([0, 1, 2, 7])
    assert [v * 1000 for v in delay.inter_packet_variation(ups, trips)] == pytest.approx([2, 6, 7])


def test_a_lost_packet_takes_two_pairs_with_it() -> None:
    trips = [trip(0, 0.010), trip(1, 0.012), trip(2, None), trip(3, 0.030), trip(4, 0.031)]
    found = delay.inter_packet_variation(delay.up(trips), trips)
    assert [v * 1000 for v in found] == pytest.approx([1, 2])  # not the 18 ms between 1 and 3


def test_audio_pairs_skip_the_video_between_them() -> None:
    trips = [trip(0, 0.010), replace(trip(1, 0.050), stream="video"), trip(2, 0.013), trip(3, 0.014)]
    found = delay.values(trace(trips))
    assert found["ipdv_up_p50_seconds"] == pytest.approx(0.002)
    assert found["pdv_up_p99_seconds"] == pytest.approx(0.004, rel=0.02)
    assert found["rtt_max_seconds"] == pytest.approx(0.060)  # the RTT is everyone's


# ---- all together -------------------------------------------------------------------------------------------------


def test_values_of_a_quiet_path() -> None:
    found = delay.values(trace([trip(i, 0.010, 0.030) for i in range(400)]))
    assert found["rtt_min_seconds"] == found["rtt_max_seconds"] == pytest.approx(0.040)
    assert found["rtt_mean_seconds_ci95_low"] <= found["rtt_mean_seconds"] <= found["rtt_mean_seconds_ci95_high"]
    for name, value in found.items():
        assert name in NAMES
        if "pdv" in name or "jitter" in name:
            assert value == 0


def test_values_of_nothing() -> None:
    assert delay.values(trace([trip(0, None), trip(1, None)])) == {}
    assert set(delay.values(trace([trip(0)]))) >= {"rtt_min_seconds", "rtt_mean_seconds", "pdv_up_p50_seconds"}


@given(DELAYS, st.randoms(use_true_random=False))
def test_values_hang_together(ways: list[float], rng: random.Random) -> None:
    trips = [trip(i, up if rng.random() > 0.1 else None, rng.uniform(0, 1)) for i, up in enumerate(ways)]
    found = delay.values(trace(trips))
    assert found.keys() <= NAMES
    assert all(value >= 0 for value in found.values())
    for stem in ("rtt", "pdv_up", "pdv_down", "ipdv_up", "ipdv_down"):
        ordered = [found[n] for p in ("min", "p50", "p95", "p99", "max") if (n := f"{stem}_{p}_seconds") in found]
        assert all(b >= a - 1e-12 for a, b in pairwise(ordered))


# ---- this computer's part -----------------------------------------------------------------------------------------


def test_sender_values() -> None:
    trips = [trip(i) for i in range(100)]
    for late in trips[:3]:
        late.scheduled_ns = late.planned_ns + 11 * MS  # over half of 20 ms
        late.left_ns = late.scheduled_ns + MS
    found = delay.sender_values(trace(trips), STEP)
    assert found["sends_missed_ratio"] == 0.03
    assert found["send_error_p50_seconds"] == pytest.approx(10e-6)
    assert found["send_error_max_seconds"] == pytest.approx(0.011)
    assert found["local_queue_p50_seconds"] == pytest.approx(10e-6)
    assert found["local_queue_p99_seconds"] == pytest.approx(0.001)


@pytest.mark.parametrize(("interrupted", "expected"), [(False, 0.5), (True, 0.0)])
def test_packets_that_never_left_are_missed_unless_the_run_was_stopped(interrupted: bool, expected: float) -> None:
    run = trace([trip(0), trip(1), RoundTrip(2, "audio", 160, BEGIN), RoundTrip(3, "audio", 160, BEGIN)])
    run.interrupted = interrupted
    assert delay.sender_values(run, STEP)["sends_missed_ratio"] == expected


def test_without_kernel_stamps_the_queue_is_not_known() -> None:
    trips = [trip(i) for i in range(3)]
    for t in trips:
        t.scheduled_ns = t.left_ns = 0
    found = delay.sender_values(trace(trips), STEP)
    assert not [name for name in found if name.startswith("local_queue")]
    assert found["send_error_p50_seconds"] == pytest.approx(5e-6)


@pytest.mark.parametrize(("seconds", "most_ms"), [(10, 0.21), (120, 0.35), (3600, 0.35)])
def test_clocks_that_drift_apart_do_not_look_like_variation(seconds: int, most_ms: float) -> None:
    """20 millionths: 72 ms in an hour."""
    transits = [delay.Transit(i, i, i * 100_000_000, i * 2_000) for i in range(seconds * 10)]
    variation = delay.delay_variation(transits)
    assert len(variation) == seconds * 10
    assert variation[-1] * 1000 == pytest.approx(min(most_ms, 0.02 * seconds), abs=0.06)

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes import stamp, traffic
from reports.policy import load_policy
from reports.rules import Traffic

SHAPE = Traffic(
    video_bytes_per_second=100_000,
    video_frame_interval_seconds=0.04,
    audio_interval_seconds=0.02,
    audio_payload_bytes=160,
    video_packet_max_bytes=1200,
    playout_buffer_seconds=0.2,
)


def test_a_meetings_second() -> None:
    plan = traffic.meeting(1.0, SHAPE)
    audio, video = ([p for p in plan if p.stream == s] for s in ("audio", "video"))
    assert [p.offset_ns for p in audio] == [i * 20_000_000 for i in range(50)]
    assert {p.size for p in audio} == {160}
    frames = Counter(p.offset_ns for p in video)  # 4000 bytes each: four packets of 1000
    assert set(frames.values()) == {4}
    assert {p.size for p in video} == {1000}
    assert [b - a for a, b in pairwise(sorted(frames))] == [40_000_000] * 24
    assert traffic.bytes_of(video) == 100_000
    assert not {p.offset_ns for p in audio} & set(frames)


def test_the_policys_traffic_fits_into_packets() -> None:
    shape = load_policy().traffic
    plan = traffic.meeting(10.0, shape)
    video = traffic.bytes_of([p for p in plan if p.stream == "video"])
    assert video / 10 == pytest.approx(shape.video_bytes_per_second, rel=0.01)
    assert min(p.size for p in plan) >= stamp.smallest(authenticated=True, follow_up=True)
    assert max(p.size for p in plan) <= shape.video_packet_max_bytes


@pytest.mark.parametrize(("bytes_per_second", "packets"), [(0, 0), (10, 0), (1000, 1), (30_000, 1), (30_001, 2)])
def test_frames_are_cut_into_equal_packets(bytes_per_second: float, packets: int) -> None:
    video = [p for p in traffic.meeting(1.0, replace(SHAPE, video_bytes_per_second=bytes_per_second)) if p.size != 160]
    assert len(video) == 25 * packets


@pytest.mark.parametrize(("seconds", "interval", "count"), [(1, 0.001, 1000), (0.5, 0.02, 25), (0.001, 0.02, 1)])
def test_isochronous(seconds: float, interval: float, count: int) -> None:
    plan = traffic.isochronous(seconds, interval, 172)
    assert [p.offset_ns for p in plan] == [round(i * interval * 1e9) for i in range(count)]
    assert {(p.stream, p.size) for p in plan} == {("audio", 172)}


@pytest.mark.parametrize(("share", "frames"), [(0.0, 0), (0.1, 2), (0.5, 12), (0.999, 24), (1.0, 25), (7.0, 25)])
def test_a_budget_thins_the_video_evenly(share: float, frames: int) -> None:
    audio = 50 * 160
    plan = traffic.within_budget(1.0, SHAPE, audio + share * 100_000)
    kept = sorted({p.offset_ns for p in plan if p.stream == "video"})
    assert len(kept) == frames
    assert sum(p.stream == "audio" for p in plan) == 50
    gaps = [b - a for a, b in pairwise(kept)]
    assert not gaps or max(gaps) - min(gaps) <= 40_000_000  # one frame more or less


SECONDS = st.floats(0.05, 5)


@given(SECONDS, st.floats(0, 1e6))
def test_a_budget_is_kept_and_the_plan_is_in_order(seconds: float, most: float) -> None:
    plan = traffic.within_budget(seconds, SHAPE, most)
    audio = traffic.bytes_of([p for p in plan if p.stream == "audio"])
    assert traffic.bytes_of(plan) <= max(most, audio)  # without sound there would be no test
    assert [p.offset_ns for p in plan] == sorted(p.offset_ns for p in plan)

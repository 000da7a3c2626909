"""What is made of the frames and packets of a call: pure arithmetic, on calls made up for it."""

from __future__ import annotations

import pytest

from probes.call.counting import (
    Frame,
    Releases,
    Seen,
    audio_gap_ratio,
    carries,
    count,
    frozen_ratio,
    per_second,
    skipped_ratio,
    unwrapped,
    whole_frames,
)
from probes.call.wire import LEAST_MEDIA_S, SMALL_VIDEO_BITS, VIDEO_BITS, affordable

SIZE = (640, 480)
T = 1000.0  # when the first picture came


def steady(seconds: float, rate: float = 30, start: float = T) -> list[float]:
    return [start + i / rate for i in range(round(seconds * rate) + 1)]


def sound(seconds: float, lost: range = range(0), first: int = 7, start: float = T) -> list[tuple[float, int]]:
    """Packets of 20 ms with RTP timestamps that may turn at 2**32."""
    numbers = (i for i in range(round(seconds * 50)) if i not in lost)
    return [(start + i * 0.02, (first + i * 960) % 2**32) for i in numbers]


def without(times: list[float], start: float, end: float) -> list[float]:
    return [t for t in times if not T + start < t < T + end]


# ---- pictures -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (steady(2), 30),
        (steady(2, 7), 7),
        (steady(1), 15),  # nothing in the second half
        ([T], 0),
    ],
)
def test_frames_per_second(times: list[float], expected: float) -> None:
    assert per_second(times, T, T + 2.001) == pytest.approx(expected, rel=0.01)


def test_no_rate_from_a_moment() -> None:
    assert per_second(steady(0.1), T, T + 0.1) is None


@pytest.mark.parametrize(
    ("times", "end", "expected"),
    [
        (steady(4), 4, 0.0),
        (steady(4, 7), 4, 0.0),  # slow is not frozen
        (without(steady(4), 1, 2), 4, 0.26),  # from the frame before until the one after
        (without(steady(4), 1, 1.12), 4, 0.0),  # shorter than the mean and 150 ms
        (steady(1), 4, 0.75),  # and it never came back
        ([T], 4, 1.0),
        (without(without(steady(4), 1, 1.5), 2, 2.5), 4, 0.26),
    ],
)
def test_frozen(times: list[float], end: float, expected: float) -> None:
    assert frozen_ratio(times, T + end) == pytest.approx(expected, abs=0.015)


def test_only_whole_new_pictures_count() -> None:
    frames = [
        Frame(T, SIZE, 1, T),
        Frame(T + 1, SIZE, 1, T),  # once more
        Frame(T + 2, (320, 240), 2, T),
        Frame(T + 3, (640, 240), 3, T),
        Frame(T + 4, SIZE),  # its stamp is damaged: it came all the same
        Frame(T + 5, SIZE, 5, T),
    ]
    assert [f.at - T for f in whole_frames(frames, SIZE)] == [0, 4, 5]


@pytest.mark.parametrize(
    ("sent", "skipped", "expected"),
    [(steady(1), [], 0.0), (steady(1, 9)[1:], [T + 0.5] * 21, 0.7), ([], [], None), ([T - 1], [T - 1], None)],
)
def test_skipped(sent: list[float], skipped: list[float], expected: float | None) -> None:
    assert skipped_ratio(sent, skipped, T, T + 1) == pytest.approx(expected)


# ---- a stack that gives a picture away only when the next begins ----------------------------------------------------


def test_the_wait_for_the_next_picture_is_known() -> None:
    releases = Releases()
    first = 2**32 - 3000  # the second picture's timestamp has turned
    for i, at in enumerate((0.0, 0.033, 0.066)):
        releases.arrived((first + 3000 * i) % 2**32, T + at)
        releases.arrived((first + 3000 * i) % 2**32, T + at + 0.003)
        if i == 1:
            assert releases.held(0) == pytest.approx(0.030)
    assert releases.held(3000) == pytest.approx(0.030)


def test_a_packet_sent_again_makes_its_picture_late() -> None:
    releases = Releases()
    for stamp, at in ((0, 0.0), (3000, 0.033), (0, 0.040)):
        releases.arrived(stamp, T + at)
    assert releases.held(0) == 0


@pytest.mark.parametrize("arrived", [[], [0], [0, 3000]])
def test_what_cannot_be_told_is_not_taken_off(arrived: list[int]) -> None:
    releases = Releases()
    for i, stamp in enumerate(arrived):
        releases.arrived(stamp, T + i)
    releases.held(0)
    assert releases.held(999_999) == 0


# ---- sound --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("packets", "expected"),
    [
        (sound(4), 0.0),
        (sound(4, first=2**32 - 96_000), 0.0),
        (sound(4, range(100, 110)), 0.05),
        (sound(4, range(50, 150)), 0.5),
        (sound(2), 0.5),  # it ended half-way
        ([(T + 2 * (at - T), stamp) for at, stamp in sound(2)], 0.5),  # at half its pace: it piles up on the way
        ([(at + 0.3 * (at > T + 1), stamp) for at, stamp in sound(4)], 0.0),  # a buffer grew
        (sound(3.7), 0.0),  # what a jitter buffer holds back at the end is not lost
        (list(reversed(sound(4))), 0.0),
        (sound(4) + sound(4), 0.0),  # twice
        ([], 1.0),
    ],
)
def test_audio_gaps(packets: list[tuple[float, int]], expected: float) -> None:
    ordered = sorted(packets, key=lambda p: p[0])
    assert audio_gap_ratio(ordered, T, T + 4) == pytest.approx(expected, abs=0.01)


def test_no_gap_ratio_of_a_moment() -> None:
    assert audio_gap_ratio(sound(4), T, T + 0.2) is None


def test_timestamps_turn() -> None:
    assert unwrapped([2**32 - 960, 0, 960, 2**32 - 1920]) == [2**32 - 960, 2**32, 2**32 + 960, 2**32 - 1920]


# ---- the whole ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frames", "gaps", "expected"),
    [(30, 0, "video"), (7, 0.09, "video"), (6.9, 0.09, "sound_only"), (0, 0.11, "nothing"), (30, 0.11, "nothing")],
)
def test_what_it_carries(frames: float, gaps: float, expected: str) -> None:
    assert carries(frames, gaps) == expected


def made(seconds: float = 2, late: float = 0.05, **changes: object) -> Seen:
    frames = [Frame(t, SIZE, i, t - late) for i, t in enumerate(steady(seconds))]
    wanted: dict[str, object] = {"frames": frames, "sound": sound(seconds), "pictures": steady(seconds)}
    return Seen(**(wanted | changes))  # type: ignore[arg-type]


def test_a_good_call() -> None:
    found = count(made(), T - 0.3, T + 2, SIZE)
    assert found.unknown == {}
    assert found.carries == "video"
    assert found.values == pytest.approx(
        {
            "first_audio_seconds": 0.3,
            "first_video_seconds": 0.3,
            "first_media_seconds": 0.3,
            "call_frames_sent_per_second": 30,
            "call_frames_per_second": 30,
            "call_frames_skipped_ratio": 0,
            "call_frozen_ratio": 0,
            "call_audio_gap_ratio": 0,
            "call_frame_rtt_p50_seconds": 0.05,
            "call_frame_rtt_p95_seconds": 0.05,
        }
    )


def test_sound_only() -> None:
    found = count(made(frames=[]), T - 0.3, T + 2, SIZE)
    assert found.carries == "sound_only"
    assert found.values["call_frames_per_second"] == 0
    assert "first_video_seconds" not in found.values
    assert found.unknown["call_frozen_ratio"] == "no picture came back"
    assert "call_frame_rtt_p50_seconds" in found.unknown


def test_picture_only_and_nothing() -> None:
    assert count(made(sound=[]), T, T + 2, SIZE).carries == "nothing"
    nothing = count(Seen(), T, T + 2, SIZE)
    assert (nothing.values, nothing.carries) == ({}, "")


def test_a_call_of_a_moment_tells_little() -> None:
    found = count(made(0.2), T - 0.3, T + 0.2, SIZE)
    assert found.carries == ""
    assert set(found.values) == {f"first_{what}_seconds" for what in ("audio", "video", "media")}
    assert "too little time" in found.unknown["call_frames_per_second"]


@pytest.mark.parametrize(
    ("budget", "seconds", "expected"),
    [
        (1e9, 10, (4.0, VIDEO_BITS)),
        (1e9, 1.5, (1.5, VIDEO_BITS)),
        (1e9, 0.5, (0.5, VIDEO_BITS)),
        (1e6, 4, (2.63, VIDEO_BITS)),
        (0.5e6, 4, (3.41, SMALL_VIDEO_BITS)),
        (0.25e6, 4, None),
        (0, 4, None),
    ],
)
def test_what_the_data_budget_has_room_for(budget: float, seconds: float, expected: tuple[float, int] | None) -> None:
    plan = affordable(budget, seconds)
    assert plan == (expected if expected is None else pytest.approx(expected, abs=0.01))
    assert plan is None or plan[0] >= min(seconds, LEAST_MEDIA_S)

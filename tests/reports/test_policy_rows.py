"""Every row of the policy at its edges, against the numbers of the requirements (written out here a second time)."""

import pytest

from reports.vocabulary import FAILURES
from tests.reports.make import POLICY

R, D, N, U = "ready", "degraded", "not_ready", "unknown"

EDGES = {  # rule: (value, level) …
    "rtt": [(0, R), (0.0999, R), (0.1, D), (0.3, D), (0.3001, N)],
    "jitter_up": [(0.0149, R), (0.015, D), (0.03, D), (0.0301, N)],
    "jitter_down": [(0.0149, R), (0.015, D), (0.03, D), (0.0301, N)],
    "loss_up": [(0, R), (0.0049, R), (0.005, D), (0.03, D), (0.0301, N), (1, N)],
    "loss_down": [(0, R), (0.0049, R), (0.005, D), (0.03, D), (0.0301, N), (1, N)],
    "burst_loss_up": [(0.0099, R), (0.01, D), (0.1, D), (0.101, N)],
    "burst_loss_down": [(0.0099, R), (0.01, D), (0.1, D), (0.101, N)],
    "reordered_up": [(0.0004, R), (0.0005, D), (1, D)],
    "reordered_down": [(0.0004, R), (0.0005, D), (1, D)],
    "timing": [(0.19, R), (0.2, D), (1, D)],
    "throughput_up": [(250_000, R), (249_999, D), (62_500, D), (62_499, N)],
    "throughput_down": [(375_000, R), (374_999, D), (62_500, D), (62_499, N)],
    "capacity_up": [(250_000, R), (249_999, D), (62_500, D), (62_499, N)],
    "capacity_down": [(375_000, R), (374_999, D), (62_500, D), (62_499, N)],
    "audio_up": [(12_500, R), (12_499, D), (5_000, D), (4_999, N)],
    "audio_down": [(12_500, R), (12_499, D), (5_000, D), (4_999, N)],
    "mos_up": [(4.0, R), (3.99, D), (3.5, D), (3.49, N)],
    "mos_down": [(4.0, R), (3.99, D), (3.5, D), (3.49, N)],
    "rtt_rise_up": [(0.049, R), (0.05, D), (0.15, D), (0.151, N)],
    "rtt_rise_down": [(0.049, R), (0.05, D), (0.15, D), (0.151, N)],
    "dns_lookup": [(0.299, R), (0.3, D), (9, D)],
    "wifi_signal": [(-75, R), (-75.1, D), (-95, D)],
    "call_setup": [(0.99, R), (1, D), (5, D), (5.01, N)],
    "first_media": [(1.79, R), (1.8, D), (5, D), (5.01, N)],
    "media_path": [("direct", R), ("turn_udp", R), ("turn_tcp", D), ("turn_tls", D), ("none", N), ("pigeon", U)],
    "call_carries": [("video", R), ("sound_only", D), ("nothing", N), ("smell", U)],
    "call_frames": [(24, R), (23.9, D), (0, D)],
    "call_frozen": [(0.049, R), (0.05, D), (1, D)],
    "call_audio_gaps": [(0.019, R), (0.02, D), (1, D)],
    "call_encoder": [(0.099, R), (0.1, D), (0.7, D), (0.71, N)],
    "clock": [(0, R), (-60, R), (60, R), (-60.1, D), (61, D), (-300, D), (300, D), (300.1, N), (-301, N)],
    "certificate_left": [(604_800, R), (604_799, D), (0, D)],
    "portal": [(2.9, R), (3, D), (60, D)],
    "camera_frames": [(24, R), (23.9, D), (7, D), (6.9, N)],
    "camera_black": [(0, R), (0.001, D), (0.333, D), (0.34, N)],
    "camera_frozen": [(0.049, R), (0.05, D), (0.333, D), (0.34, N)],
    "speech_level": [(-35, R), (-15, R), (-35.1, D), (-60, D), (-60.1, N), (-14.9, D), (0, D), (float("-inf"), N)],
    "camera_picture": [("good", R), ("no_face", R), ("dark", D), ("backlit", D), ("blurred", D), ("covered", N)],
    "microphone_sound": [
        ("good", R),
        ("no_speech", D),
        ("not_spoken", U),
        ("hum", D),
        ("narrow_band", D),
        ("muted", N),
        ("wrong_device", N),
    ],
    "speaker_sound": [
        ("heard", R),
        ("headset", R),
        ("not_heard", D),
        ("muted", D),
        ("leaks", D),
        ("played", U),
        ("not_played", U),
    ],
    "equipment": [
        ("fits", R),
        ("not_asked", U),
        ("not_clear", U),
        ("needs_headset", D),
        ("needs_conference_unit", D),
        ("needs_camera", D),
    ],
    "browser": [("good", R), ("old", D), ("missing", D), ("unknown", U)],
    "power": [("mains", R), ("battery", R), ("battery_low", D), ("saving", D)],
    "card_reader": [("card", R), ("no_card", D), ("no_reader", D), ("unknown", U)],
    "encode_speed": [(1.5, R), (1.49, D), (0.5, D), (0.49, N)],
    "memory": [(500e6, R), (499e6, D), (0, D)],
    "disk": [(200e6, R), (199e6, D), (0, D)],
    "speech_zeros": [("false", R), ("true", N)],
    "signal_to_noise": [(20, R), (19.9, D), (10, D), (9.9, N)],
    "call_cpu": [(0.59, R), (0.6, D), (0.9, D), (0.91, N)],
    "cpu_busy": [(0.849, R), (0.85, D), (1, D)],
    "local_queue": [(0.049, R), (0.05, D), (1, D)],
    "link_kind": [("wired", R), ("wifi", D), ("tethered", D), ("mobile", D), ("other", U)],
}


@pytest.mark.parametrize(("rule", "value", "level"), [(r, v, lv) for r, rows in EDGES.items() for v, lv in rows])
def test_each_row_at_its_edges(rule: str, value: float | str, level: str) -> None:
    assert POLICY.rows[rule].level(value) == level


def test_the_edges_above_cover_every_row() -> None:
    assert EDGES.keys() == POLICY.rows.keys()


def test_nan_is_unknown() -> None:
    assert POLICY.rows["rtt"].level(float("nan")) == "unknown"


@pytest.mark.parametrize(
    ("rule", "value", "level", "limit"),
    [
        ("rtt", 0.05, R, 0.1),
        ("rtt", 0.2, D, 0.1),
        ("rtt", 0.4, N, 0.3),
        ("mos_up", 3.0, N, 3.5),
        ("reordered_up", 0.1, D, 0.0005),
        ("speech_level", -45, D, -35),
        ("speech_level", -10, D, -15),
        ("speech_level", -70, N, -60),
    ],
)
def test_the_limit_that_decided(rule: str, value: float, level: str, limit: float) -> None:
    assert POLICY.rows[rule].limit(value, level) == limit  # type: ignore[arg-type]


def test_every_row_says_where_it_comes_from() -> None:
    assert all(row.source for row in (*POLICY.rows.values(), *POLICY.diagnosis.values()))


def test_every_failure_code_has_a_row() -> None:
    assert POLICY.failures.keys() == FAILURES.keys()


def test_a_failure_of_the_test_is_not_a_bad_connection() -> None:
    unknown = {code for code, about in POLICY.failures.items() if about.level == "unknown"}
    assert unknown == {code for code in FAILURES if code.startswith(("room_", "call_"))} | {
        *("session_expired", "no_reply", "transfer_stalled", "budget_spent", "dns_no_resolver", "link_not_bound"),
        *("link_bypassed", "clock_stepped", "timeout", "interrupted", "probe_broken", "third_party_unreachable"),
        *("sound_system_missing", "device_library_missing", "devices_unanswered"),
    }


def test_a_code_from_a_newer_program_is_unknown() -> None:
    assert POLICY.failure("flux_capacitor").level == "unknown"


def test_the_traffic_is_meeting_shaped() -> None:
    t = POLICY.traffic
    assert (t.video_bytes_per_second, t.audio_interval_seconds, t.audio_payload_bytes) == (100_000, 0.02, 160)
    assert (t.video_packet_max_bytes, t.playout_buffer_seconds) == (1200, 0.2)
    assert t.video_frame_interval_seconds == pytest.approx(1 / 30, abs=1e-4)

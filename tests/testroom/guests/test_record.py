"""What a browser may say: the whole table of refusals, and what is made of what it may."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.serial import to_json
from reports.vocabulary import FAILURES, NAMES
from testroom.guests.record import (
    FAILED,
    LOSSES,
    MOST_BYTES,
    RANGES,
    REASONS,
    WORDS,
    RecordRefusedError,
    read_record,
)
from testroom.guests.verdict import self_test, shown

GOOD: dict[str, Any] = {
    "schema": "motesklar.browser/1",
    "duration_s": 7.1,
    "values": {
        "rtt_p50_seconds": 0.02,
        "rtt_p95_seconds": 0.03,
        "jitter_up_seconds": 0.002,
        "jitter_down_seconds": 0.002,
        "call_setup_seconds": 0.2,
        "first_media_seconds": 0.5,
        "call_frames_per_second": 29.5,
        "call_frozen_ratio": 0,
        "call_audio_gap_ratio": 0.001,
        "camera_frames_per_second": 30,
        "clock_skew_seconds": -0.4,
    },
    "counts": {"lost_up": 0, "sent_up": 900, "lost_down": 1, "expected_down": 900},
    "facts": {
        "media_path": "direct",
        "call_carries": "video",
        "browser": "chrome",
        "browser_version": 156,
        "camera": "ok",
        "microphone": "ok",
    },
    "unknown": {"call_frames_skipped_ratio": "bandwidth"},
}


def changed(**parts: Any) -> bytes:
    """GOOD with a part laid over its own, or replaced when it is no table."""
    record = copy.deepcopy(GOOD)
    for key, part in parts.items():
        record[key] = {**record[key], **part} if isinstance(part, dict) and key in record else part
    return json.dumps(record).encode()


def judged(**parts: Any) -> dict[str, Any]:
    return shown(self_test(read_record(changed(**parts))), "7KQ4-M2XD")


# ---- what is refused


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"", "json"),
        (b"\xff", "json"),
        (b"[" * 30_000, "json"),
        (b'{"a":' * 6000, "json"),
        (b"[]", "record"),
        (b"null", "record"),
        (b" " * (MOST_BYTES + 1), "size"),
        (changed(schema="motesklar.browser/2"), "schema"),
        (changed(note="free text"), "schema"),
        (changed(values=[]), "values"),
        (changed(values={"rtt_p95_secs": 1}), "values"),
        (changed(values={"mos_up": 4}), "values"),
        (changed(values={"loss_up_ratio": 0}), "values"),
        (changed(values={"rtt_p95_seconds": "0.1"}), "rtt_p95_seconds"),
        (changed(values={"rtt_p95_seconds": True}), "rtt_p95_seconds"),
        (changed(values={"rtt_p95_seconds": None}), "rtt_p95_seconds"),
        (changed(values={"rtt_p95_seconds": -0.1}), "rtt_p95_seconds"),
        (changed(values={"rtt_p95_seconds": 10**400}), "rtt_p95_seconds"),
        (changed(values={"call_frozen_ratio": 1.01}), "call_frozen_ratio"),
        (changed(values={"rtt_p95_seconds": float("nan")}), "rtt_p95_seconds"),
        (changed(values={"rtt_p95_seconds": float("inf")}), "rtt_p95_seconds"),
        (changed().replace(b"0.03", b"1e999"), "rtt_p95_seconds"),
        (changed(duration_s=-1), "duration_s"),
        (changed(duration_s=3600), "duration_s"),
        (changed(duration_s=None), "duration_s"),
        (changed(counts={"lost_up": 901}), "counts"),
        (changed(counts={"lost_up": -1}), "lost_up"),
        (changed(counts={"lost": 1}), "counts"),
        (changed(facts={"media_path": "carrier pigeon"}), "media_path"),
        (changed(facts={"browser": "<script>"}), "browser"),
        (changed(facts={"browser": ["chrome"]}), "browser"),
        (changed(facts={"browser_version": 1e6}), "browser_version"),
        (changed(facts={"name": "Anna"}), "facts"),
        (changed(unknown={"rtt_max_seconds": "because"}), "rtt_max_seconds"),
        (changed(unknown={"mos_up": "browser"}), "unknown"),
        (changed(unknown={"rtt_p95_seconds": "browser"}), "unknown"),
        (changed(failure="ice"), "failure"),
        (changed(failure={"step": "ice", "code": "dtls_failed"}), "failure"),
        (changed(failure={"step": "tea", "code": "ice_failed"}), "failure"),
    ],
)
def test_it_is_refused(body: bytes, where: str):
    with pytest.raises(RecordRefusedError) as refused:
        read_record(body)
    assert str(refused.value) == where


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(GOOD)), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(GOOD)), JSON)
def test_whatever_stands_in_a_part_it_is_read_or_refused(key: str, part: Any):
    try:
        record = read_record(json.dumps({**GOOD, key: part}).encode())
    except RecordRefusedError:
        return
    json.dumps(to_json(self_test(record)), allow_nan=False)


# ---- names are those of the vocabulary


def test_each_name_is_in_the_vocabulary():
    assert {*RANGES, *LOSSES} <= NAMES
    assert {code for codes in FAILED.values() for code in codes} <= FAILURES.keys()


# ---- what is made of it


def test_loss_is_worked_out_here_with_its_interval():
    call = read_record(changed()).measurements()[0]
    assert call.values["loss_down_ratio"] == pytest.approx(1 / 900)
    assert 0 < call.values["loss_down_ratio_ci95_low"] < 1 / 900 < call.values["loss_down_ratio_ci95_high"]
    assert call.unknown == {"call_frames_skipped_ratio": REASONS["bandwidth"]}


@pytest.mark.parametrize(
    ("parts", "level", "action"),
    [
        ({}, "ready", "All is ready. Join the meeting."),
        ({"values": {"rtt_p95_seconds": 0.2}}, "degraded", "You can join the meeting. Report the fault to"),
        ({"values": {"rtt_p95_seconds": 0.4}}, "not_ready", "Call the municipality's IT support"),
        ({"counts": {"lost_down": 100}}, "not_ready", ""),
        ({"facts": {"media_path": "turn_tls"}}, "degraded", "You can join the meeting"),
        ({"facts": {"call_carries": "sound_only"}}, "degraded", ""),
        ({"values": {"camera_frames_per_second": 12}}, "degraded", "Put on more light"),
        ({"values": {"clock_skew_seconds": 900}}, "not_ready", ""),
        ({"facts": {"connection": "wifi"}}, "ready", ""),
        ({"facts": {"connection": "cellular"}}, "degraded", ""),
        ({"facts": {"camera": "missing"}}, "degraded", "Connect a camera"),
        ({"facts": {"camera": "denied"}}, "degraded", "Allow the camera"),
        ({"facts": {"microphone": "missing"}}, "not_ready", "Connect a headset"),
        ({"facts": {"camera": "busy", "microphone": "busy"}}, "not_ready", "Close other programs that use the mic"),
        ({"facts": {"camera": "missing"}, "values": {"rtt_p95_seconds": 0.4}}, "not_ready", "Call the municipality's"),
        ({"counts": {"sent_up": 0}}, "unknown", "Test again."),
    ],
)
def test_the_same_policy_judges_it(parts: dict[str, Any], level: str, action: str):
    found = judged(**parts)
    assert found["level"] == level
    assert found["words"]["en"]["action"].startswith(action)
    assert found["words"]["sv"]["action"] != found["words"]["en"]["action"]


@pytest.mark.parametrize(
    ("step", "code", "level"),
    [
        ("ice", "ice_failed", "not_ready"),
        ("dtls", "dtls_failed", "not_ready"),
        ("media", "media_silent_up", "not_ready"),
        ("media", "media_silent_down", "not_ready"),
        ("media", "call_broken_off", "unknown"),
    ],
)
def test_a_call_that_failed(step: str, code: str, level: str):
    body = {"schema": GOOD["schema"], "duration_s": 9, "failure": {"step": step, "code": code}}
    found = shown(self_test(read_record(json.dumps(body).encode())), "7KQ4-M2XD")
    words: Any = found["words"]
    assert found["level"] == level
    assert all(row["means"] or row["value"] for row in words["en"]["findings"])


def test_each_sentence_is_a_sentence_in_both_languages():
    """No message id shows through, whatever is wrong."""
    bad = {name: high if name != "clock_skew_seconds" else 1e6 for name, (_, high) in RANGES.items()}
    del bad["call_frames_skipped_ratio"]  # GOOD says that it is unknown
    bad |= {"call_frames_per_second": 1, "camera_frames_per_second": 1, "call_frames_sent_per_second": 1}
    devices = [word for word in WORDS["camera"] if word != "ok"]
    for device in devices:
        facts = {"camera": device, "microphone": device, "media_path": "none", "call_carries": "nothing"}
        found = judged(values=bad, facts=facts, counts={"lost_up": 500}, unknown={})
        for words in found["words"].values():
            texts = [words["headline"], words["action"], words["means"]]
            texts += [text for row in words["findings"] for key, text in row.items() if key != "level"]
            assert [text for text in texts if "_" in text or text.startswith(("means.", "value."))] == []

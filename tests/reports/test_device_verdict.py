"""What a device's word or failure makes of a verdict whose network is good: a table."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.advice.words import meaning_text
from reports.record import Fact, Failure, Measurement
from tests.reports.make import good, policy_from, verdict


def device(name: str, failure: str | None = None, values: dict[str, float] | None = None, **facts: Fact) -> Measurement:
    failed = Failure(name, failure) if failure else None
    return Measurement(name, f"my {name}", 1.8e9, 1.0, values=values or {}, facts=facts, failure=failed)


@pytest.mark.parametrize(
    ("seen", "level", "action"),
    [
        (device("microphone", microphone_sound="good"), "ready", "ready_go"),
        (device("microphone", microphone_sound="not_spoken"), "ready", "ready_go"),
        (device("microphone", microphone_sound="no_speech"), "degraded", "speak_closer"),
        (device("microphone", microphone_sound="muted"), "not_ready", "allow_microphone"),
        (device("speaker", speaker_sound="played"), "ready", "ready_go"),
        (device("speaker", speaker_sound="not_played"), "ready", "ready_go"),
        (device("speaker", speaker_sound="muted"), "degraded", "unmute_speaker"),
        (device("equipment", equipment="not_clear"), "ready", "ready_go"),
        (device("computer", browser="missing"), "degraded", "report_fault"),
        (device("computer", browser="unknown", card_reader="unknown"), "ready", "ready_go"),
        (device("camera", "camera_none"), "degraded", "plug_in_camera"),
        (device("camera", "camera_forbidden"), "degraded", "allow_camera"),
        (device("camera", "devices_unanswered"), "unknown", "restart_computer"),
        (device("camera", "device_library_missing"), "unknown", "ask_program"),
        (device("microphone", "sound_system_missing"), "unknown", "ask_sound"),
        (device("microphone", "probe_broken"), "unknown", "ask_program"),
    ],
    ids=lambda seen: " ".join(map(str, seen.facts.values())) or seen.failure.code if hasattr(seen, "facts") else None,
)
def test_verdict(seen: Measurement, level: str, action: str) -> None:
    found = verdict(good(), seen)
    assert (found.level, found.action) == (level, action)


@pytest.mark.parametrize(
    ("held_by", "said"),
    [
        ("browser", "Webbläsaren använder kameran just nu."),
        ("meeting", "Ett mötesprogram använder kameran just nu."),
        ("other", "Kameran används av ett annat program."),
        (None, "Kameran används av ett annat program."),
    ],
)
def test_who_holds_a_busy_camera(held_by: str | None, said: str) -> None:
    seen = device("camera", "camera_busy", **({"held_by": held_by} if held_by else {}))  # type: ignore[arg-type]
    (busy,) = [f for f in verdict(good(), seen).findings if f.value == "camera_busy"]
    assert (busy.level, busy.advice, meaning_text(busy, "sv")) == ("degraded", "close_camera_programs", said)


def test_what_is_not_known_is_no_pass() -> None:
    words = (device("speaker", speaker_sound="not_played"), device("equipment", equipment="not_asked"))
    levels = {f.rule: f.level for f in verdict(good(), *words).findings}
    assert (levels["speaker_sound"], levels["equipment"]) == ("unknown", "unknown")


def test_a_level_is_told_once_by_its_number(tmp_path: Path) -> None:
    """ "quiet: good" beside "-45 dBFS: faint" would contradict it. A policy that wants the word may have it."""
    quiet = device("microphone", values={"speech_level_dbfs": -45.0}, microphone_sound="quiet")
    mine = policy_from(tmp_path, '[rules.microphone_sound]\nready = ["good", "quiet"]')
    assert {f.rule for f in verdict(good(), quiet).findings if f.subject == "my microphone"} == {"speech_level"}
    both = verdict(good(), quiet, policy=mine).findings
    assert {f.rule for f in both if f.subject == "my microphone"} == {"speech_level", "microphone_sound"}

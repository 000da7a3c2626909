"""The microphone check on ALSA: the loop card's round trip, a chip's silent microphone, and other programs' use."""

from __future__ import annotations

import asyncio
import time

import pytest

from media_check import microphone
from media_check.errand import Errand
from reports.draft import Draft
from tests.lab.sound import LOOP_IN, PEAK_DBFS, RATE, avx2, loop_card, playing, source, tone, using

FAR_S = 60.0  # the guest emulates its processor
CHIP = "alsa:hw:Intel,0"


@pytest.fixture(autouse=True)
def cards() -> None:
    if not loop_card():
        pytest.skip("no loop card")


def check(handle: str) -> Draft:
    errand = Errand((source(handle),), time.monotonic() + FAR_S, asyncio.Event())
    return asyncio.run(microphone.check(errand))


def outcome(draft: Draft) -> str:
    draft.measurement()
    return draft.failure.code if draft.failure else str(draft.facts.get("microphone_sound"))


def test_a_round_trip_keeps_its_level() -> None:
    with playing(tone()):
        draft = check(LOOP_IN)
    assert draft.failure is None
    assert draft.values["sound_peak_dbfs"] == pytest.approx(PEAK_DBFS, abs=0.5)
    assert draft.values["clipped_ratio"] == 0
    assert abs(draft.values["dc_offset_ratio"]) < 0.001
    assert draft.facts["rate_hertz"] == RATE


@pytest.mark.skipif(avx2(), reason="LAB_CPU has AVX2")
def test_a_processor_that_cannot_run_the_detector_leaves_only_speech_unknown() -> None:
    with playing(tone()):
        draft = check(LOOP_IN)
    assert draft.failure is None
    assert "detector" in draft.unknown["speech_level_dbfs"]
    assert "speech_heard" not in draft.facts


def test_a_silent_chip_gives_exact_zeros() -> None:
    draft = check(CHIP)
    assert outcome(draft) == "zeros"
    assert draft.facts["exact_zeros"] is True
    assert draft.values["sound_peak_dbfs"] == -120
    assert "speech_level_dbfs" in draft.unknown


def test_another_program_has_it() -> None:
    with using(["arecord", "-q", "-D", CHIP.removeprefix("alsa:"), "-f", "S16_LE", "-r", "48000", "-c", "2"]):
        assert outcome(check(CHIP)) == "microphone_busy"


def test_not_there_any_more() -> None:
    assert outcome(check("alsa:hw:Gone,0")) == "microphone_vanished"

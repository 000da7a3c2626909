"""Speech through the loop card and the microphone check. It needs AVX2, so a guest of its own: LAB_CPU=max."""

from __future__ import annotations

import asyncio
import time

import numpy as np
import pytest

from media_check import microphone, signal
from media_check.errand import Errand
from tests.lab.sound import LOOP_IN, PEAK_DBFS, RATE, avx2, loop_card, playing, source, vowels

pytestmark = pytest.mark.skipif(not (loop_card() and avx2()), reason="needs the loop card, and AVX2: LAB_CPU=max")
FAR_S = 90.0  # the guest emulates its processor


def test_a_voice_is_found_at_its_level() -> None:
    """The truth is what is played: its highest sample, and its level as speech, judged before it goes out."""
    sound = vowels()
    with playing(sound):
        errand = Errand((source(LOOP_IN),), time.monotonic() + FAR_S, asyncio.Event(), attended=True)
        draft = asyncio.run(microphone.check(errand))
    assert draft.failure is None
    assert draft.facts["speech_heard"] is True
    assert draft.values["sound_peak_dbfs"] == pytest.approx(PEAK_DBFS, abs=0.5)
    before = signal.listen(sound.astype(np.float32), RATE, attended=True, seconds=None)
    assert draft.values["speech_level_dbfs"] == pytest.approx(before.values["speech_level_dbfs"], abs=0.5)

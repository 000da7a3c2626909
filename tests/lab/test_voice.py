"""The voice check on ALSA: what the loop card gave is played into it again, once the microphone has been let go.

And into a card that was plugged in when the person had spoken, which PortAudio does not know unless it lists again.
"""

from __future__ import annotations

import asyncio
import subprocess
import time
from contextlib import ExitStack

import numpy as np
import pytest

from media_check import voice
from media_check.errand import Errand
from media_check.voice import Playback
from reports.draft import ProbeFailure
from reports.record import Device
from tests.lab.sound import LOOP_IN, LOOP_OUT, PEAK_DBFS, RATE, loop_card, playing, source, tone

FAR_S = 60.0  # the guest emulates its processor
HERTZ = 1000
CARD = "snd-dummy"

pytestmark = pytest.mark.skipif(not loop_card(), reason="no loop card")


def output(card: str) -> Device:
    return Device("speaker", "Annas ljud", "Speaker", "usb", 0.9, (), None, f"alsa:{card}")


async def played(playback: Playback) -> np.ndarray:
    """What the loop card's other end records meanwhile: (n,)."""
    words = ["arecord", "-q", "-D", LOOP_IN.removeprefix("alsa:"), "-t", "raw", "-f", "FLOAT_LE", "-r", str(RATE)]
    with subprocess.Popen([*words, "-c", "2"], stdout=subprocess.PIPE) as recorder:  # noqa: ASYNC220
        heard = asyncio.create_task(asyncio.to_thread(lambda: recorder.communicate()[0]))
        try:
            failure = await playback.play(output(LOOP_OUT))
        finally:
            recorder.terminate()
    assert failure is None, f"{failure} {failure.detail}"
    return np.frombuffer(await heard, np.float32)[::2]


def test_the_loop_card_hears_what_it_gave(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voice, "OPENS_S", FAR_S)
    found: list[np.ndarray] = []
    later: list[ProbeFailure | None] = []
    subprocess.run(["modprobe", "-r", CARD], check=True)
    with ExitStack() as other_program:
        other_program.enter_context(playing(tone()))

        async def then(playback: Playback) -> None:
            other_program.close()
            found.append(await played(playback))
            subprocess.run(["modprobe", CARD], check=True)  # noqa: ASYNC221
            later.append(await playback.play(output("hw:Dummy,0")))

        errand = Errand((source(LOOP_IN),), time.monotonic() + FAR_S, asyncio.Event())
        draft = asyncio.run(voice.check(errand, then))
    assert draft.failure is None
    assert later == [None]
    (heard,) = found
    (places,) = np.nonzero(np.abs(heard) > 1e-4)
    sound = heard[places[0] : places[-1]]
    assert len(sound) / RATE == pytest.approx(4.5, abs=0.5)
    assert 20 * np.log10(np.abs(sound).max()) == pytest.approx(PEAK_DBFS, abs=0.5)
    assert np.argmax(np.abs(np.fft.rfft(sound))) * RATE / len(sound) == pytest.approx(HERTZ, abs=1)

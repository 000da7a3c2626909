"""The voice check against a real sound server: what is read in a room is judged, and heard from another speaker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import numpy as np
import pytest

from media_check import microphone, speech, voice
from media_check.errand import Errand, Step
from media_check.voice import Playback
from media_check.voice_child import PEAK_DBFS
from reports.draft import ProbeFailure
from tests.media_check import test_microphone, test_speaker
from tests.media_check.overheard import Overheard, likeness, overheard, sounding
from tests.media_check.pulse import RATE, Pulse
from tests.media_check.test_microphone import LEVEL_DBFS, SILENCE, errand, needs_voice, outcome, source
from tests.media_check.voices import active_level

OUT = test_speaker.output("out")
LISTENS_S = 2.0


@pytest.fixture(autouse=True)
def _a_short_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(microphone, "ATTENDED_S", LISTENS_S)


def room(pulse: Pulse) -> None:
    pulse.speaker("room")
    pulse.speaker("out", channels=2)
    pulse.microphone("mic", "room")


def why(failure: ProbeFailure | None) -> str | None:
    return failure.code if failure else None


async def silent(heard: Overheard, within: float) -> float:
    """Seconds until nothing more comes: then it stays silent."""
    begun = time.monotonic()
    while heard.sound(-RATE // 10).any():
        assert time.monotonic() - begun < within
        await asyncio.sleep(0.02)
    return time.monotonic() - begun


@needs_voice
async def test_what_was_read_is_judged_and_then_heard(pulse: Pulse) -> None:
    room(pulse)
    steps: list[Step] = []
    kept: list[Playback] = []

    async def then(playback: Playback) -> None:
        kept.append(playback)
        assert not heard.sound().any()
        assert LISTENS_S - 0.5 < playback.seconds < LISTENS_S + 0.5
        assert playback.draft.facts["microphone_sound"] == "good"
        assert await playback.play(OUT) is None
        assert playback.muted is False

    with pulse.playing("room", test_microphone.speech()), overheard("out") as heard:
        draft = await voice.check(errand(source("mic"), progress=steps.append), then)
        await silent(heard, 1.0)
        ended = heard.count
        late = await kept[0].play(OUT)
        await asyncio.sleep(0.5)
    assert outcome(draft) == "good"
    assert draft.values["speech_level_dbfs"] == pytest.approx(LEVEL_DBFS, abs=1.5)
    assert draft.duration_s < LISTENS_S + 3
    assert {step.what for step in steps} == {"opening", "speak_now", "playing"}
    assert max(step.level or 0 for step in steps) > 0.4
    _is_what_was_read(sounding(heard.sound(0, ended)))
    assert (why(late), kept[0].seconds) == ("interrupted", 0.0)
    assert heard.count - ended > 0.4 * RATE
    assert not heard.sound(ended).any()


def _is_what_was_read(played: np.ndarray) -> None:
    assert len(played) / RATE == pytest.approx(LISTENS_S, abs=0.5)
    assert likeness(played, test_microphone.speech()) > 0.95
    assert speech.is_heard(speech.chances(played, RATE))
    assert 20 * np.log10(np.abs(played).max()) == pytest.approx(PEAK_DBFS, abs=0.1)
    assert 20 * np.log10(active_level(played, RATE)) == pytest.approx(-29, abs=3)


@needs_voice
async def test_it_is_stopped_and_played_elsewhere(pulse: Pulse) -> None:
    room(pulse)
    pulse.speaker("muted")
    pulse.pactl("set-sink-mute", "muted", "1")
    headset = pulse.speaker("headset")
    found: list[str | None] = []
    unplugging: list[Callable[[int], None]] = []
    loop, playing = asyncio.get_running_loop(), asyncio.Event()

    async def begun(playback: Playback) -> asyncio.Task[ProbeFailure | None]:
        playing.clear()
        task = asyncio.create_task(playback.play(OUT))
        await asyncio.wait_for(playing.wait(), 3)
        await asyncio.sleep(0.7)
        assert heard.sound(-RATE // 10).any()
        return task

    async def then(playback: Playback) -> None:
        task = await begun(playback)
        await playback.stop()
        assert await silent(heard, 1.0) < 0.8
        assert await asyncio.wait_for(task, 1) is None
        (await begun(playback)).cancel()
        assert await silent(heard, 1.0) < 0.8
        found.append(why(await playback.play(test_speaker.output("gone"))))
        loop.call_later(0.6, lambda: asyncio.ensure_future(playback.stop()))
        assert await playback.play(test_speaker.output("muted")) is None
        assert playback.muted is True
        unplugging.append(pulse.unload)
        found.append(why(await playback.play(test_speaker.output("headset"))))
        await begun(playback)  # and it ends in the middle

    def progress(step: Step) -> None:
        if step.what == "playing":
            playing.set()
            for unload in unplugging:
                loop.call_later(0.4, unload, headset)
            unplugging.clear()

    with pulse.playing("room", test_microphone.speech()), overheard("out") as heard:
        draft = await voice.check(errand(source("mic"), progress=progress), then)
        assert await silent(heard, 1.0) < 0.8
    assert outcome(draft) == "good"
    assert found == ["speaker_vanished", "speaker_vanished"]


@needs_voice
async def test_muted_and_the_wrong_one(pulse: Pulse) -> None:
    pulse.speaker("room")
    pulse.speaker("box")
    for name, where in (("off", "room"), ("laptop", "room"), ("puck", "box")):
        pulse.microphone(name, where)
    pulse.mute("off")
    asked_for: dict[str, Errand] = {
        "muted": errand(source("off")),
        "wrong_device": errand(source("puck", default=True), source("laptop")),
        "microphone_vanished": errand(source("gone")),
    }
    called: list[str] = []

    async def then(playback: Playback) -> None:
        called.append(str(playback.draft.facts["microphone_sound"]))

    with pulse.playing("room", test_microphone.speech()), pulse.playing("box", SILENCE):
        drafts = await asyncio.gather(*(voice.check(one, then) for one in asked_for.values()))
    assert [outcome(draft) for draft in drafts] == [*asked_for]
    assert [draft.facts.get("better_device") for draft in drafts] == [None, "laptop", None]
    assert {*called} == {"muted", "wrong_device"}


async def test_quiet_plays_nothing(pulse: Pulse, monkeypatch: pytest.MonkeyPatch) -> None:
    room(pulse)
    monkeypatch.setattr(microphone, "ATTENDED_S", 0.6)
    found: list[str | None] = []

    async def then(playback: Playback) -> None:
        found.append(why(await playback.play(OUT)))

    with pulse.playing("room", SILENCE):
        await voice.check(errand(source("mic"), quiet=True), then)
    assert found == ["interrupted"]

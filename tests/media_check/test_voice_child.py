"""What is played of what was heard: how loud, how it begins and ends; and that nothing is kept. In this process."""

from __future__ import annotations

import math
import time
from threading import Timer
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from media_check import speaker_child, voice_child
from media_check.sound_child import Ear
from media_check.sound_device import SoundFailure, list_again
from media_check.speaker_child import Mouth, speak
from media_check.voice_child import FADE_S, KEPT_S, PEAK_DBFS, Kept, Orders, at_rate, leveled
from tests.media_check.voices import ESPEAK, spoken

RATE = 16000
Sound = NDArray[np.float32]


def voice(level: float, seconds: float = 4.0) -> Sound:
    """A voice at that active level, dBFS."""
    return np.resize(spoken("sv", 0, 0, RATE) * 10 ** (level / 20), round(seconds * RATE)).astype(np.float32)


def peak(sound: Sound) -> float:
    return 20 * math.log10(float(np.abs(sound).max()))


def middle(sound: Sound) -> Sound:
    """Without what is faded."""
    return sound[round(FADE_S * RATE) + 1 : -round(FADE_S * RATE) - 1]


@pytest.mark.skipif(ESPEAK is None, reason="espeak-ng is not installed")
@pytest.mark.parametrize(
    ("level", "loudest"),
    [(-10.0, PEAK_DBFS), (-24.0, PEAK_DBFS), (-45.0, -45 + 18.6)],
)
def test_a_voice_is_never_amplified_and_never_louder_than_the_set_level(level: float, loudest: float) -> None:
    said = np.clip(voice(level), -1, 1)
    played = leveled(said, RATE)
    assert peak(played) <= PEAK_DBFS + 0.001
    assert peak(middle(played)) == pytest.approx(loudest, abs=0.6)
    assert np.corrcoef(said, played)[0, 1] > 0.99
    assert np.all(np.abs(played) <= np.abs(said) + 1e-6)


@pytest.mark.skipif(ESPEAK is None, reason="espeak-ng is not installed")
def test_a_bang_makes_no_voice_faint() -> None:
    said = voice(-30.0)
    banged = said.copy()
    banged[RATE : RATE + 400] = 1.0
    quiet, loud = leveled(said, RATE), leveled(banged, RATE)
    assert peak(loud) <= PEAK_DBFS + 0.001
    assert np.allclose(quiet[RATE * 2 :], loud[RATE * 2 :], rtol=0.15)


@pytest.mark.parametrize("count", [0, 1, 37, RATE])
def test_it_begins_and_ends_in_silence(count: int) -> None:
    played = leveled(np.ones(count, np.float32), RATE)
    assert played.shape == (count,)
    if count:
        assert played[0] == played[-1] == 0
        assert np.abs(np.diff(played)).max(initial=0) < 0.02
        assert not leveled(np.zeros(count, np.float32), RATE).any()


def test_another_rate() -> None:
    time_ = np.arange(RATE) / RATE
    kept = Kept((0.1 * np.sin(2 * np.pi * 440 * time_)).astype(np.float32), RATE)
    played = at_rate(kept, 44100)
    assert len(played) == 44100
    assert int(np.argmax(np.abs(np.fft.rfft(played)))) == 440


class Stream:
    """PortAudio's, as far as it is ended."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def abort(self) -> None:
        self.calls.append("abort")

    def close(self) -> None:
        self.calls.append("close")


def ear(seconds: float) -> Ear:
    blocks = [np.full(RATE // 10, number + 1, np.float32) for number in range(round(seconds * 10))]
    return Ear("pulse:mic", RATE, Stream(), blocks)


def test_the_last_seconds_are_kept_and_all_is_overwritten() -> None:
    heard = ear(9.0)
    kept = Kept.of(heard)
    assert heard.stream.calls == ["abort", "close"]
    assert kept.seconds == KEPT_S
    assert kept.samples[-1] == 90
    assert not any(block.any() for block in heard.blocks)
    assert kept.samples.base is None
    kept.wipe()
    assert not kept.samples.any()
    assert Kept.of(ear(1.0)).seconds == pytest.approx(0.9)


def test_what_was_played_is_overwritten() -> None:
    sound = np.ones(RATE, np.float32)
    mouth = Mouth(sound, RATE, Stream(), at=1000)
    mouth.hush()
    mouth.hush()
    end = 1000 + round(0.03 * RATE)
    assert len(mouth.sound) == end
    assert mouth.sound[999] == 1
    assert 0.9 < mouth.sound[1010] < 1
    assert not sound[end - 1 :].any()
    mouth.close()
    assert not sound.any()


class Sounds:
    """sounddevice, with one speaker. `breaks`: what does not work, by its name."""

    class PortAudioError(Exception):
        pass

    def __init__(self, breaks: str = "", started: int = 1) -> None:
        self.breaks, self.streams, self.made, self._initialized = breaks, list[Stream](), list[Sound](), started

    def query_devices(self, number: int | None = None) -> Any:
        device = {"name": "out", "hostapi": 0, "max_output_channels": 2, "default_samplerate": RATE}
        return [device] if number is None else device

    def check_output_settings(self, *_: object) -> None:
        self._work("check")

    def OutputStream(self, *_: object, callback: Any, **more: object) -> Stream:
        self._work("open")
        self.streams.append(Stream())
        self.streams[-1].start = lambda: self._work("start")  # type: ignore[attr-defined]
        return self.streams[-1]

    def make(self, rate: int) -> Sound:
        self.made.append(np.ones(rate, np.float32))
        return self.made[-1]

    def _terminate(self) -> None:
        assert self._initialized
        self._initialized -= 1

    def _initialize(self) -> None:
        self._work("initialize")
        self._initialized += 1

    def _work(self, what: str) -> None:
        if what == self.breaks:
            raise self.PortAudioError(what)


@pytest.mark.parametrize("breaks", ["open", "start"])
def test_a_speaker_that_does_not_open_leaves_nothing_of_the_sound(breaks: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mouths: list[Mouth] = []
    monkeypatch.setattr(speaker_child, "Mouth", lambda *given: mouths.append(Mouth(*given)) or mouths[-1])
    sounds = Sounds(breaks)
    with pytest.raises(SoundFailure, match="speaker_busy"):
        speak(sounds, "other:out", sounds.make)
    assert not any(sound.any() for sound in (*sounds.made, *(mouth.sound for mouth in mouths)))
    assert [stream.calls for stream in sounds.streams] == ([["abort", "close"]] if breaks == "start" else [])


def test_the_copy_that_is_played_is_the_only_one() -> None:
    sounds = Sounds()
    mouth = speak(sounds, "other:out", sounds.make)
    assert mouth.sound.sum() == RATE * 3  # at 48 kHz
    assert not sounds.made[0].any()


@pytest.mark.parametrize("started", [1, 0])
def test_portaudio_that_does_not_start_again_may_do_so_later(started: int) -> None:
    sounds = Sounds("initialize", started)
    with pytest.raises(SoundFailure, match="sound_system_missing"):
        list_again(sounds)
    sounds.breaks = ""
    list_again(sounds)
    assert sounds._initialized == 1


@pytest.mark.parametrize(("words", "within"), [({"end": True}, 0.25), (None, 0.5)])
def test_it_ends_when_told_or_in_time(monkeypatch: pytest.MonkeyPatch, words: Any, within: float) -> None:
    kept, said, orders = Kept(np.ones(RATE, np.float32), RATE), list[Any](), Orders()
    monkeypatch.setattr(voice_child, "listened", lambda *_: kept)
    if words:
        Timer(0.1, orders.hear, [words]).start()
    begun = time.monotonic()
    voice_child.work({"hold": 0.4}, said.append, orders)
    assert within - 0.2 < time.monotonic() - begun < within
    assert said == [{"kept": 1.0}]
    assert not kept.samples.any()


def test_orders() -> None:
    orders = Orders()
    for line in ({"play": "a", "number": 1}, {"play": "b", "number": 2}, {"stop": 1}):
        orders.hear(line)
    until = time.monotonic() + 5
    assert (orders.next(until) or {})["play"] == "a"
    assert (orders.stopped(1), orders.stopped(2)) == (True, False)
    orders.hear({"end": True})
    assert orders.stopped(2)
    assert orders.next(until) is None
    assert Orders().next(time.monotonic() - 1) is None

"""What is played of what was heard: how loud, how it begins and ends; and that nothing is kept. In this process."""

from __future__ import annotations

import math
import time
from threading import Timer
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from media_check import voice_child
from media_check.sound_child import Ear
from media_check.speaker_child import Mouth
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

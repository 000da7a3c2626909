"""The microphone check against a real sound server: what is played into a room is what its microphones hear."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from media_check import microphone
from media_check.errand import Errand, Step
from reports.draft import Draft
from reports.record import Device, Form
from tests.media_check.pulse import RATE, Pulse
from tests.media_check.voices import ESPEAK, spoken

needs_voice = pytest.mark.skipif(ESPEAK is None, reason="espeak-ng is not installed")

LEVEL_DBFS, ROOM_DBFS = -24.0, -60.0
SILENCE = np.zeros(RATE)


@cache
def speech() -> NDArray[Any]:
    """Somebody reads at LEVEL_DBFS in a quiet room, and breathes often enough for each part heard to hold a pause."""
    pause = np.zeros(RATE * 7 // 10)
    first, second = np.array_split(spoken("sv", 0, 0, RATE), 2)
    voice = np.concatenate([first, pause, second, pause])
    room = np.random.default_rng(1).normal(0, 10 ** (ROOM_DBFS / 20), len(voice))
    return voice * 10 ** (LEVEL_DBFS / 20) + room


def hum() -> NDArray[Any]:
    """The mains at -30 dBFS, with its harmonics."""
    second = np.arange(RATE) / RATE
    return sum(0.03 / n * np.sin(2 * np.pi * 50 * n * second) for n in (1, 2, 3, 5))


def source(name: str, *, default: bool | None = None, form: Form = "usb") -> Device:
    return Device("microphone", f"Annas {name}", name, form, 0.9, (), default, f"pulse:{name}")


def errand(*devices: Device, seconds: float = 8.0, **more: Any) -> Errand:
    return Errand(devices, time.monotonic() + seconds, asyncio.Event(), **more)


def outcome(draft: Draft) -> str:
    """The failure's code, else the word for the sound."""
    draft.measurement()
    return draft.failure.code if draft.failure else str(draft.facts.get("microphone_sound"))


@needs_voice
async def test_speech_is_heard_as_speech(pulse: Pulse) -> None:
    steps: list[Step] = []
    pulse.speaker("room")
    pulse.microphone("mic", "room")
    with pulse.playing("room", speech()):
        draft = await microphone.check(errand(source("mic"), attended=True, progress=steps.append))
    assert outcome(draft) == "good"
    assert draft.subject == "mic"
    assert draft.facts["speech_heard"] is True
    assert draft.facts["exact_zeros"] is False
    assert draft.values["speech_level_dbfs"] == pytest.approx(LEVEL_DBFS, abs=1.5)
    assert draft.values["signal_to_noise_db"] == pytest.approx(LEVEL_DBFS - ROOM_DBFS, abs=3)
    assert draft.duration_s < 7
    assert steps[0] == Step("microphone", "opening")
    assert {step.what for step in steps[1:]} == {"speak_now"}
    assert max(step.level or 0 for step in steps) > 0.4


async def test_mains_hum_is_not_speech(pulse: Pulse) -> None:
    pulse.speaker("room")
    pulse.microphone("mic", "room")
    with pulse.playing("room", hum()):
        draft = await microphone.check(errand(source("mic")))
    assert outcome(draft) == "hum"
    assert draft.facts["speech_heard"] is False
    assert draft.values["hum_dbfs"] == pytest.approx(-32, abs=3)
    assert {"speech_level_dbfs", "signal_to_noise_db"} <= draft.unknown.keys()
    assert draft.duration_s < 4


@needs_voice
async def test_a_switched_off_microphone_is_said_to_be_muted(pulse: Pulse) -> None:
    pulse.speaker("room")
    pulse.microphone("mic", "room")
    pulse.mute("mic")
    with pulse.playing("room", speech()):
        draft = await microphone.check(errand(source("mic")))
    assert outcome(draft) == "muted"
    assert draft.facts["exact_zeros"] is True


BESIDE: dict[Form, str] = {"built_in": "wrong_device", "virtual": "zeros", "bluetooth": "zeros"}


def beside(form: Form) -> Errand:
    """The chosen one hears nothing, a laptop's of this form does."""
    return errand(source("puck", default=True), source("deaf"), source("laptop", form=form))


@needs_voice
async def test_another_microphone_that_hears_the_speech(pulse: Pulse) -> None:
    pulse.speaker("room")
    pulse.speaker("box")
    pulse.microphone("laptop", "room")
    pulse.microphone("puck", "box")
    pulse.microphone("deaf", "box")
    with pulse.playing("room", speech()), pulse.playing("box", SILENCE):
        drafts = await asyncio.gather(*(microphone.check(beside(form)) for form in BESIDE))
    assert {form: outcome(draft) for form, draft in zip(BESIDE, drafts, strict=True)} == BESIDE
    better = ("laptop" if word == "wrong_device" else None for word in BESIDE.values())
    assert [draft.facts.get("better_device") for draft in drafts] == [*better]


@needs_voice
async def test_both_hear_the_speech(pulse: Pulse) -> None:
    pulse.speaker("room")
    pulse.microphone("laptop", "room")
    pulse.microphone("puck", "room")
    with pulse.playing("room", speech()):
        draft = await microphone.check(errand(source("puck", default=True), source("laptop")))
    assert outcome(draft) == "good"
    assert "better_device" not in draft.facts


async def test_unplugged_while_listening(pulse: Pulse) -> None:
    """The server goes on with another one's sound."""
    pulse.speaker("room")
    pulse.microphone("other", "room")
    module = pulse.microphone("mic", "room")
    threading.Timer(1.5, pulse.unload, [module]).start()
    begun = time.monotonic()
    draft = await microphone.check(errand(source("mic"), attended=True))
    assert outcome(draft) == "microphone_vanished"
    assert time.monotonic() - begun < 1.5 + 2.0
    assert "speech_level_dbfs" in draft.unknown


async def test_unplugged_before(pulse: Pulse) -> None:
    pulse.speaker("room")
    assert outcome(await microphone.check(errand(source("mic")))) == "microphone_vanished"


async def test_the_server_has_ended(pulse: Pulse) -> None:
    pulse.speaker("room")
    pulse.process.kill()
    pulse.process.wait(5)
    assert outcome(await microphone.check(errand(source("mic")))) == "sound_system_missing"


async def test_stopped(pulse: Pulse) -> None:
    pulse.speaker("room")
    pulse.microphone("mic", "room")
    task = errand(source("mic"), attended=True)
    asyncio.get_running_loop().call_later(0.5, task.stop.set)
    draft = await microphone.check(task)
    assert outcome(draft) == "interrupted"
    assert draft.duration_s < 1.5


def no_sound_system() -> str:
    return "microphone_none" if Path("/proc/asound").is_dir() else "sound_system_missing"


async def test_none_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PULSE_SERVER", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert outcome(await microphone.check(errand())) == no_sound_system()
    monkeypatch.setenv("PULSE_SERVER", "unix:/nowhere")
    draft = await microphone.check(errand())
    assert outcome(draft) == "microphone_none"
    assert draft.subject == "microphone"


@pytest.mark.parametrize("error", ["OSError('PortAudio library not found')", "ModuleNotFoundError('sounddevice')"])
async def test_without_the_library(error: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sounddevice.py").write_text(f"raise {error}\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert outcome(await microphone.check(errand(source("mic")))) == "device_library_missing"


# A child that hears at once what the handle says, or misbehaves as it says.
STRANGE = """
import json, os, sys, time
for handle in json.loads(sys.stdin.readline())["handles"]:
    if handle == "pulse:hangs":
        time.sleep(60)
    if handle == "pulse:crashes":
        os.kill(os.getpid(), 11)
    facts = {"pulse:hears": {"speech_heard": True}, "pulse:room": {"speech_heard": False}}.get(handle, {})
    heard = {"values": {}, "facts": facts, "unknown": {}}
    print(json.dumps({"handle": handle, "heard": heard, "faults": []}), flush=True)
"""


# The chosen one and another: the outcome, and how soon.
STRANGERS = {
    ("hangs",): ("timeout", 2.0), ("crashes",): ("probe_broken", 2.0), ("hears",): ("good", 1.0),
    ("room",): ("not_spoken", 1.0), ("no detector",): ("None", 1.0), ("hears", "hangs"): ("good", 1.7),
    ("hears", "crashes"): ("good", 1.7), ("hangs", "hears"): ("timeout", 2.0),
}  # fmt: skip


async def test_a_child_that_hangs_or_dies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(microphone, "COMMAND", (sys.executable, "-c", STRANGE))
    asked = (errand(*map(source, names), seconds=2.0) for names in STRANGERS)
    drafts = await asyncio.gather(*map(microphone.check, asked))
    for draft, (names, (expected, within)) in zip(drafts, STRANGERS.items(), strict=True):
        assert outcome(draft) == expected, names
        assert draft.duration_s < within, names


async def test_a_defect_of_the_child_is_no_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(microphone, "COMMAND", (sys.executable, "-c", "import os; os._exit(1)"))
    with pytest.raises(RuntimeError):
        await microphone.check(errand(source("mic")))


async def test_too_late_to_listen() -> None:
    assert outcome(await microphone.check(errand(source("mic"), seconds=1.0))) == "timeout"

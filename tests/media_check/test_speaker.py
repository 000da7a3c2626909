"""The speaker check against a real sound server: a null sink is the room, and the microphones in it hear it."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

import numpy as np
import pytest

from media_check import speaker
from media_check.errand import Errand, Step
from processes import child
from reports.draft import Draft
from reports.record import Device, Form
from tests.media_check.pulse import RATE, Pulse

HISS = np.random.default_rng(1).normal(0, 10 ** (-70 / 20), RATE)


def output(name: str = "room", form: Form = "built_in") -> Device:
    return Device("speaker", f"Annas {name}", name, form, 0.9, (), True, f"pulse:{name}")


def source(name: str = "mic") -> Device:
    return Device("microphone", f"Annas {name}", name, "usb", 0.9, (), True, f"pulse:{name}")


def errand(*devices: Device, seconds: float = 8.0, **more: Any) -> Errand:
    return Errand(devices, time.monotonic() + seconds, asyncio.Event(), **more)


def outcome(draft: Draft) -> str:
    draft.measurement()
    assert {*speaker.VALUES} == {*draft.values, *draft.unknown}
    return draft.failure.code if draft.failure else str(draft.facts["speaker_sound"])


async def direct(room: str, microphone: str) -> float:
    """Seconds, by clicks."""
    words = [sys.executable, "-m", "tests.media_check.clicks", f"pulse:{room}", f"pulse:{microphone}"]
    asked = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE, env=child.environment())
    said, _ = await asyncio.wait_for(asked.communicate(), 20)
    return float(said)


async def test_full_leak_and_the_delay_that_clicks_have(pulse: Pulse) -> None:
    steps: list[Step] = []
    pulse.speaker("room")
    pulse.microphone("mic", "room")
    draft = await speaker.check(errand(output(), source(), progress=steps.append))
    assert outcome(draft) == "leaks"
    assert draft.values["echo_return_loss_db"] == pytest.approx(0, abs=0.5)
    assert draft.duration_s < 6
    assert [step.what for step in steps] == ["opening", "playing"]
    assert draft.values["echo_delay_seconds"] == pytest.approx(await direct("room", "mic"), abs=0.005)


@pytest.mark.parametrize(
    ("form", "weaker_db", "expected"),
    [("built_in", 20, "heard"), ("headset", 4, "leaks")],
)
async def test_weaker_leaks(pulse: Pulse, form: Form, weaker_db: int, expected: str) -> None:
    pulse.speaker("room")
    pulse.microphone("mic", "room")
    pulse.pactl("set-source-volume", "mic", f"-{weaker_db}dB")
    with pulse.playing("room", HISS):
        draft = await speaker.check(errand(output(form=form), source()))
    assert outcome(draft) == expected
    assert draft.values["echo_return_loss_db"] == pytest.approx(weaker_db, abs=0.7)


async def test_not_heard_and_the_switch_that_is_off(pulse: Pulse) -> None:
    pulse.speaker("room")
    pulse.microphone("mic", "room")
    pulse.pactl("set-sink-mute", "room", "1")
    pulse.speaker("elsewhere")
    pulse.microphone("there", "elsewhere")
    with pulse.playing("elsewhere", HISS):
        draft = await speaker.check(errand(output(), source("there")))
    assert outcome(draft) == "muted"
    assert not draft.values


async def test_unplugged_while_it_plays(pulse: Pulse) -> None:
    room = pulse.speaker("room")
    pulse.speaker("other")
    loop = asyncio.get_running_loop()

    def unplug(step: Step) -> None:
        if step.what == "playing":
            loop.call_later(0.5, pulse.unload, room)

    assert outcome(await speaker.check(errand(output(), progress=unplug))) == "speaker_vanished"


async def test_nobody_can_tell_with_a_silent_microphone_or_none(pulse: Pulse) -> None:
    pulse.speaker("room")
    pulse.speaker("elsewhere")
    pulse.microphone("mic", "elsewhere")
    both = (speaker.check(errand(output(), heard_by)) for heard_by in (source(), source("gone")))
    assert [outcome(draft) for draft in await asyncio.gather(*both)] == ["played", "played"]


async def test_quiet_plays_nothing(pulse: Pulse) -> None:
    pulse.speaker("room")
    draft = await speaker.check(errand(output(), quiet=True))
    assert outcome(draft) == "not_played"
    assert draft.duration_s < 0.1
    assert "RUNNING" not in pulse.pactl("list", "short", "sinks")


async def test_no_speaker_and_one_that_is_gone(pulse: Pulse) -> None:
    assert outcome(await speaker.check(errand(source()))) == "speaker_none"
    pulse.speaker("room")
    assert outcome(await speaker.check(errand(output("gone")))) == "speaker_vanished"


async def test_stop_ends_it_at_once(pulse: Pulse) -> None:
    pulse.speaker("room")
    asked = errand(output())
    asyncio.get_running_loop().call_later(0.3, asked.stop.set)
    draft = await speaker.check(asked)
    assert outcome(draft) == "interrupted"
    assert draft.duration_s < 1


async def test_the_deadline_ends_it(pulse: Pulse) -> None:
    pulse.speaker("room")
    assert outcome(await speaker.check(errand(output(), seconds=0.6))) == "timeout"


def test_words() -> None:
    table: dict[tuple[Form, float | None], str] = {
        ("headset", None): "headset", ("headset", 5.9): "leaks", ("headset", 6.1): "heard",
        ("built_in", None): "not_heard", ("built_in", 2.9): "leaks", ("conference", 3.1): "heard",
        ("bluetooth", None): "not_heard",
    }  # fmt: skip
    for (form, loss), expected in table.items():
        assert speaker.word(output(form=form), heard=loss is not None, loss=loss) == expected

"""What stands in the way of the staff page: in each step its device is unplugged, its process is killed or hangs.

Whatever it is: nothing hangs and no process is left, the page says what has happened and what to do, and the run goes
on to the verdict. MOTESKLAR_UI_SCENARIOS=all: every row of the tables.
"""

from __future__ import annotations

import signal
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.e2e.ui_hindered import ANSWERS, followed
from tests.e2e.ui_hindered_desk import (
    ALL,
    DEVICES,
    TIMEOUT,
    Desk,
    again_without,
    alone_with_a_camera,
    ended,
    on_linux,
    when_all,
)
from tests.media_check.test_microphone import needs_voice

pytestmark = on_linux
DEFECT = "Testet gick inte att göra: fel i programmet."


# ---- the device of the step goes away

UNPLUGGED = {  # at this moment: of this step, and what it says
    "tone": ("speaker", "Högtalaren kopplades ur under testet. Koppla in"),
    "listening": ("microphone", "Mikrofonen kopplades ur under testet. Dra ur"),
    "picture": ("picture", "Kameran kopplades ur under testet. Dra ut"),
}


@needs_voice
async def test_in_each_step_its_device_is_unplugged(desk: Desk, tmp_path: Path) -> None:
    async with followed(tmp_path, desk.environment) as it:
        await it.start()
        for moment, (step, _) in UNPLUGGED.items():
            await it.to(moment)
            desk.unplug(step)
        await ended(it)
        for step, says in UNPLUGGED.values():
            assert it.told(step)[0].startswith(says)
        desk.plug_in(*DEVICES)
        await again_without(it, *(DEVICES if ALL else DEVICES[1:]))


@when_all
@needs_voice
@pytest.mark.parametrize(
    ("moment", "step", "answers", "says"),
    [
        ("heard", "speaker", {"heard": "again"}, UNPLUGGED["tone"][1]),
        ("speak", "microphone", {}, UNPLUGGED["listening"][1]),
        ("own_voice", "picture", {}, UNPLUGGED["picture"][1]),
    ],
)
async def test_it_is_unplugged_while_a_question_is_open(
    moment: str, step: str, answers: dict[str, str], says: str, desk: Desk, tmp_path: Path
) -> None:
    async with followed(tmp_path, desk.environment) as it:
        await it.start()
        await it.to(moment)
        desk.unplug(step)
        await it.to("end", ANSWERS | answers)
        await ended(it)
        assert it.told(step)[0].startswith(says)
        desk.plug_in(step)
        await again_without(it, step)


@when_all
@needs_voice
async def test_the_speaker_is_unplugged_before_and_while_the_own_voice_is_played(desk: Desk, tmp_path: Path) -> None:
    """The microphone's result stands, and its person goes on."""
    async with followed(tmp_path, desk.environment) as it:
        await it.start()
        await it.to("own_voice")
        await it.answer("play")
        desk.unplug("speaker")
        for _ in range(2):
            await it.to("own_voice")
            assert it.told("microphone")[-1].startswith("Högtalaren kopplades ur")
            await it.answer("play")
        await ended(it)
        assert it.levels("microphone") == ["ready"]


# ---- the process of the step is killed, or hangs

KILLED = {
    "tone": ("speaker", DEFECT),
    "listening": ("microphone", DEFECT),
    "picture": ("picture", DEFECT),
    "computer": ("computer", ""),
}
HANGS = {
    "tone": ("speaker", TIMEOUT),
    "listening": ("microphone", TIMEOUT),
    "picture": ("picture", "Kameran ger inga bilder."),
    "computer": ("computer", ""),
}


@needs_voice
@pytest.mark.parametrize(
    ("number", "shown"),
    [(signal.SIGKILL, KILLED), pytest.param(signal.SIGSTOP, HANGS, marks=when_all)],
    ids=["killed", "hangs"],
)
async def test_in_each_step_its_process(
    number: signal.Signals, shown: Mapping[str, tuple[str, str]], desk: Desk, tmp_path: Path
) -> None:
    async with followed(tmp_path, desk.environment) as it:
        await it.start()
        for moment in shown:
            await it.to(moment)
            await it.signal(number)
        await ended(it)
        for step, says in shown.values():
            assert it.told(step)[0].startswith(says), it.told(step)
        await again_without(it, *(step for step, says in shown.values() if says and (ALL or step == "speaker")))


@when_all
@needs_voice
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=lambda number: number.name)
async def test_the_process_that_holds_the_own_voice(number: signal.Signals, desk: Desk, tmp_path: Path) -> None:
    """It cannot be heard any more, which is said; it is not offered once more, and another sentence can be read."""
    async with followed(tmp_path, desk.environment) as it:
        await it.start()
        await it.to("own_voice")
        await it.signal(number)
        await it.answer("play")
        await it.to("own_voice")
        assert it.state["question"]["answers"] == ["next", "again"]
        assert it.told("microphone")[-1].startswith(DEFECT if number == signal.SIGKILL else "Testet hann inte")
        await it.answer("again")
        await it.to("own_voice")
        assert it.state["question"]["answers"] == ["play", "next", "again"]
        await ended(it)
        assert it.levels("microphone") == ["ready"]


@when_all
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=lambda number: number.name)
async def test_the_process_that_looks_for_devices(number: signal.Signals, tmp_path: Path) -> None:
    with alone_with_a_camera() as environment:
        async with followed(tmp_path, environment) as it:
            await it.start()
            await it.to("looking")
            await it.signal(number)
            await ended(it)
            assert "starta om datorn" in it.told("picture")[0].lower()
            await again_without(it, "picture")

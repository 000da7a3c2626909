"""A microphone whose child stops answering, at each moment: what is said is what is known by then, and in time."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from media_check import microphone, sound_child
from media_check.sound_child import Ear
from media_check.sound_device import FIRST_SOUND_S, SoundFailure
from processes import child
from tests.media_check.pulse import Pulse
from tests.media_check.test_microphone import errand, outcome, source

SECONDS = 6.0  # eight of them at once, each with Python and numpy to start
# "None": it has been judged, in a silent room, without anybody who was asked to speak.
SOUNDING = {"starts": "timeout", "opens": "timeout", "open": "timeout", "hears": "timeout", "judges": "timeout"}
DUMB = {"waits": "timeout", "silent": "microphone_silent"}
JUDGED = {"says": "zeros"}


def dumb(pulse: Pulse, name: str, folder: Path) -> None:
    """A microphone that opens and gives nothing: a pipe that nobody writes into."""
    pulse.load("module-pipe-source", f"source_name={name}", f"file={folder / name}")


async def test_a_child_that_hangs(pulse: Pulse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(microphone, "COMMAND", child.command("tests.media_check.hanging"))
    pulse.speaker("room")
    for name in (*SOUNDING, *JUDGED):
        pulse.microphone(name, "room")
    for name in DUMB:
        dumb(pulse, name, tmp_path)
    expected = SOUNDING | DUMB | JUDGED
    drafts = await asyncio.gather(*(microphone.check(errand(source(name), seconds=SECONDS)) for name in expected))
    assert {name: outcome(draft) for name, draft in zip(expected, drafts, strict=True)} == expected
    assert max(draft.duration_s for draft in drafts) < SECONDS + 0.5


@pytest.mark.parametrize(("seconds", "code"), [(FIRST_SOUND_S - 0.1, "timeout"), (FIRST_SOUND_S, "microphone_silent")])
def test_it_is_silent_only_if_it_had_the_time_for_its_first_sound(seconds: float, code: str) -> None:
    ear = Ear("other:mic", begun=10.0, ended=10.0 + seconds)
    with pytest.raises(SoundFailure, match=code):
        sound_child.judged(ear, attended=False)

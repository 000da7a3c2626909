"""Nothing of what somebody reads is kept, and it goes nowhere but, when it is asked for, to the chosen speaker.

The voice check under strace, as in test_nothing_recorded.py: once it is played, once it is not.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from media_check.speaker_child import LEAD_S
from media_check.voice_child import PEAK_DBFS
from processes import child
from tests.media_check import marked, pulse, strace, traced
from tests.media_check.nothing_recorded import VOICE, Judge, Place
from tests.media_check.strace import Act
from tests.media_check.test_nothing_recorded_judge import CONNECT, NOWHERE, SAY, SEND, filled
from tests.media_check.voices import ESPEAK

PROGRAM, PARENT = "tests.media_check.speaking", "agent"  # it is in the agent's place, with what the agent may do
ENDS_WITHIN_S = 40
LISTENS_S = 1.5
FRAME_BYTES = 8  # two ears of 32 bits
QUEUES_S = 1.0  # silence before and after what is played
CONTROL_BYTES = 12_000

pytestmark = pytest.mark.skipif(
    pulse.PROGRAM is None or ESPEAK is None, reason="pulseaudio or espeak-ng is not installed"
)


@cache
def read_aloud() -> NDArray[np.float32]:
    """So faint that it is played as it is, and its bytes are known again."""
    sound = marked.sound(traced.heard() * 10 ** ((PEAK_DBFS - 4) / 20)) + 0  # a zero below zero comes as another one
    assert np.abs(sound).max() < 10 ** (PEAK_DBFS / 20)
    return sound


@cache
def marks() -> dict[str, frozenset[bytes]]:
    """As it is captured, and as it goes to the speaker."""
    ears = read_aloud().repeat(2)
    return {"sound": marked.blocks_of_sound(read_aloud()), "sound in both ears": marked.blocks_of_sound(ears)}


def judge(place: Place = NOWHERE, *, may_play: bool) -> Judge:
    return Judge(place, marks(), aloud=np.tile(read_aloud(), 2).repeat(2).tobytes() if may_play else b"")


Run = tuple[list[str], list[Act], Place]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Run]]:
    """By what the person wants: what was printed and done."""
    folder = traced.prepare(tmp_path_factory.mktemp("voice"))
    with pulse.running() as server:
        for name in ("room", "out"):
            server.speaker(name)
        server.microphone("mic", "room")
        with server.playing("room", read_aloud()):
            place = traced.place(folder, server.server)
            with ThreadPoolExecutor() as both:
                found = both.map(lambda word: _run(folder, word, place), ("play", "next"))
            yield dict(zip(("play", "next"), found, strict=True))


def _run(folder: Path, word: str, place: Place) -> Run:
    traces = folder / word
    traces.mkdir()
    done = subprocess.run(
        [*strace.prefix(traces), *child.command(PROGRAM), "mic", "out", str(LISTENS_S)], input=f"{word}\n",
        env=traced.surroundings(folder, PULSE_SERVER=f"unix:{place.server}"), cwd=folder / "home", text=True,
        capture_output=True, timeout=ENDS_WITHIN_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    acts = strace.acts(strace.read(traces))
    return (
        done.stdout.splitlines(),
        [replace(act, role={PROGRAM: PARENT}.get(act.role, act.role)) for act in acts],
        place,
    )


def measured(run: Run) -> Any:
    document = json.loads(run[0][-1])
    assert document["failure"] is None
    assert {VOICE, PARENT} <= {act.role for act in run[1]}
    assert document["facts"]["speech_heard"] is True
    return document


def test_it_is_played_once_and_nothing_else(runs: dict[str, Run]) -> None:
    said, acts, place = runs["play"]
    asked = judge(place, may_play=True)
    assert asked.judge(acts) == []
    assert measured(runs["play"])["values"]["sound_peak_dbfs"] < PEAK_DBFS
    assert "played whole" in said
    once = (LISTENS_S + LEAD_S) * pulse.RATE * FRAME_BYTES
    assert 0.9 * once < asked.played < once + QUEUES_S * pulse.RATE * FRAME_BYTES
    assert any("holds the sound in both ears" in trouble for trouble in judge(place, may_play=False).judge(acts))


def test_what_nobody_asked_for_is_not_played(runs: dict[str, Run]) -> None:
    said, acts, place = runs["next"]
    asked = judge(place, may_play=False)
    assert asked.judge(acts) == []
    assert asked.played == 0
    assert 0 < asked.left(VOICE) < CONTROL_BYTES
    measured(runs["next"])
    assert "playing" not in said


def test_no_file_is_left(runs: dict[str, Run]) -> None:
    places = {place for _, _, place in runs.values()}
    left = [file for place in places for top in (place.home, place.temporary) for file in Path(top).rglob("*")]
    assert {file.name for file in left if file.is_file()} <= {"cookie"}


@pytest.mark.parametrize(
    ("role", "line", "may_play", "words"),
    [
        (VOICE, SEND % "EARS" + " = 20000", True, None),
        (VOICE, SEND % "EARS" + " = 20000", False, "holds the sound in both ears"),
        (VOICE, SEND % "ONE" + " = 20000", True, "holds the sound"),
        (VOICE, "sendto(7<UNIX-STREAM:[7->8]>, 'EARS', 9, 0, NULL, 0) = 20000", True, "holds the sound in both ears"),
        (VOICE, "write(3<pipe:[8]>, 'EARS', 9) = 20000", True, "holds the sound in both ears"),
        (PARENT, SEND % "EARS" + " = 20000", True, "holds the sound in both ears"),
        (VOICE, SAY % '{"kept": 4.5}', True, None),
        (VOICE, SAY % '{"played": 1, "failed": null, "detail": "", "muted": false}', True, None),
        (VOICE, SAY % '{"kept": [4.5, 0.25]}', True, "a list of numbers"),
    ],
)  # fmt: skip
def test_one_line_of_a_trace(role: str, line: str, *, may_play: bool, words: str | None) -> None:
    part = read_aloud()[2000:4400]
    for name, sound in (("EARS", part.repeat(2)), ("ONE", part)):
        line = line.replace(f"'{name}'", '"' + "".join(f"\\x{byte:02x}" for byte in sound.tobytes()) + '"')
    before = list(strace.parse([filled(CONNECT)]))
    (call,) = strace.parse([filled(line)])
    found = judge(may_play=may_play).judge([Act(VOICE, 1, *before), Act(role, 2, call)])
    assert (found == []) if words is None else any(words in trouble for trouble in found), found

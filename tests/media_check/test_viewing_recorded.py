"""Nothing of what is viewed is kept, and nothing but small pictures leaves the process that has the camera.

A viewing under strace, as in test_nothing_recorded.py: its pictures go through the one pipe to who shows them.
"""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from media_check.viewing_child import packed
from processes import child
from tests.media_check import marked, strace, traced
from tests.media_check.nothing_recorded import CAMERA, VIEWER, VIEWING, Judge, Place
from tests.media_check.strace import Act
from tests.media_check.traced import marks

ENDS_WITHIN_S = 40
NOWHERE = Place("/pulse/native", "/tmp", "/home/anna")


def test_a_viewing(tmp_path: Path) -> None:
    folder = traced.prepare(tmp_path)
    (folder / "traces").mkdir()
    words = [*strace.prefix(folder / "traces"), *child.command(VIEWER), marked.HANDLE, "3"]
    done = subprocess.run(
        words, env=traced.surroundings(folder), cwd=folder / "home", text=True, stdin=subprocess.DEVNULL,
        capture_output=True, timeout=ENDS_WITHIN_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    acts = tuple(strace.acts(strace.read(folder / "traces")))
    place = traced.place(folder)
    assert Judge(place, marks()).judge(acts) == []
    *frames, last = done.stdout.splitlines()
    assert _pictures(acts) >= len(frames) > 10
    draft = json.loads(last)
    assert draft["failure"] is None
    assert draft["values"]["camera_brightness_ratio"] == pytest.approx(marked.picture().mean() / 255, abs=0.03)
    assert not [file for top in (place.home, place.temporary) for file in Path(top).rglob("*") if file.is_file()]


def _pictures(acts: tuple[Act, ...]) -> int:
    """That the judge saw go."""
    return sum(piece.startswith(b'{"jpeg"') for act in acts if act.role == VIEWING for piece in act.call.pieces)


def line(frame: Any, behind: bytes = b"") -> bytes:
    return b'{"jpeg": "' + base64.b64encode(packed(frame) + behind) + b'"}\n'


SMALL = np.asarray(marked.picture()[::8, ::8])
LARGE = b'{"jpeg": "' + base64.b64encode(cv2.imencode(".jpg", marked.picture())[1].tobytes()) + b'"}\n'


@pytest.mark.parametrize(
    ("role", "data", "words"),
    [
        (VIEWING, line(SMALL), None),
        (VIEWING, line(marked.picture()), None),
        (VIEWING, LARGE, "a large picture"),
        (VIEWING, line(SMALL, b"more"), "no picture"),
        (VIEWING, b'{"jpeg": "aGVsbG8="}\n', "no picture"),
        (VIEWING, line(SMALL).replace(b"jpeg", b"frame"), "text that nobody can read"),
        (VIEWING, b'{"judged": {"values": {"camera_black_ratio": 0.5}, "facts": {"face": true}}}\n', None),
        (VIEWING, b'{"judged": {"values": {"samples": 0.5}}}\n', "an unknown name"),
        (CAMERA, line(SMALL), "text that nobody can read"),
        (VIEWER, line(SMALL), "text that nobody can read"),
    ],
    ids=str,
)
def test_one_line_of_a_trace(role: str, data: bytes, words: str | None) -> None:
    call = strace.Call("write", "", len(data), "pipe:[8]", (data,))
    found = Judge(NOWHERE, marks()).judge([Act(role, 1, call)])
    assert (found == []) if words is None else any(words in trouble for trouble in found), found

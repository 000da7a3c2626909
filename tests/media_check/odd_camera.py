"""A camera check's child that goes wrong: `python -m tests.media_check.odd_camera HOW`."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import Any

from processes.child import Say, run

FRAMES = ({"stage": "opening"}, {"stage": "frames"}, {"values": {"camera_open_seconds": 0.1}}, {"frames": 3})
PACE = {"values": {"camera_frames_per_second": 30.0, "camera_dropped_ratio": 0.0}, "facts": {"mode": "640x480 YUYV"}}


def work(errand: dict[str, Any], say: Say) -> None:
    """Say what a child would have said until then; then go wrong."""
    how, _, code = sys.argv[1].partition(":")
    if how in ("frames", "die", "looking", "views"):
        for line in FRAMES:
            say(line)
    match how:
        case "opening":
            say({"stage": "opening"})
        case "fails":
            say({"stage": "opening"})
            say({"failed": code, "detail": ""})
            return
        case "views":
            views(say, code)
        case "die":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "break":
            raise ValueError
        case "looking":
            say(PACE)
            say({"stage": "looking"})
    time.sleep(60)


def views(say: Say, word: str) -> None:
    """Pictures come for ever; they are judged once if there is a word for them."""
    if word:
        say({"judged": {**PACE, "facts": {"camera_picture": word}}})
    while True:
        say({"frames": 3})
        time.sleep(0.1)


if __name__ == "__main__":
    run(work)

"""The microphone check's child, which stops for good (SIGSTOP) at the moment that the handle names (`pulse:MOMENT`).

starts: before it has opened anything; opens: the device is being opened; open: it is, and nothing was said yet;
waits: after a third of a second without sound; silent: after all the time that the first sound may take; hears: sound
has come; judges: all has been listened to; says: what was heard has been said.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

from media_check import sound_child
from media_check.sound_device import FIRST_SOUND_S
from processes import child
from processes.child import Line, Say

WAITS_S = 0.3
TOLD: dict[str, Callable[[Line], bool]] = {
    "pulse:waits": lambda line: line.get("silent", 0.0) > WAITS_S,
    "pulse:silent": lambda line: line.get("silent", 0.0) >= FIRST_SOUND_S,
    "pulse:hears": lambda line: "level" in line,
    "pulse:says": lambda line: "heard" in line,
}


def hang() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def hanging(name: str, *, before: bool = False) -> None:
    """That function of the child's hangs, before its work or after it."""
    function = getattr(sound_child, name)

    def hangs(*given: Any, **more: Any) -> Any:
        if before:
            hang()
        function(*given, **more)
        hang()

    setattr(sound_child, name, hangs)


def work(first: dict[str, Any], say: Say) -> None:
    (moment,) = first["handles"]
    if moment == "pulse:starts":
        hang()
    if moment in ("pulse:opens", "pulse:open"):
        hanging("opened", before=moment == "pulse:opens")
    if moment == "pulse:judges":
        hanging("judged", before=True)

    told = TOLD.get(moment)

    def telling(line: Line) -> None:
        say(line)
        if told is not None and told(line):
            hang()

    sound_child.work(first, telling)


if __name__ == "__main__":
    child.run(work)

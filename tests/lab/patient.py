"""The program with far deadlines: an emulated computer imports for longer than its own last.

`python -m tests.lab.patient ARGUMENTS…` is motesklar; without arguments it is the child that asks for devices.
"""

from __future__ import annotations

import dataclasses
import sys

import media_check
from media_check import devices
from media_check.devices import child as devices_child
from processes import child

CHECK_S, LOOK_S, SOURCE_S = 90.0, 40.0, 30.0
CHILD = "tests.lab.patient"


def program() -> None:
    from agent.cli import main

    for name, entry in media_check.CHECKS.items():
        media_check.CHECKS[name] = dataclasses.replace(entry, seconds=CHECK_S)
    devices.CHILD = CHILD
    devices.look.__defaults__ = (LOOK_S,)
    main()


def ask_for_devices() -> None:
    devices_child.PATIENCE_S = SOURCE_S
    child.run(devices_child.work)


if __name__ == "__main__":
    if sys.argv[1:]:
        program()
    else:
        ask_for_devices()

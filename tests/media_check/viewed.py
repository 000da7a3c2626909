"""One viewing while it goes on, and what tests ask of it."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from media_check import viewing
from media_check.camera import NAMES
from media_check.errand import Errand, Step
from processes.open_files import PROC, text
from reports.draft import Draft
from reports.record import Device
from tests.media_check.camera_double import FOLDER


@dataclass
class Viewed:
    """One viewing while it goes on."""

    errand: Errand
    until: asyncio.Event = field(default_factory=asyncio.Event)
    frames: list[bytes] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    hints: list[Draft] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    def frame(self, data: bytes) -> None:
        self.frames.append(data)
        self.times.append(time.monotonic())

    async def whole(self) -> Draft:
        """All of it; each value is known, or unknown with a reason, and no person's name in it."""
        draft = await viewing.view(self.errand, self.frame, self.hints.append, self.until)
        for each in (draft, *self.hints):
            measurement = each.measurement()
            assert set(measurement.values) | set(measurement.unknown) == set(NAMES)
            assert not set(measurement.values) & set(measurement.unknown)
            assert "Anna" not in repr(measurement)
            assert "/dev/" not in repr(measurement)
        return draft

    async def hint(self, word: str, seconds: float = 6.0) -> float:
        """Wait for this judgement; how long it took."""
        begun = time.monotonic()
        while not (self.hints and self.hints[-1].facts["camera_picture"] == word):
            assert time.monotonic() - begun < seconds, [hint.facts for hint in self.hints]
            await asyncio.sleep(0.02)
        return time.monotonic() - begun

    async def some(self, frames: int, seconds: float = 5.0) -> None:
        """Wait for so many pictures."""
        async with asyncio.timeout(seconds):
            while len(self.frames) < frames:  # noqa: ASYNC110
                await asyncio.sleep(0.02)


def viewed(handle: str, seconds: float = 6.0) -> Viewed:
    one = Device("camera", "Annas kamera", "USB camera", "usb", 0.9, ("bus usb",), None, handle)
    made = Viewed(Errand((one,), time.monotonic() + seconds, asyncio.Event()))
    made.errand.progress = made.steps.append
    return made


def picture(data: bytes) -> Any:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)


def failure(draft: Draft) -> tuple[str, str]:
    assert draft.failure is not None
    return draft.failure.code, draft.failure.step


def processes_of(handle: str) -> list[int]:
    """Those that view cameras now: of this test's folder alone."""
    folder = os.fsencode(f"{FOLDER}={Path(handle).parent}")
    found = []
    for path in PROC.iterdir():
        if path.name.isdigit() and "viewing_child" in text(path / "cmdline"):
            try:
                found += [int(path.name)] if folder in (path / "environ").read_bytes().split(b"\0") else []
            except OSError:
                continue
    return found

"""camera: what would the others in the meeting see of this computer's camera, and how smoothly?

The camera is opened and watched in a process of its own (media_check.camera_child), which is killed when it hangs.
Frames stay in that process's memory; only numbers and words come out. Nothing is recorded.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from media_check.errand import Errand, Step
from processes import child, tasks
from reports.draft import Draft, Failures, ProbeFailure, drafting
from reports.record import Device, Fact
from reports.vocabulary import QUANTITIES

COMMAND = child.command("media_check.camera_child")
NAMES = (*(name for name in QUANTITIES if name.startswith("camera_")), "face_height_ratio")
WATCH_S = 2.2  # from the first frame
STALL_S = 1.6  # without a sign of life while frames come
LOOK_S = 1.2  # for looking at the frames, and the child's start
TICK_S = 0.1
END_S = 0.2  # before the deadline, for the report
FAILURES: Failures = {}


@dataclass(slots=True)
class Said:
    """What the child said so far. `stage`: starting, opening, frames, looking; `heard`: when (time.monotonic())."""

    stage: str = "starting"
    values: dict[str, float] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)
    facts: dict[str, Fact] = field(default_factory=dict)
    failed: ProbeFailure | None = None
    complete: bool = False
    broken: str = ""
    heard: float = field(default_factory=time.monotonic)

    def take(self, line: Mapping[str, Any]) -> None:
        """One of its lines."""
        self.heard = time.monotonic()
        self.stage = line.get("stage", self.stage)
        self.values |= line.get("values", {})
        self.unknown |= line.get("unknown", {})
        self.facts |= facts(line)
        if "failed" in line:
            self.failed = ProbeFailure(line["failed"], line.get("detail", ""), self.stage)
        self.complete = self.complete or bool(line.get("last"))

    @property
    def flowing(self) -> bool:
        """Frames come, as far as is known."""
        return self.stage == "frames" and "camera_open_seconds" in self.values

    def patience(self) -> float:
        """Seconds that are left of those that it may be silent while frames come."""
        return self.heard + STALL_S - time.monotonic()

    def ended(self, code: int) -> None:
        """Its process has, by itself. RuntimeError: it broke, which is a defect."""
        if not self.complete and self.failed is None:
            if code >= 0:
                raise RuntimeError("the child of the camera check broke")
            self.broken = f"its process was ended by signal {-code}"


def facts(line: Mapping[str, Any]) -> dict[str, Fact]:
    """Those of one of its lines."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in line.get("facts", {}).items()}


async def check(errand: Errand) -> Draft:
    """Open the camera, watch it for two seconds, look at the pictures. <= 4 s; never beyond the errand's deadline."""
    device = errand.device("camera")
    with drafting("camera", device.label if device else "camera", FAILURES, NAMES) as m:
        await _measure(errand, errand.needed("camera"), m)
    m.leave_open(NAMES, "the pictures do not tell it")
    return m


async def _measure(errand: Errand, device: Device, m: Draft) -> None:
    said = Said()
    errand.progress(Step("camera", "opening"))
    await follow(
        COMMAND, errand.stop, lambda process: _listen(process, errand, device, said), lambda: _left(errand, said)
    )
    m.values |= said.values
    m.unknown |= said.unknown
    m.facts |= said.facts
    if (failure := why(errand, device, said)) is not None:
        raise failure


async def follow(
    command: Sequence[str],
    stop: asyncio.Event,
    listen: Callable[[asyncio.subprocess.Process], Coroutine[Any, Any, None]],
    left: Callable[[], float],
    limit: int = 65536,
) -> None:
    """The child from its start to its end, which comes in time whatever it does: at `stop`, or with no seconds `left`.

    `limit`: octets of its longest line.
    """
    async with child.started(command, limit) as process:
        listening = asyncio.create_task(listen(process))
        stopping = asyncio.create_task(stop.wait())
        both = (listening, stopping)
        try:
            while not any(task.done() for task in both) and (seconds := left()) > 0:
                await asyncio.wait(both, timeout=min(seconds, TICK_S), return_when=asyncio.FIRST_COMPLETED)
            if listening.done():
                listening.result()
        finally:
            await tasks.end(*both)


def _left(errand: Errand, said: Said) -> float:
    """Seconds that the child still has: to the deadline, or until its silence is too long."""
    left = errand.deadline - END_S - time.monotonic()
    return min(left, said.patience()) if said.flowing else left


async def _listen(process: asyncio.subprocess.Process, errand: Errand, device: Device, said: Said) -> None:
    """Give the child its errand and hear all that it says. RuntimeError: it broke, which is a defect."""
    seconds = min(WATCH_S, max(0.5, errand.deadline - END_S - LOOK_S - time.monotonic()))
    await child.tell(process, {"handle": device.handle, "seconds": seconds})
    begun = 0.0
    async for line in child.lines(process):
        said.take(line)
        begun = begun or (time.monotonic() if "camera_open_seconds" in said.values else 0.0)
        fraction = min(1.0, (time.monotonic() - begun) / seconds) if begun else 0.0
        errand.progress(Step("camera", "watching" if said.stage == "frames" else said.stage, fraction))
    said.ended(process.returncode or 0)


def why(errand: Errand, device: Device, said: Said) -> ProbeFailure | None:
    """Why not all is known, if it is not."""
    if said.complete or said.failed is not None:
        return said.failed
    if said.broken:
        return ProbeFailure("probe_broken", said.broken, said.stage)
    if errand.stop.is_set():
        return ProbeFailure("interrupted", step=said.stage)
    if said.stage in ("opening", "frames"):
        return ProbeFailure("camera_vanished" if is_gone(device) else "camera_silent", step=said.stage)
    return ProbeFailure("timeout", step=said.stage)


def is_gone(device: Device) -> bool:
    """Its node is, where it has one."""
    return device.handle.startswith("/dev/") and not os.path.exists(device.handle)  # noqa: PTH110 - never blocks

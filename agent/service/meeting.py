"""Is a meeting on? By a camera or microphone that some program uses, and by packets that flow as in a call.

Each platform's module has `async def devices(ours) -> Devices`, about all programs but the process `ours` and those
that it started, and `def datagrams() -> (received, sent) | None`, this computer's UDP datagrams since it started.
Nothing is opened, heard or looked at; what cannot be told is None.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from itertools import pairwise
from types import ModuleType

MODULES = {"linux": "meeting_linux", "win32": "meeting_windows", "darwin": "meeting_macos"}
SLOTS, SLOT_S = 8, 0.25
LEAST_IN_SLOT = 6  # sound alone is 50 packets a second, or 25 in larger ones
DEVICES_S, PULSE_S = 3.0, 2.0


@dataclass(frozen=True, slots=True)
class Meeting:
    """What is in use by other programs; None: it cannot be told here."""

    camera: bool | None = None
    microphone: bool | None = None
    flow: bool | None = None


@dataclass(frozen=True, slots=True)
class Devices:
    """`by_server`: the microphone is open because a sound server has it, perhaps for nobody."""

    camera: bool | None = None
    microphone: bool | None = None
    by_server: bool = False


def platform_module(platform: str = sys.platform) -> ModuleType | None:
    """None on a platform that nothing is known of."""
    name = MODULES.get(platform)
    return import_module(f"agent.service.{name}") if name else None


async def in_use(ours: int | None = None) -> Meeting:
    """Camera and microphone, without packages: for a look every few seconds. `ours`: this process unless told."""
    module = platform_module()
    if module is None:
        return Meeting()
    try:
        async with asyncio.timeout(DEVICES_S):
            found: Devices = await module.devices(os.getpid() if ours is None else ours)
    except (TimeoutError, OSError):
        return Meeting()
    return Meeting(found.camera, found.microphone or found.by_server if found.microphone is not None else None)


async def look(ours: int, *, flows: bool = True) -> Meeting:
    """All that can be told, in some two seconds: also who hears through the sound server, and the flow."""
    module = platform_module()
    if module is None:
        return Meeting()
    try:
        async with asyncio.timeout(DEVICES_S):
            found, listening = await asyncio.gather(module.devices(ours), _listening())
    except (TimeoutError, OSError):
        found, listening = Devices(), None
    meeting = Meeting(found.camera, microphone(found, listening))
    if meeting.camera or meeting.microphone or not flows:
        return meeting
    return replace(meeting, flow=await flow(module))


def microphone(found: Devices, listening: bool | None) -> bool | None:
    """`listening`: some program hears through the sound server; None: there is none, or it does not tell."""
    if found.microphone or listening:
        return True
    if listening is None and found.by_server:
        return True
    return False if listening is False else found.microphone


async def flow(module: ModuleType) -> bool | None:
    """Do packets go both ways without a pause?"""
    seen: list[tuple[int, int]] = []
    for _ in range(SLOTS + 1):
        now = module.datagrams()
        if now is None:
            return None
        seen.append(now)
        if len(seen) > 1 and not steady(seen[-2:]):
            return False
        await asyncio.sleep(SLOT_S if len(seen) <= SLOTS else 0)
    return True


def steady(seen: Sequence[tuple[int, int]]) -> bool:
    """(received, sent) at equal steps: each step brings packets both ways. A download rests, or hardly answers."""
    return all(b[0] - a[0] >= LEAST_IN_SLOT and b[1] - a[1] >= LEAST_IN_SLOT for a, b in pairwise(seen))


async def _listening() -> bool | None:
    """By PulseAudio's protocol, where it is spoken."""
    if sys.platform != "linux":
        return None
    from processes.aside import aside

    try:
        return await aside(_pulse, PULSE_S)
    except (ImportError, TimeoutError, OSError):
        return None


def _pulse() -> bool | None:
    from pulsectl import Pulse, PulseError

    with Pulse("motesklar", connect=False) as pulse:
        try:
            pulse.connect(autospawn=False)
            monitors = {s.index for s in pulse.source_list() if s.monitor_of_sink_name is not None}
            hearing = pulse.source_output_list()
        except PulseError:
            return None
    return any(hears(one.source in monitors, bool(one.corked), one.resample_method) for one in hearing)


def hears(monitor: bool, corked: bool, resampling: str | None) -> bool:
    """Of a program at the sound server. A level meter ("peaks") hears nothing, nor does who hears what is played."""
    return not (monitor or corked or resampling == "peaks")

"""microphone: is this microphone heard, and well? By listening, in a child process that keeps no sound.

Attended, somebody reads a sentence aloud for up to ATTENDED_S, and the page shows a live level. Unattended, the room is
heard for UNATTENDED_S, and what needs a voice stays unknown. The other real microphones listen at the same time, in a
child of their own: when the chosen one hears no speech and another one does, the wrong one was chosen. Bluetooth ones
are left alone there, for to open a headset's microphone makes all its sound worse.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from media_check.errand import Step
from media_check.sound_device import FIRST_SOUND_S, LEVEL_EACH_S, sound_system
from processes import child, tasks
from reports.draft import Draft, ProbeFailure, drafting

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Callable, Coroutine

    from media_check.errand import Errand
    from reports.record import Device

    Hear = Callable[["Errand", list["Device"], "Said"], Coroutine[Any, Any, None]]  # until all has been said

UNATTENDED_S, ATTENDED_S = 1.5, 4.5
AROUND_S = 1.2  # for the child's start and for judging
LEAST_S = 0.5  # in less there is no telling speech from noise
GRACE_S = 0.7  # how much later than the chosen one the others may be
ATTENDED_GRACE_S = 2.0  # the same, for somebody who would like to know which one hears
OTHERS = 3  # microphones beside the chosen one, at the most
COMMAND = child.command("media_check.sound_child")
JUDGED = ("speech_level_dbfs", "signal_to_noise_db", "sound_peak_dbfs", "noise_floor_dbfs")  # unknown when it fails


@dataclass(slots=True)
class Said:
    """What a child said of its microphones, by handle. `silent`: open for so many seconds when nothing had come yet."""

    heard: dict[str, dict[str, Any]] = field(default_factory=dict)
    failed: dict[str, ProbeFailure] = field(default_factory=dict)
    silent: dict[str, float] = field(default_factory=dict)
    levels: int = 0
    ended: int | None = None

    def take(self, line: dict[str, Any]) -> None:
        """One of its lines. Those that are about no microphone say nothing here."""
        handle = line.get("handle", "")
        if "heard" in line:
            self.heard[handle] = line["heard"] | {"faults": line["faults"]}
        elif handle and "failed" in line:
            self.failed[handle] = ProbeFailure(line["failed"], line["detail"])
        elif "silent" in line:
            self.silent[handle] = line["silent"]


async def check(errand: Errand, hear: Hear | None = None) -> Draft:
    """One Measurement about the chosen microphone. `hear`: how that one is listened to, where it differs."""
    device = errand.device("microphone")
    with drafting("microphone", device.label if device else "microphone", {}, JUDGED) as draft:
        if not any(d.kind in ("microphone", "speaker") for d in errand.devices) and not sound_system():
            raise ProbeFailure("sound_system_missing")
        await _check(errand, errand.needed("microphone"), draft, hear or _run)
    return draft


async def _check(errand: Errand, device: Device, draft: Draft, hear: Hear) -> None:
    others = _others(errand, device)
    mine, theirs = Said(), Said()
    if errand.deadline - time.monotonic() - AROUND_S < LEAST_S:
        raise ProbeFailure("timeout")
    await _listen(errand, [(hear, [device], mine), (_run, others, theirs)])
    _report(draft, device, mine, _better(others, theirs))
    if device.handle not in mine.heard:
        raise _failure(errand, device, mine)


def _others(errand: Errand, device: Device) -> list[Device]:
    """The real microphones beside it; none when it is itself not one."""
    mine = [d for d in errand.devices if d.kind == "microphone" and d.handle != device.handle]
    return [d for d in mine if d.form not in ("virtual", "bluetooth")][:OTHERS]


async def _listen(errand: Errand, groups: list[tuple[Hear, list[Device], Said]]) -> None:
    """One child for each group, side by side, until all have said it, or the time is over, or it is stopped."""
    errand.progress(Step("microphone", "opening"))
    runs = [asyncio.create_task(hear(errand, devices, said)) for hear, devices, said in groups if devices]
    stop = asyncio.create_task(errand.stop.wait())
    try:
        await _ended(runs, stop, errand.deadline - 0.1, ATTENDED_GRACE_S if errand.attended else GRACE_S)
    finally:
        await tasks.end(*runs, stop)
    for run in runs:
        if not run.cancelled() and (defect := run.exception()):
            raise defect


async def _ended(runs: list[asyncio.Task[None]], stop: asyncio.Task[Any], deadline: float, grace: float) -> None:
    """A companion that hangs is not waited for beyond `grace` seconds."""
    left: set[asyncio.Task[Any]] = {*runs}
    while left and not stop.done() and (seconds := deadline - time.monotonic()) > 0:
        patience = min(seconds, grace) if runs[0].done() else seconds
        ended, left = await asyncio.wait({*left, stop}, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        left.discard(stop)
        if not ended and runs[0].done():
            return


async def _run(errand: Errand, devices: list[Device], said: Said) -> None:
    """Hear what a child says of these microphones, until it ends."""
    async with child.started(COMMAND) as process:
        async for _ in listened(process, errand, devices, said):
            pass


async def listened(
    process: Process, errand: Errand, devices: list[Device], said: Said, **more: float
) -> AsyncIterator[dict[str, Any]]:
    """Have a child listen to them: each line that it says until it ends, noted in `said`. `more`: told it as well."""
    limit = errand.deadline - time.monotonic() - AROUND_S
    seconds = min(limit, ATTENDED_S if errand.attended else UNATTENDED_S)
    asked = {"seconds": seconds, "limit": limit, "attended": errand.attended, **more}
    await child.tell(process, {"handles": [device.handle for device in devices], **asked})
    async for line in child.lines(process):
        said.take(line)
        _progress(errand, line, said, seconds)
        yield line
    said.ended = await process.wait()


def _progress(errand: Errand, line: dict[str, Any], said: Said, seconds: float) -> None:
    """The chosen microphone's level, from when it hears."""
    chosen = errand.device("microphone")
    if "level" in line and chosen is not None and line["handle"] == chosen.handle:
        said.levels += 1
        what = "speak_now" if errand.attended else "listening"
        errand.progress(Step("microphone", what, min(1.0, said.levels * LEVEL_EACH_S / seconds), line["level"]))


def _better(others: list[Device], theirs: Said) -> Device | None:
    """Another microphone that hears somebody speak: the loudest."""
    speech = [d for d in others if theirs.heard.get(d.handle, {}).get("facts", {}).get("speech_heard")]
    return max(speech, key=lambda d: theirs.heard[d.handle]["values"].get("speech_level_dbfs", -200.0), default=None)


def _report(draft: Draft, device: Device, mine: Said, better: Device | None) -> None:
    heard = mine.heard.get(device.handle, {"values": {}, "facts": {}, "unknown": {}, "faults": []})
    draft.values |= heard["values"]
    draft.facts |= heard["facts"]
    draft.unknown |= heard["unknown"]
    faults = heard["faults"]
    if better is not None and not heard["facts"].get("speech_heard"):
        draft.facts["better_device"] = better.label
        faults = [*(["muted"] if "muted" in faults else []), "wrong_device", *faults]
    if word := _word(heard["facts"], faults):
        draft.facts |= {"microphone_sound": word, "sound_faults": tuple(dict.fromkeys(faults))}


def _word(facts: dict[str, Any], faults: list[str]) -> str | None:
    """The worst fault. Without one, what is good must have been heard to be. None: it cannot be told.

    Who was asked to speak and is not heard has a fault (no_speech); here nobody was.
    """
    if faults:
        return str(faults[0])
    heard = facts.get("speech_heard")
    return None if heard is None else "good" if heard else "not_spoken"


def _failure(errand: Errand, device: Device, mine: Said) -> Exception:
    """Why nothing was heard. An error: a defect of the child's own, not of a driver's library that crashed."""
    if errand.stop.is_set():
        return ProbeFailure("interrupted")
    if device.handle in mine.failed:
        return mine.failed[device.handle]
    if mine.ended == 1:
        return RuntimeError("the child of microphone broke")
    if mine.ended is not None:
        return ProbeFailure("probe_broken", "the sound library crashed")
    return _hung(device, mine)


def _hung(device: Device, mine: Said) -> ProbeFailure:
    """What is known of a microphone whose child no longer answers: silent only if it was open long enough for sound."""
    silent = not mine.levels and mine.silent.get(device.handle, 0.0) >= FIRST_SOUND_S
    return ProbeFailure("microphone_silent" if silent else "timeout")

"""speaker: is what it plays heard, and how much of it comes back through the microphone?

A sweep of a second, never louder than echo.LEVEL_DBFS, is played in a child process that listens meanwhile and keeps no
sound. With a headset on somebody's head nothing should be heard. What comes back is the others' own voices, late: an
echo. A meeting service takes a loudspeaker's echo away, but hardly one that is as loud as the voice itself.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from media_check.errand import Step
from media_check.sound_device import sound_system
from processes import child, tasks
from reports.draft import Draft, ProbeFailure, drafting
from reports.vocabulary import FAILURES as CODES

if TYPE_CHECKING:
    from media_check.errand import Errand
    from reports.record import Device

COMMAND = child.command("media_check.speaker_child")
HEADSET_LEAKS_DB = 6.0
LEAKS_DB = 3.0  # own: louder than that, it is a loop in the sound system or a microphone turned up much too far
VALUES = ("echo_delay_seconds", "echo_return_loss_db")
NOT_PLAYED = "nothing may be played"


async def check(errand: Errand) -> Draft:
    """One Measurement about the chosen speaker."""
    device = errand.device("speaker")
    with drafting("speaker", device.label if device else "speaker", {}, VALUES) as draft:
        if device is None and not sound_system():
            raise ProbeFailure("sound_system_missing")
        await _check(errand, errand.needed("speaker"), draft)
    return draft


async def _check(errand: Errand, device: Device, draft: Draft) -> None:
    if errand.quiet:
        draft.facts["speaker_sound"] = "not_played"
        draft.unknown |= dict.fromkeys(VALUES, NOT_PLAYED)
        return
    said = await _play(errand, device)
    if said.get("deaf") == "microphone_none":
        said["deaf"] = errand.unanswered.get("microphone", "microphone_none")
    _report(draft, device, said)


async def _play(errand: Errand, device: Device) -> dict[str, Any]:
    """The child's last line. ProbeFailure: it has none, or says of the speaker why not."""
    errand.progress(Step("speaker", "opening"))
    said = await tasks.unless(errand.stop, _run(errand, device), errand.deadline - 0.1 - time.monotonic())
    if said is None:
        raise ProbeFailure("interrupted" if errand.stop.is_set() else "timeout")
    return said


async def _run(errand: Errand, device: Device) -> dict[str, Any]:
    microphone = errand.device("microphone")
    said: dict[str, Any] = {}
    async with child.started(COMMAND) as process:
        await child.tell(process, {"speaker": device.handle, "microphone": microphone.handle if microphone else None})
        async for line in child.lines(process):
            if "playing" in line:
                errand.progress(Step("speaker", "playing", 0.5))
            else:
                said = line
        ended = await process.wait()
    if "failed" in said:
        raise ProbeFailure(said["failed"], said["detail"])
    if not said and ended == 1:
        raise RuntimeError("the child of speaker broke")
    if not said:
        raise ProbeFailure("probe_broken", "the sound library crashed")
    return said


def _report(draft: Draft, device: Device, said: dict[str, Any]) -> None:
    if "deaf" in said:
        draft.facts["speaker_sound"] = "played"
        draft.unknown |= dict.fromkeys(VALUES, CODES[said["deaf"]])
        return
    found = word(device, heard=said["heard"], loss=said["loss"])
    draft.facts["speaker_sound"] = "muted" if said["muted"] and not said["heard"] else found
    if said["heard"]:
        draft.values |= dict(zip(VALUES, (said["delay"], said["loss"]), strict=True))
    else:
        draft.unknown |= dict.fromkeys(VALUES, "the microphone does not hear the speaker")


def word(device: Device, *, heard: bool, loss: float | None) -> str:
    """What it means for this speaker. `loss`: dB, known when it was heard."""
    headset = device.form == "headset"
    if not heard or loss is None:
        return "headset" if headset else "not_heard"
    return "leaks" if loss < (HEADSET_LEAKS_DB if headset else LEAKS_DB) else "heard"

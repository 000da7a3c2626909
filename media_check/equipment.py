"""equipment: does what is plugged in suit the people in the room? From the list of devices; nothing is opened.

Source: the routine for digital care-planning meetings. Alone: a headset. Several people: a conference unit, or an extra
camera and microphone ("puck"). A device whose form is not clear is never held against anybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.draft import Draft, drafting

if TYPE_CHECKING:
    from media_check.errand import Errand
    from reports.record import Device, DeviceKind

SURE = 0.5  # confidence, at least, for a form to count
UNSURE = "not_clear"
# Of each form: does it do? None: there are such and such. A microphone by Bluetooth is on a head or on a table.
FOR_ONE: dict[str, bool | None] = {
    "headset": True, "bluetooth": None, "usb": None, "unknown": None,
    "built_in": False, "conference": False, "virtual": False,
}  # fmt: skip
FOR_MANY: dict[str, bool | None] = {
    "conference": True, "usb": None, "bluetooth": None, "unknown": None,
    "built_in": False, "headset": False, "virtual": False,
}  # fmt: skip
CAMERA: dict[str, bool | None] = {
    "usb": True, "conference": True, "unknown": None, "bluetooth": None, "headset": None,
    "built_in": False, "virtual": False,
}  # fmt: skip


async def check(errand: Errand) -> Draft:
    """One Measurement about the computer's equipment. It cannot fail."""
    with drafting("equipment", "computer", {}) as draft:
        draft.facts["equipment"] = word(errand)
        if errand.company is not None:
            draft.facts["company"] = errand.company
        if unused := better(errand, str(draft.facts["equipment"])):
            draft.facts["better_device"] = unused.label
    return draft


def word(errand: Errand) -> str:
    """fits | needs_headset | needs_conference_unit | needs_camera | not_asked | not_clear."""
    if errand.company is None:
        return "not_asked"
    if errand.company == "alone":
        return _alone(_does(errand, "speaker", FOR_ONE), _does(errand, "microphone", FOR_ONE))
    return _several(_does(errand, "microphone", FOR_MANY), _does(errand, "camera", CAMERA))


def better(errand: Errand, found: str) -> Device | None:
    """What is needed is there, and only not chosen."""
    looked_for: dict[str, tuple[DeviceKind, dict[str, bool | None]]] = {
        "needs_headset": ("speaker", FOR_ONE),
        "needs_conference_unit": ("microphone", FOR_MANY),
        "needs_camera": ("camera", CAMERA),
    }
    if found not in looked_for:
        return None
    kind, table = looked_for[found]
    return next((d for d in errand.devices if d.kind == kind and _suits(d, table)), None)


def _alone(speaker: bool | None, microphone: bool | None) -> str:
    """Headphones are enough: nothing comes back from them, whichever microphone it is."""
    if speaker or microphone:
        return "fits"
    return "needs_headset" if speaker is False else UNSURE


def _several(microphone: bool | None, camera: bool | None) -> str:
    if microphone is False:
        return "needs_conference_unit"
    if camera is False:
        return "needs_camera"
    return "fits" if microphone and camera else UNSURE


def _does(errand: Errand, kind: DeviceKind, table: dict[str, bool | None]) -> bool | None:
    """The device of this kind that will be used; one that is not there does not do, if all were found."""
    device = errand.device(kind)
    suits = False if device is None else _suits(device, table)
    return None if suits is False and kind in errand.unanswered else suits


def _suits(device: Device, table: dict[str, bool | None]) -> bool | None:
    return table[device.form] if device.confidence >= SURE else None

"""What a device is called: on its user's own screen, and in reports (no person's name and no serial number there)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from reports.record import Device, Form

from .forms import shape
from .seen import Seen

LONGEST = 60
NUMBERED = re.compile(
    r"\b(?:[0-9a-f]{2}[:_-]){5}[0-9a-f]{2}\b|\b(?=\w*\d)[0-9a-f]{8,}\b|\b(?=\w*\d{4})[0-9A-Z]{10,}\b", re.I
)
OWNED = re.compile(r"['’´]s?\s|\b\w+s (?:iphone|ipad|airpods|galaxy|pixel|dator|telefon|headset|hörlurar|buds)", re.I)
PERSONAL_BUSES = frozenset({"bluetooth", "virtual", "network", ""})  # their names are given by people, or by anybody
FORM_WORDS: dict[Form, str] = {
    "built_in": "Built-in ",
    "usb": "USB ",
    "bluetooth": "Bluetooth ",
    "conference": "Conference ",
    "headset": "Headset ",
    "virtual": "Virtual ",
    "unknown": "",
}


def settle(all_seen: Sequence[Seen]) -> tuple[Device, ...]:
    """The devices, in the order given: names, labels and handles of one kind differ from each other."""
    shown = _once(all_seen)
    devices = [_device(s, shown) for s in shown]
    return tuple(_numbered(_numbered(devices, "name"), "label"))


def _once(all_seen: Sequence[Seen]) -> list[Seen]:
    """Without what the system has switched off, and without the sound cards that a sound server shows by itself."""
    served = {s.card for s in all_seen if s.card and not s.handle.startswith("alsa:")}
    left = [s for s in all_seen if not s.hidden and not (s.handle.startswith("alsa:") and s.card in served)]
    return list({(s.kind, s.handle): s for s in reversed(left)}.values())[::-1]


def _device(seen: Seen, all_seen: Sequence[Seen]) -> Device:
    found = shape(seen, all_seen)
    name = " ".join(seen.name.split())[:LONGEST] or seen.kind.capitalize()
    return Device(
        seen.kind,
        name,
        label(seen, found.what),
        found.what,
        found.confidence,
        found.evidence,
        seen.is_default,
        seen.handle,
    )


def label(seen: Seen, form: Form) -> str:
    """The model, where the hardware itself says it and it cannot be a person's; else form and kind in English."""
    model = _model(seen.model)
    plain = seen.kind != "camera" and form == "built_in"  # a sound chip's name says nothing to anybody
    if model and seen.bus not in PERSONAL_BUSES and not plain:
        return model
    if seen.bus == "bluetooth":
        return "Bluetooth headset" if form == "headset" else f"Bluetooth {seen.kind}"
    return f"{FORM_WORDS[form]}{seen.kind}".capitalize() if form != "usb" else f"USB {seen.kind}"


def _model(text: str) -> str:
    if OWNED.search(f"{text} "):
        return ""
    return " ".join(NUMBERED.sub("", text).split())[:LONGEST].strip(" -_,:()")


def _numbered(devices: Sequence[Device], part: str) -> list[Device]:
    """The second of the same words gets a 2."""
    taken: Counter[tuple[str, str]] = Counter()
    used: set[tuple[str, str]] = {(d.kind, getattr(d, part)) for d in devices}
    out = []
    for device in devices:
        words = getattr(device, part)
        taken[device.kind, words] += 1
        number = taken[device.kind, words]
        while number > 1 and (device.kind, f"{words} {number}") in used:
            number += 1
        new = f"{words} {number}" if number > 1 else words
        used.add((device.kind, new))
        taken[device.kind, words] = number
        out.append(replace(device, name=new) if part == "name" else replace(device, label=new))
    return out

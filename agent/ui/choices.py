"""The devices that can be chosen on the page, by numbers that stay the same while it is open."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from agent.ui.state import DeviceChoice
from media_check import equipment
from media_check.errand import Company, Errand
from reports.record import DEVICE_KINDS, Device, DeviceKind

Table = Mapping[str, bool | None]
# Of the kinds of device that equipment.py misses: those that would mend it, and which forms do.
_MENDS: Mapping[str, Mapping[DeviceKind, Table]] = {
    "needs_headset": {"speaker": equipment.FOR_ONE, "microphone": equipment.FOR_ONE},
    "needs_conference_unit": {"microphone": equipment.FOR_MANY, "speaker": equipment.FOR_MANY},
    "needs_camera": {"camera": equipment.CAMERA},
}


class Choices:
    """Numbers for devices. A device keeps its number when others come or go, and gets it again when it comes back."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[DeviceKind, str], int] = {}
        self._there: dict[int, Device] = {}

    def shown(
        self,
        devices: Sequence[Device],
        chosen: Mapping[DeviceKind, str],
        company: Company | None,
        better: str | None = None,
    ) -> tuple[DeviceChoice, ...]:
        """By kind, virtual ones last.

        `chosen`: handles, by kind, of those that somebody chose; else the system's defaults are in use. `better`: the
        label of the microphone that hears the person speak (the fact better_device of the microphone's check).
        """
        self._there = {self._number(device): device for device in devices}
        errand = Errand(tuple(devices), 0.0, asyncio.Event(), company=company, chosen=chosen)
        used = {kind: errand.device(kind) for kind in DEVICE_KINDS}
        suggested = _suggested(errand, used, better)
        ordered = sorted(devices, key=lambda d: (DEVICE_KINDS.index(d.kind), d.form == "virtual"))
        return tuple(
            DeviceChoice(self._number(d), d.kind, d.name, d.form, d is used[d.kind], d is suggested.get(d.kind))
            for d in ordered
        )

    def device(self, kind: DeviceKind, number: int) -> Device | None:
        """The device of that number, as the last look found it; None when there is none of that kind."""
        device = self._there.get(number)
        return device if device is not None and device.kind == kind else None

    def _number(self, device: Device) -> int:
        return self._numbers.setdefault((device.kind, device.handle or device.name), len(self._numbers) + 1)


def _suggested(
    errand: Errand, used: Mapping[DeviceKind, Device | None], better: str | None
) -> dict[DeviceKind, Device]:
    """At most one of each kind: what fits the people in the room; of microphones rather the one that hears somebody."""
    tables = _MENDS.get(equipment.word(errand), {})
    fits = [d for d in errand.devices if d.kind in tables and _suits(d, tables[d.kind])]
    fits = [d for d in fits if used[d.kind] not in fits]
    hears = [d for d in errand.devices if d.kind == "microphone" and d.label == better]
    first = {device.kind: device for device in reversed([*hears, *fits])}
    return {kind: device for kind, device in first.items() if device is not used[kind]}


def _suits(device: Device, table: Table) -> bool:
    return table[device.form] is True and device.confidence >= equipment.SURE

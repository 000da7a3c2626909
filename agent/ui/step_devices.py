"""The devices of this computer while the page is open, and which of them the person has chosen."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from agent.ui.choices import Choices
from media_check.devices import Found
from media_check.errand import Errand

if TYPE_CHECKING:
    from agent.ui.state import DeviceChoice, StepName
    from media_check.errand import Company
    from reports.draft import Draft
    from reports.record import Device, DeviceKind

STEP_OF: Mapping[DeviceKind, StepName] = {"speaker": "speaker", "microphone": "microphone", "camera": "picture"}


class Devices:
    """`found`: as they were looked for last. `chosen`: of a kind, the handle of the one that the person chose."""

    def __init__(self) -> None:
        self.found, self.chosen = Found(()), dict["DeviceKind", str]()
        self._choices, self._hears = Choices(), ""

    def device(self, kind: DeviceKind) -> Device | None:
        """The one that is used, by the same rule as that of the checks."""
        return Errand(self.found.devices, 0.0, asyncio.Event(), chosen=self.chosen).device(kind)

    def choose(self, kind: DeviceKind, number: int) -> bool:
        """False: there is none of that number."""
        device = self._choices.device(kind, number)
        if device is not None:
            self.chosen[kind] = device.handle
        return device is not None

    def heard(self, draft: Draft | None) -> None:
        """What the microphone's check says of another one that hears the person speak, or no longer says."""
        self._hears = str(draft.facts.get("better_device", "")) if draft else ""

    def choices(self, company: Company | None) -> tuple[DeviceChoice, ...]:
        """All of them, as they are shown."""
        return self._choices.shown(self.found.devices, self.chosen, company, self._hears or None)

"""What a check is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from reports.draft import ProbeFailure
from reports.record import Device, DeviceKind

if TYPE_CHECKING:
    import asyncio

Company = Literal["alone", "several"]


@dataclass(frozen=True, slots=True)
class Step:
    """How far a check is. `what`: a word for the page ("opening", "speak_now", "playing"). `level`: 0–1, live."""

    check: str
    what: str
    fraction: float = 0.0
    level: float | None = None


@dataclass(slots=True)
class Errand:
    """One check: with which devices, for whom, until when (`deadline`, time.monotonic()).

    `devices`: as found just now. `chosen`: of a kind, the handle to use instead of the system's default.
    `company`: who sits here; None: nobody said. `attended`: somebody reads a sentence when asked to.
    `quiet`: nothing may be played. `browsers`: lowest versions, by name. `card`: the login asks for a smart card.
    `unanswered`: kinds of which not all may have been found, with the failure code that says why.
    """

    devices: tuple[Device, ...]
    deadline: float
    stop: asyncio.Event
    company: Company | None = None
    attended: bool = False
    quiet: bool = False
    chosen: Mapping[DeviceKind, str] = field(default_factory=dict)
    browsers: Mapping[str, int] = field(default_factory=dict)
    card: bool = False
    unanswered: Mapping[DeviceKind, str] = field(default_factory=dict)
    progress: Callable[[Step], None] = lambda _: None

    def device(self, kind: DeviceKind) -> Device | None:
        """The one to use. Virtual ones only when nothing else is there."""
        mine = [d for d in self.devices if d.kind == kind]
        wanted = [d for d in mine if d.handle == self.chosen.get(kind)]
        usual = [d for d in mine if d.is_default]
        real = [d for d in mine if d.form != "virtual"]
        return next(iter([*wanted, *usual, *real, *mine]), None)

    def needed(self, kind: DeviceKind) -> Device:
        """The one to use. ProbeFailure: there is none, or none that can be tried.

        The cards beneath a sound server that does not answer are no way out: it holds them, and browsers ask it.
        """
        device, code = self.device(kind), self.unanswered.get(kind)
        if device is None or code == "sound_system_missing":
            raise ProbeFailure(code or f"{kind}_none")
        return device

"""The cameras, microphones and speakers of this computer: one contract, a backend for each platform.

Drivers are asked in a child process (`child.py`) by the platform's module: `SOURCES`, functions that return what they
`Seen`. What all platforms share, forms, names and labels, is in forms.py and names.py.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reports.record import Device, DeviceKind

    from .seen import Seen

__all__ = ["DEADLINE_S", "Found", "discover", "look", "platform_module"]

DEADLINE_S = 4.0
CHILD = "media_check.devices.child"
MODULES = {"linux": "linux", "win32": "windows", "darwin": "macos"}
LIBRARY = frozenset({"ImportError", "ModuleNotFoundError"})  # a source's trouble


def platform_module(platform: str = sys.platform) -> str:
    """The name of the module that looks at this platform's devices. Raises `NotImplementedError` elsewhere."""
    if platform not in MODULES:
        raise NotImplementedError(f"devices cannot be listed on {platform}")
    return MODULES[platform]


@dataclass(frozen=True, slots=True)
class Found:
    """`unanswered`: what could not be asked, or did not answer in time, so that its devices are unknown.

    `missing`: those of them that want a library which is not installed.
    """

    devices: tuple[Device, ...]
    unanswered: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def unknown(self) -> Mapping[DeviceKind, str]:
        """Kinds of which there may be more than was found, each with the failure code that says why."""
        from reports.record import DEVICE_KINDS

        kinds: dict[str, tuple[DeviceKind, ...]] = {"cameras": ("camera",), "everything": DEVICE_KINDS}
        sound: tuple[DeviceKind, ...] = ("microphone", "speaker")
        found: dict[DeviceKind, str] = {}
        for source in self.unanswered:
            for kind in kinds.get(source, sound):
                found.setdefault(kind, self._code(source))
        return found

    def _code(self, source: str) -> str:
        if source in self.missing:
            return "device_library_missing"
        return "sound_system_missing" if source == "sound_server" else "devices_unanswered"


async def discover(deadline_s: float = DEADLINE_S) -> tuple[Device, ...]:
    """Every device, as it is now, at most `deadline_s` later. What a broken driver holds up is left out."""
    return (await look(deadline_s)).devices


async def look(deadline_s: float = DEADLINE_S) -> Found:
    """The same, and whom it asked in vain: "cameras", "sound_server", "sound_cards", or "everything"."""
    import asyncio

    from processes import child

    answers: dict[str, list[Seen] | None] = {}
    missing: list[str] = []
    # what was said until the deadline, or until the child could not be started, stands
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(deadline_s), child.started(child.command(CHILD)) as process:
            await child.tell(process, {})
            from . import names  # noqa: F401 - it starts meanwhile

            async for line in child.lines(process):
                _take(line, answers, missing)
    from reports.record import DEVICE_KINDS

    from .names import settle

    seen = [one for some in answers.values() for one in some or ()]
    silent = tuple(source for source, some in answers.items() if some is None) if answers else ("everything",)
    return Found(settle(sorted(seen, key=lambda s: DEVICE_KINDS.index(s.kind))), silent, tuple(missing))


def _take(line: Mapping[str, Any], answers: dict[str, list[Seen] | None], missing: list[str]) -> None:
    """The names of all sources, or one source's devices, or its trouble. A line of another shape is none."""
    from .seen import from_line

    with contextlib.suppress(KeyError, TypeError, ValueError):
        if "sources" in line:
            answers |= dict.fromkeys(line["sources"])
        elif "seen" in line:
            answers[str(line["source"])] = [from_line(one) for one in line["seen"]]
        elif line["trouble"] in LIBRARY:
            missing.append(str(line["source"]))

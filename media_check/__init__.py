"""Checks: one question to a device or to this computer each, one Measurement each. CHECKS is the whole registry."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from media_check.errand import Errand
    from reports.draft import Draft

Check = Callable[["Errand"], Awaitable["Draft"]]


@dataclass(frozen=True, slots=True)
class Entry:
    """`seconds`: its deadline. `after`: checks that would disturb it, or be disturbed, and must have ended."""

    module: str
    seconds: float
    after: tuple[str, ...] = ()


CHECKS: dict[str, Entry] = {
    "equipment": Entry("media_check.equipment", 0.5),
    "camera": Entry("media_check.camera", 6.0),
    "microphone": Entry("media_check.microphone", 8.0),
    "speaker": Entry("media_check.speaker", 6.0, after=("microphone",)),
    "computer": Entry("media_check.computer", 6.0, after=("camera", "microphone", "speaker")),
}


def load(name: str) -> Check:
    """The function `check` of a registered name's module, imported only now."""
    from importlib import import_module

    function: Check = import_module(CHECKS[name].module).check
    return function

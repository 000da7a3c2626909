"""The device part of a self-test: which checks, in what order, each within its time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from media_check import CHECKS, load
from media_check.errand import Errand, Step
from reports.draft import Draft
from reports.record import Device, Failure

if TYPE_CHECKING:
    from agent.options import Options
    from media_check.devices import Found

GRACE_S = 2.0  # beyond a check's own deadline: then it is given up


class Checks:
    """One self-test's checks. `run()`: the devices that were found, and a draft of each check, as registered."""

    def __init__(self, options: Options, stop: asyncio.Event, progress: Callable[[Step], None]) -> None:
        self._options, self._stop, self._progress = options, stop, progress
        self._ended = {name: asyncio.Event() for name in options.checks}

    async def run(self) -> tuple[tuple[Device, ...], list[Draft]]:
        """Side by side where they do not disturb each other."""
        from media_check.devices import look

        if not self._options.checks or self._stop.is_set():
            return (), []
        found = await look()
        drafts = await asyncio.gather(*(self._one(name, found) for name in self._options.checks))
        return found.devices, list(drafts)

    async def _one(self, name: str, found: Found) -> Draft:
        for other in CHECKS[name].after:
            if other in self._ended:
                await self._ended[other].wait()
        try:
            return await self._within(name, found)
        finally:
            self._ended[name].set()

    async def _within(self, name: str, found: Found) -> Draft:
        """A check that breaks costs its own answer only."""
        begun, seconds = time.time(), CHECKS[name].seconds
        if self._stop.is_set():
            return Draft(name, name, begun, failure=Failure(name, "interrupted"))
        self._progress(Step(name, "begun"))
        try:
            async with asyncio.timeout(seconds + GRACE_S):
                return await load(name)(self._errand(found, seconds))
        except TimeoutError:
            return Draft(name, name, begun, seconds + GRACE_S, failure=Failure(name, "timeout"))
        except Exception as defect:  # noqa: BLE001 - it is told, as a defect, and the others' answers with it
            broken = Failure(name, "probe_broken", type(defect).__name__)
            return Draft(name, name, begun, time.time() - begun, failure=broken)

    def _errand(self, found: Found, seconds: float) -> Errand:
        options = self._options
        return Errand(
            devices=found.devices,
            unanswered=found.unknown,
            deadline=time.monotonic() + seconds,
            stop=self._stop,
            company=options.company,
            quiet=options.quiet,
            browsers=options.profile.browsers,
            card=options.profile.card,
            progress=self._progress,
        )

"""The device part of a self-test: which checks, in what order, each within its time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from media_check import CHECKS, load
from media_check.errand import Errand, Step
from reports.draft import Draft
from reports.record import Device, Failure

if TYPE_CHECKING:
    from agent.options import Options

GRACE_S = 2.0  # beyond a check's own deadline: then it is given up


class Checks:
    """One self-test's checks. `run()`: the devices that were found, and a draft of each check, as registered."""

    def __init__(self, options: Options, stop: asyncio.Event, progress: Callable[[Step], None]) -> None:
        self._options, self._stop, self._progress = options, stop, progress
        self._ended = {name: asyncio.Event() for name in options.checks}

    async def run(self) -> tuple[tuple[Device, ...], list[Draft]]:
        """Side by side where they do not disturb each other."""
        from media_check.devices import discover

        if not self._options.checks or self._stop.is_set():
            return (), []
        devices = await discover()
        drafts = await asyncio.gather(*(self._one(name, devices) for name in self._options.checks))
        return devices, list(drafts)

    async def _one(self, name: str, devices: Sequence[Device]) -> Draft:
        for other in CHECKS[name].after:
            if other in self._ended:
                await self._ended[other].wait()
        try:
            return await self._within(name, tuple(devices))
        finally:
            self._ended[name].set()

    async def _within(self, name: str, devices: tuple[Device, ...]) -> Draft:
        begun, seconds = time.time(), CHECKS[name].seconds
        if self._stop.is_set():
            return Draft(name, name, begun, failure=Failure(name, "interrupted"))
        self._progress(Step(name, "begun"))
        try:
            async with asyncio.timeout(seconds + GRACE_S):
                return await load(name)(self._errand(devices, seconds))
        except TimeoutError:
            return Draft(name, name, begun, seconds + GRACE_S, failure=Failure(name, "timeout"))

    def _errand(self, devices: tuple[Device, ...], seconds: float) -> Errand:
        options = self._options
        return Errand(
            devices=devices,
            deadline=time.monotonic() + seconds,
            stop=self._stop,
            company=options.company,
            quiet=options.quiet,
            browsers=options.profile.browsers,
            progress=self._progress,
        )

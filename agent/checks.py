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
    from media_check import Check
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
            return await answer(name, errand(name, self._options, found, self._stop, self._progress))
        finally:
            self._ended[name].set()


def errand(
    name: str, options: Options, found: Found, stop: asyncio.Event, progress: Callable[[Step], None] = lambda _: None
) -> Errand:
    """What a check is given, when nobody sits there to answer; its time begins now."""
    return Errand(
        devices=found.devices,
        unanswered=found.unknown,
        deadline=time.monotonic() + CHECKS[name].seconds,
        stop=stop,
        company=options.company,
        quiet=options.quiet,
        browsers=options.profile.browsers,
        card=options.profile.card,
        progress=progress,
    )


async def answer(name: str, asked: Errand, check: Check | None = None) -> Draft:
    """A check's draft, whatever happens: one that breaks or hangs costs its own answer only. `check`: another one."""
    begun, seconds = time.time(), max(0.0, asked.deadline - time.monotonic()) + GRACE_S
    if asked.stop.is_set():
        return Draft(name, name, begun, failure=Failure(name, "interrupted"))
    asked.progress(Step(name, "begun"))
    try:
        async with asyncio.timeout(seconds):
            return await (check or load(name))(asked)
    except TimeoutError:
        return Draft(name, name, begun, seconds, failure=Failure(name, "timeout"))
    except Exception as defect:  # noqa: BLE001 - it is told, as a defect, and the others' answers with it
        broken = Failure(name, "probe_broken", type(defect).__name__)
        return Draft(name, name, begun, time.time() - begun, failure=broken)

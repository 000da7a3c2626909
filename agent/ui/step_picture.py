"""The picture: the camera is watched, with hints that come and go, until the person finds it good."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from agent.ui.step_results import level_of, of_checks, results
from agent.ui.step_shared import Drafts, Talk, later
from processes import tasks

if TYPE_CHECKING:
    from media_check.errand import Errand
    from reports.draft import Draft

STALLED_S = 12.0  # without a picture; the viewing itself gives up long before
ENDING_S = 6.0  # from the person's answer to the last judgement


async def picture(talk: Talk) -> Drafts:
    """The camera's draft of the last seconds before the person was content."""
    watching = Watching(talk)
    viewing = asyncio.create_task(talk.patient("camera", "picture", watching.watch))
    try:
        if await watching.answered(viewing) == "skip":
            return {}
        talk.board.step("picture", what="watching")
        return {"camera": await viewing}
    finally:
        await tasks.end(viewing)


class Watching:
    """One camera, watched."""

    def __init__(self, talk: Talk) -> None:
        self._talk, self._until, self._first = talk, asyncio.Event(), asyncio.Event()
        self._net: asyncio.Timeout | None = None

    async def watch(self, errand: Errand, net: asyncio.Timeout) -> Draft:
        """Until the person has answered, or the camera fails."""
        from media_check import viewing

        self._net = net
        try:
            return await viewing.view(errand, self._frame, self._seen, self._until)
        finally:
            self._net = None

    async def answered(self, viewing: asyncio.Task[Draft]) -> str | None:
        """The person is asked once there is a picture. None: the camera has failed first, or the run ends."""
        first = asyncio.create_task(self._first.wait())
        asking: asyncio.Task[str | None] | None = None
        try:
            await asyncio.wait((first, viewing), return_when=asyncio.FIRST_COMPLETED)
            if viewing.done():
                return None
            asking = asyncio.create_task(self._talk.ask("picture", "picture"))
            await asyncio.wait((asking, viewing), return_when=asyncio.FIRST_COMPLETED)
            return asking.result() if asking.done() else None
        finally:
            await tasks.end(*(task for task in (first, asking) if task is not None))
            self._end()

    def _end(self) -> None:
        self._until.set()
        self._give(ENDING_S)

    def _frame(self, jpeg: bytes) -> None:
        self._talk.frame(jpeg)
        if not self._until.is_set():
            self._first.set()
            self._give(STALLED_S)

    def _give(self, seconds: float) -> None:
        if self._net is not None and not self._net.expired():
            later(self._net, seconds)

    def _seen(self, draft: Draft) -> None:
        """What the last seconds looked like: the hints, while the person moves."""
        found = of_checks(self._talk.options.policy, (draft,))
        level = level_of(found, strict=True)
        self._talk.board.step("picture", results=results(found, level, "picture"))

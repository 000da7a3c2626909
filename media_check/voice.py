"""voice: the microphone check with somebody who reads a sentence aloud, and may hear how it sounded.

What the chosen microphone gave stays in the memory of the child process that listened, and is played from there: it
never comes here. When nobody wants to hear it any more the child overwrites it and ends.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from media_check import microphone
from media_check.errand import Step
from media_check.speaker import NOT_PLAYED
from processes import child, tasks
from reports.draft import ProbeFailure

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Awaitable, Callable

    from media_check.errand import Errand
    from media_check.microphone import Said
    from reports.draft import Draft
    from reports.record import Device

HOLDS_S = 600.0  # somebody thinks, or is called away; after that nothing is kept
OPENS_S = 5.0  # a Bluetooth headset takes a second or two
ENDS_S = 1.5  # fading out, and overwriting; then by force
COMMAND = child.command("media_check.voice_child")


async def check(errand: Errand, then: Callable[[Playback], Awaitable[None]] | None = None) -> Draft:
    """media_check.microphone.check, attended: the same Draft, whose duration ends when it has been judged.

    `then` is awaited after that, when something was judged at all, while the child holds what it heard. It is ended
    after HOLDS_S, or when `errand.stop` is set. `errand.deadline` is about listening and judging only: what waits for
    this function must not have it for its own. When it returns nothing is held any more.
    """
    async with contextlib.AsyncExitStack() as stack:
        listener = _Listener(stack)
        draft = await microphone.check(replace(errand, attended=True), listener.hear)
        if then is not None and draft.failure is None and listener.seconds is not None:
            playback = Playback(errand, draft, listener)
            try:
                await tasks.unless(errand.stop, then(playback), HOLDS_S)
            finally:
                await playback.end()
    return draft


@dataclass(slots=True)
class _Listener:
    """The child, killed when `stack` is closed. `answers`: what it says of its playing; None: it has ended."""

    stack: contextlib.AsyncExitStack
    process: Process | None = None
    seconds: float | None = None  # that it keeps
    done: asyncio.Event = field(default_factory=asyncio.Event)  # it keeps them, or says no more
    answers: asyncio.Queue[dict[str, Any] | None] = field(default_factory=asyncio.Queue)

    async def hear(self, errand: Errand, devices: list[Device], said: Said) -> None:
        """For microphone.check: until it was judged, or cannot be."""
        self.process = await self.stack.enter_async_context(child.started(COMMAND))
        reading = asyncio.create_task(self._read(self.process, errand, devices, said))
        self.stack.push_async_callback(tasks.end, reading)
        await self.done.wait()
        if self.seconds is None:
            await reading  # a defect in it is told

    async def _read(self, process: Process, errand: Errand, devices: list[Device], said: Said) -> None:
        try:
            async for line in microphone.listened(process, errand, devices, said, hold=HOLDS_S):
                if "kept" in line:
                    self.seconds = line["kept"]
                    self.done.set()
                elif "number" in line or "played" in line:
                    self.answers.put_nowait(line)
        finally:
            self.done.set()
            self.answers.put_nowait(None)

    async def tell(self, **line: object) -> None:
        """Nothing when it has ended."""
        if self.process is not None:
            await child.tell(self.process, line)


class Playback:
    """What the chosen microphone heard, in the child's memory.

    `draft`: as it was judged. `seconds`: that can be played; 0.0 when there is nothing any more. `muted`: the speaker's
    own switch was off when it was last played, so nobody heard it; None: not known.
    """

    def __init__(self, errand: Errand, draft: Draft, listener: _Listener) -> None:
        self.draft = draft
        self.seconds: float = listener.seconds or 0.0
        self.muted: bool | None = None
        self._errand, self._listener = errand, listener
        self._number = 0
        self._turn = asyncio.Lock()

    async def play(self, speaker: Device) -> ProbeFailure | None:
        """Through that speaker, until it has been played whole or is stopped. The failure: why it cannot be.

        Never louder than voice_child.PEAK_DBFS. One that goes on is stopped first; so is this one when it is cancelled.
        """
        if self._errand.quiet:
            return ProbeFailure("interrupted", NOT_PLAYED)
        await self.stop()
        self._number += 1
        number = self._number
        async with self._turn:
            try:
                return await self._play(speaker, number)
            finally:
                await self._listener.tell(stop=number)

    async def stop(self) -> None:
        """What is being played fades out; nothing when nothing is."""
        await self._listener.tell(stop=self._number)

    async def end(self) -> None:
        """It is overwritten, and the child has ended."""
        self.seconds = 0.0
        await self._listener.tell(end=True)
        if self._listener.process is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ENDS_S):
                    await self._listener.process.wait()

    async def _play(self, speaker: Device, number: int) -> ProbeFailure | None:
        if not self.seconds:
            return ProbeFailure("interrupted", "nothing is kept any more")
        await self._listener.tell(play=speaker.handle, number=number)
        try:
            async with asyncio.timeout(OPENS_S + self.seconds):
                return await self._played(number)
        except TimeoutError:
            self._give_up()
            return ProbeFailure("timeout")

    async def _played(self, number: int) -> ProbeFailure | None:
        """Wait for its end. Lines of an earlier one that was cancelled mean nothing."""
        while (line := await self._listener.answers.get()) is not None:
            if line.get("number") == number:
                self._errand.progress(Step("microphone", "playing"))
            elif line.get("played") == number:
                self.muted = line["muted"]
                return ProbeFailure(line["failed"], line["detail"]) if line["failed"] else None
        self._give_up()
        return ProbeFailure("probe_broken", "the sound library crashed")

    def _give_up(self) -> None:
        """A child that hangs plays nothing more, and what it keeps is gone with it."""
        self.seconds = 0.0
        if self._listener.process is not None:
            child.kill(self._listener.process)

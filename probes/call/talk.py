"""The call's conversation with its child process and, for it, with the room; and how long each may take."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Collection, Coroutine, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from probes.call.signalling import Signalling
from probes.call.wire import CONNECT_S, FIRST_MEDIA_S, MOST_ALONE_S, Errand, Report
from probes.session import ProbeFailure, Progress, Session
from processes import child
from processes.tasks import end

START_S = 4.0  # for the child's modules, on a slow computer
END_S = 2.0  # for the room's counts
BETWEEN_S = 0.25  # from the end of the child's time to that of ours
CLOSE_S, LAST_S = 1.5, 0.2  # for each of the room's last answers; when the deadline has come
STEPS = ("signalling", "ice", "dtls", "media")

T = TypeVar("T")


def own_time(seconds: float) -> float:
    """Seconds that a call takes at the most, from the child's start to the room's counts."""
    return START_S + CONNECT_S + FIRST_MEDIA_S + seconds + END_S


async def briefly(session: Session, asking: Coroutine[Any, Any, T]) -> T | None:
    """What the room is asked at the end, and is not waited for long; None: no answer in time."""
    left = 0.0 if session.stop.is_set() else session.deadline - time.monotonic()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(min(CLOSE_S, max(LAST_S, left))):
            return await asking
    return None


@dataclass(slots=True)
class Talk:
    """The conversation with the child. `step`: how far the call got; `complete`: the child said its last.

    `killed_by`: the signal that ended the child; 0: none.
    """

    session: Session
    signalling: Signalling
    errand: Errand
    step: str = "signalling"
    report: Report = field(default_factory=Report)
    complete: bool = False
    killed_by: int = 0
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    async def run(self, command: Sequence[str]) -> None:
        """From the child's start to its end, which comes in time whatever it does."""
        async with child.started(command) as process:
            waiting = [asyncio.create_task(self._listen(process)), asyncio.create_task(self.session.stop.wait())]
            try:
                await self._wait(waiting, own_time(self.errand.seconds))
                if self.complete:  # and the sound is tried by itself
                    await self._wait(waiting, MOST_ALONE_S + BETWEEN_S)
                if waiting[0].done():
                    waiting[0].result()
            finally:
                await end(*waiting, *self._tasks)

    async def _wait(self, waiting: Collection[asyncio.Task[Any]], most_s: float) -> None:
        """Until one of these is done, and not for longer, nor beyond the deadline."""
        left = max(0.0, min(most_s, self.session.deadline - END_S / 2 - time.monotonic()))
        await asyncio.wait(waiting, timeout=left, return_when=asyncio.FIRST_COMPLETED)

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        await child.tell(process, asdict(self.errand))
        async for line in child.lines(process):
            self._take(line, process)
        self.killed_by = max(0, -(process.returncode or 0))
        if not self.complete and not self.killed_by:
            raise RuntimeError("the child of the call broke")

    def _take(self, line: dict[str, Any], process: asyncio.subprocess.Process) -> None:
        if "offer" in line:
            self._beside(self._answer(line["attempt"], line["offer"], process))
        elif "lost" in line:
            self._beside(self.signalling.hang_up(line["lost"]))
        elif "step" in line:
            self.step = max(self.step, line["step"], key=STEPS.index)
        else:
            self.report, self.complete = Report(**line["report"]), line["last"]
            said = self.report
            self.session.progress(
                Progress("call", self.session.subject, said.fraction, said.frames_sent, said.frames_received)
            )

    def _beside(self, work: Coroutine[Any, Any, object]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, name: str, offer: str, process: asyncio.subprocess.Process) -> None:
        try:
            answer = {"answer": await self.signalling.offer(name, offer)}
        except ProbeFailure as failure:
            answer = {"refused": failure.code, "detail": failure.detail}
        await child.tell(process, {"attempt": name, **answer})

"""One self-test at a time: begun by the page, ended by it or because the page has gone, and never beside another's."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from agent import defects, turn
from agent.streams import to_nobody
from processes.aside import aside

if TYPE_CHECKING:
    from agent.options import Options
    from agent.ui.state import State, StepName
    from media_check.errand import Company
    from reports.record import DeviceKind, SelfTest

GRACE_S, FORCE_S = 0.6, 1.4  # for the run to end by itself, then for what it holds to be let go
HAND_IN_S = 20.0
_TRY_S = 0.1

HandIn = Callable[["SelfTest"], None]


class Flow(Protocol):
    """What walks through the steps: agent.ui.flow.Flow."""

    state: State

    async def start(self, company: Company, *, only: Sequence[StepName] = ()) -> None: ...  # noqa: D102
    def stop(self) -> None: ...  # noqa: D102
    def answer(self, number: int, answer: str) -> bool: ...  # noqa: D102
    def choose(self, kind: DeviceKind, number: int) -> bool: ...  # noqa: D102
    async def compare(self) -> None: ...  # noqa: D102
    @property
    def self_test(self) -> SelfTest | None: ...  # noqa: D102


Make = Callable[["Options", Callable[[], None], Callable[[float], None], Callable[[bytes], None]], Flow]


class BusyError(Exception):
    """A run goes on: `code` "running" here, "busy" in another program."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Running:
    """The run of one flow. `folder`: where the lock is; None: nobody else is asked."""

    def __init__(self, flow: Flow, changed: Callable[[], None], folder: Path | None, hand_in: HandIn | None) -> None:
        self._flow, self._changed, self._folder, self._hand_in = flow, changed, folder, hand_in
        self._task: asyncio.Task[None] | None = None
        self._waiting = self._stopped = self._closed = False
        self._handed: str | None = None
        self._besides: set[asyncio.Task[None]] = set()

    @property
    def on(self) -> bool:
        """Does a run go on, or is about to?"""
        return self._waiting or (self._task is not None and not self._task.done())

    async def begin(self, work: Callable[[], Awaitable[None]]) -> None:
        """Begin it. Raises BusyError."""
        if self.on or self._closed:
            raise BusyError("running")
        self._waiting, self._stopped = True, False
        try:
            with ExitStack() as locks:
                if not await self._turn(locks):
                    self._trouble("busy")
                    raise BusyError("busy")
                if self._closed:
                    raise BusyError("running")
                self._task = asyncio.create_task(self._run(work, locks.pop_all()))
        finally:
            self._waiting = False

    async def _turn(self, locks: ExitStack) -> bool:
        """False: another test goes on, and does not give way."""
        ends = time.monotonic() + turn.GIVES_WAY_S
        while self._folder is not None and not self._stopped:
            if locks.enter_context(turn.turn(self._folder, 0.0)):
                return True
            if time.monotonic() >= ends:
                return False
            await asyncio.sleep(_TRY_S)
        return True

    async def _run(self, work: Callable[[], Awaitable[None]], locks: ExitStack) -> None:
        with locks:
            if self._stopped:  # before it had begun
                self._trouble("stopped")
                return
            try:
                await work()
            except Exception as error:  # noqa: BLE001 - a defect: the page says so, and how to go on
                say_defect(error)
                self._trouble("broken")
        self._report()

    def _trouble(self, word: str) -> None:
        """Said by the page. The flow does not know of it, or can say no more."""
        state = self._flow.state
        state.trouble, state.question = word, None
        if state.phase == "running":
            state.phase = "done" if state.answer is not None else "start"
        state.revision += 1
        self._changed()

    def stop(self) -> None:
        """It ends soon."""
        if self.on:
            self._stopped = True
            self._flow.stop()

    async def close(self) -> None:
        """It has ended, GRACE_S and FORCE_S at the most; and none begins."""
        self._closed = self._stopped = True
        self._flow.stop()
        tasks = {*self._besides} if self._task is None else {self._task, *self._besides}
        if self._task is not None:
            await asyncio.wait((self._task,), timeout=GRACE_S)
        left = {task for task in tasks if not task.done()}
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=FORCE_S)

    def _report(self) -> None:
        """To the organisation's collector, while the page goes on. It waits on the disk if that does not answer."""
        test = self._flow.self_test
        if self._hand_in is None or test is None or test.interrupted or test.run_id == self._handed:
            return
        self._handed = test.run_id
        task = asyncio.create_task(_handed_in(self._hand_in, test))
        self._besides.add(task)
        task.add_done_callback(self._besides.discard)


async def _handed_in(hand_in: HandIn, test: SelfTest) -> None:
    try:
        await aside(lambda: hand_in(test), HAND_IN_S)
    except TimeoutError:
        say("the collector does not answer in time; the self-test waits on this computer to be handed in")
    except Exception as error:  # noqa: BLE001 - the page goes on without
        say_defect(error)


def say(line: str) -> None:
    """To whoever runs the program, as the command line does."""
    show(f"motesklar: {line}")


def show(*lines: str) -> None:
    """On standard error, which a program that was started by an icon may not have, and whose reader may have gone."""
    if sys.stderr is None:
        return
    try:
        print(*lines, sep="\n", file=sys.stderr, flush=True)
    except ValueError:  # it is closed
        pass
    except OSError:  # what stands in its buffer would fail again at the end, and be this program's exit code
        to_nobody(sys.stderr.fileno())


def say_defect(error: BaseException) -> None:
    """What a developer needs, in one line."""
    say(defects.line(error))

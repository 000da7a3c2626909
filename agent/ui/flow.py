"""The guided self-test: its steps one after another, the person's answers, and the verdict at its end.

It knows no page and no terminal: it writes on a `State`, and takes answers, choices and a stop at any moment. The
devices come first, the network after them, undisturbed, and the computer last. The verdict is made of the same
measurements by the same function as that of `motesklar check` (`agent.selftest.judged`).

Another device chosen while the run goes on: a step with a device is left at once for the one that has to be done again;
the network's is not disturbed, and comes to its end first.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from agent.options import UsageError
from agent.ui import step_computer, step_looking, step_verdict
from agent.ui.questions import Questions
from agent.ui.state import STEPS, State, Step, StepName
from agent.ui.step_devices import STEP_OF, Devices
from agent.ui.step_network import BOTH, Network
from agent.ui.step_plan import CHECKED, WORK, seconds_of
from agent.ui.step_results import says, show_checks
from agent.ui.step_shared import Board, Drafts, Talk, broken
from agent.ui.step_verdict import Before, Known
from processes import tasks

if TYPE_CHECKING:
    from agent.options import Options
    from media_check.errand import Company
    from reports.record import DeviceKind, Link, SelfTest

STOP_S = 0.8  # for what goes on to end by itself; then it is cancelled
FORCE_S = 1.5  # for what it holds to be let go


class BusyError(RuntimeError):
    """A run goes on."""


class Flow:
    """One person's self-tests, one run at a time. All its methods belong to one event loop.

    `changed`: the state has changed; `level`: the microphone's, 0–1, some ten times a second; `frame`: one JPEG of the
    preview.
    """

    def __init__(
        self,
        options: Options,
        changed: Callable[[], None],
        level: Callable[[float], None],
        frame: Callable[[bytes], None],
    ) -> None:
        self.options = options
        self.state = State(
            lang=options.language,
            title=options.profile.title,
            portal=options.profile.portal,
            room="configured" if options.room else "embedded",
            steps=tuple(Step(name, seconds_of(name, options)) for name in STEPS),
        )
        self._board, self._level, self._frame = Board(self.state, changed), level, frame
        self.questions, self._devices = Questions(self._board), Devices()
        self._known = Known()
        self._links: tuple[Link, ...] = ()
        self._stop, self._idle = asyncio.Event(), asyncio.Event()
        self._idle.set()
        self._todo: list[StepName] = []
        self._at: StepName | None = None
        self._doing: asyncio.Task[None] | None = None

    # ---- what the page and the terminal call

    @property
    def self_test(self) -> SelfTest | None:
        """The last one that came to its end, whole. Each run, and each redone step, makes a new one."""
        return self._known.self_test

    async def start(self, company: Company, *, only: Sequence[StepName] = ()) -> None:
        """Run to the end. `only`: these steps again, the others keep what they found; the verdict is made anew.

        BusyError: a run goes on. UsageError: the options name a link that is not there.
        """
        again = [name for name in STEPS if name in only] if self.self_test is not None else []
        await self._run(company, again or [*STEPS], all_links=False)

    async def compare(self) -> None:
        """The network's part over all links, and the verdict anew. BusyError: a run goes on."""
        await self._run(self.state.company, [*BOTH], all_links=True)

    def so_far(self) -> Callable[[], Awaitable[SelfTest]]:
        """For who stops the run and wants to see what there is: to be called when it has ended."""
        known, options, started_at = self._known, self.options, self.state.started_at or time.time()
        return lambda: step_verdict.stopped(known, options, self._devices.found.devices, started_at)

    def stop(self) -> None:
        """End the run: within STOP_S + FORCE_S nothing of it is left."""
        if not self._idle.is_set():
            self._stop.set()

    async def close(self) -> None:
        """The same, awaited."""
        self.stop()
        await self._idle.wait()

    def answer(self, number: int, answer: str) -> bool:
        """False: that is not asked (any more), or this is none of its answers."""
        return self.questions.answer(number, answer)

    def choose(self, kind: DeviceKind, number: int) -> bool:
        """Use another device. False: there is none of that number.

        While a run goes on its step begins again, unless it is still to come. After the run it is only remembered.
        """
        before = self._devices.device(kind)
        if not self._devices.choose(kind, number):
            return False
        self._board.touch(devices=self._devices.choices(self.state.company))
        if not self._idle.is_set() and self._devices.device(kind) != before:
            self._once_more(STEP_OF[kind])
        return True

    # ---- a run

    async def _run(self, company: Company | None, steps: list[StepName], *, all_links: bool) -> None:
        if not self._idle.is_set():
            raise BusyError("a run goes on")
        self._idle.clear()
        self._stop, before = asyncio.Event(), Before.of(self._known, self.state)
        self.options = replace(self.options, company=company)
        self._open(company, steps, comparing=all_links)
        try:
            await self._through(self._talk(), all_links=all_links)
        except asyncio.CancelledError:
            self._stop.set()
            raise
        finally:
            self._at, self._todo = None, []
            self._end(before)
            self._stop.set()
            self._idle.set()

    def _open(self, company: Company | None, steps: list[StepName], *, comparing: bool) -> None:
        for name in steps:
            step = self.state.step(name)
            step.doing, step.what, step.fraction, step.level, step.results = "waiting", "", None, None, ()
        self._todo = [*steps]
        begun = {"phase": "running", "trouble": "", "answer": None, "started_at": time.time()}
        self._board.touch(company=company, comparing=comparing, **begun)

    def _talk(self) -> Talk:
        return Talk(self.options, self._board, self.questions, self._devices, self._level, self._frame, self._stop)

    async def _through(self, talk: Talk, *, all_links: bool) -> None:
        """Look what there is, every step that is left to do, until it is stopped, and the verdict."""
        begun = time.monotonic()
        await self._guarded(self._look(talk))
        while not self._stop.is_set():
            if not self._todo:
                await self._guarded(self._judge(talk, begun))
            if not self._todo:
                return
            self._at = name = self._todo.pop(0)
            network = name in BOTH
            await self._guarded(self._network(talk, name, all_links=all_links) if network else self._step(talk, name))
            self._at = None

    async def _guarded(self, work: Awaitable[None]) -> None:
        """Until it has ended, or was left for another step; when stopped it has STOP_S to end by itself."""
        doing = self._doing = asyncio.ensure_future(work)
        stopping = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait((doing, stopping), return_when=asyncio.FIRST_COMPLETED)
            if not doing.done():
                await asyncio.wait((doing,), timeout=STOP_S)
        finally:
            self._doing = None
            doing.cancel()
            await tasks.end(stopping)
            await asyncio.wait((doing,), timeout=FORCE_S)
        if doing.done() and not doing.cancelled() and (defect := doing.exception()):
            self._broke(defect)

    def _broke(self, defect: BaseException) -> None:
        """It costs its own step only."""
        from agent.ui.running import say_defect

        if isinstance(defect, UsageError):
            self._stop.set()
            raise defect
        say_defect(defect)
        if self._at is not None:
            self._known.drafts |= {name: broken(name) for name in CHECKED.get(self._at, ())}
            self._board.ends(self._at, "unknown", (says("unknown", "failure.probe_broken"),))

    async def _look(self, talk: Talk) -> None:
        self._board.begins(self._todo[0], "looking")
        self._links = await step_looking.look(talk)
        self._known.drafts |= await step_computer.equipment(talk)

    async def _step(self, talk: Talk, name: StepName) -> None:
        self._board.begins(name)
        for check in CHECKED[name]:
            self._known.drafts.pop(check, None)
        found = await WORK[name](talk)
        if self._stop.is_set():
            return
        self._known.drafts |= found
        if name == "microphone":
            self._devices.heard(found.get("microphone"))
        self._board.touch(devices=self._devices.choices(self.state.company))
        show_checks(self._board, self.options.policy, name, found)

    async def _network(self, talk: Talk, first: StepName, *, all_links: bool) -> None:
        same = self._same_link()
        steps = {first, *(name for name in BOTH if name in self._todo or not same)}
        self._todo = [name for name in self._todo if name not in BOTH]
        network = Network(talk, steps, self._known.networked, all_links=all_links)
        self._known.networked = await network.run()
        if "connection" in steps:
            self._known.traces = network.traces

    def _same_link(self) -> bool:
        """Does what is known of the network still speak about the link in use?"""
        if self._known.networked is None:
            return False
        tested = {link.name for link in self._known.networked.chosen}
        return all(link.name in tested for link in self._links if link.is_default)

    def _once_more(self, step: StepName) -> None:
        """Put it before what is left to do; leave the step that goes on for it, unless that is the network's."""
        doing = self._at
        if step in self._todo or (step != doing and self.state.step(step).doing == "waiting"):
            return
        again: Collection[StepName] = {step, *self._todo}
        if doing is not None and doing not in BOTH:
            again = {*again, doing}
            if self._doing is not None:
                self._doing.cancel()
        self._todo = [name for name in STEPS if name in again]

    # ---- its end

    async def _judge(self, talk: Talk, begun: float) -> None:
        """The verdict. The equipment is looked at with the devices that are chosen by now."""
        known = self._known
        if known.networked is None:
            return
        known.drafts |= {"equipment": await talk.check("equipment")}
        both: Drafts = {name: known.drafts[name] for name in CHECKED["computer"] if name in known.drafts}
        if "computer" in both:
            show_checks(self._board, self.options.policy, "computer", both)
        started_at = self.state.started_at or time.time()
        found = self._devices.found.devices
        await step_verdict.judge(known, self.options, found, started_at, time.monotonic() - begun)
        links, answer = step_verdict.answer(known, self.options)
        if not self._stop.is_set() and not self._todo:
            self._board.touch(phase="done", links=links, answer=answer)

    def _end(self, before: Before) -> None:
        """Without a verdict: it was stopped, or this program has a defect."""
        if self.state.phase != "running":
            return
        if not self._stop.is_set():
            self._board.touch(phase="done", trouble="broken")
            return
        self._known, stopped = before.known, {"trouble": "stopped", "comparing": before.comparing}
        if before.answer is not None:  # it stands again, with what it was made of
            self.options = replace(self.options, company=before.company)
            as_it_was = {"steps": before.steps, "links": before.links, "answer": before.answer}
            self._board.touch(phase="done", company=before.company, **as_it_was, **stopped)
            return
        for step in self.state.steps:
            step.what, step.fraction = "", None
            step.doing = "waiting" if step.doing in ("running", "asking") else step.doing
        self._board.touch(phase="start", **stopped)

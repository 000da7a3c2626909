"""`motesklar check --guided`: the staff page's flow in the terminal, then the table and the exit code of `check`."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from agent import check, receipt, turn
from agent.guided_keys import forget_closed, keys
from agent.guided_offer import Offer, steps_of
from agent.guided_screen import Screen
from agent.guided_words import COMPANIES, Choice, Said, Transcript, choices, devices
from agent.options import Options, UsageError, checks_of, probes_of
from agent.settings import state_folder
from agent.ui.flow import Flow
from agent.ui.questions import PATIENCE_S
from media_check.errand import Company
from processes import aside
from reports.record import Level, SelfTest

if TYPE_CHECKING:
    from agent.reporting import Report
    from agent.ui.state import Answer

DRAW_EACH_S = 0.1
BUSY = "another self-test goes on on this computer just now; try again in a minute"
NOBODY = "nobody has answered for ten minutes; start it again when somebody is there"
NOT_BEGUN = "a guided self-test ended without an answer"


def _whole(options: Options) -> None:
    """A guided self-test goes through every step. UsageError names the option that would leave some out."""
    parts = options.probes != probes_of((), ()) or options.checks != checks_of((), ())
    refused = {
        "--only, --skip and --no-devices": parts,
        "--quiet": options.quiet,
        "--deep": options.deep,
        "--raw": options.raw is not None,
        "--isochronous-ms": options.isochronous_ms is not None,
    }
    for option, given in refused.items():
        if given:
            raise UsageError(f"--guided goes through every step, as a person would: leave out {option}")


def run(options: Options, *, as_json: bool, addresses: bool, report: Report | None = None) -> Level:
    """The last verdict's level; UsageError where nobody can answer, or when it could not begin."""
    _whole(options)
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr)):
        raise UsageError("--guided asks questions: start it in a terminal, without redirecting its input or errors")
    receipt.check_files(options)
    folder, terminals = state_folder(), [stream for stream in (sys.stdout, sys.stderr) if stream.isatty()]
    on_stdout = not as_json and sys.stdout in terminals
    try:
        with turn.in_person(folder) as patience, ExitStack() as ours:
            if not ours.enter_context(turn.turn(folder, patience)):
                raise UsageError(BUSY)
            self_test, shown = aside.run(_guided(options, turn.Turns(folder, ours), on_stdout=on_stdout))
    except asyncio.CancelledError:  # the second interrupt
        raise KeyboardInterrupt from None
    forget_closed(terminals)
    return check.tell(
        self_test, options, as_json=as_json, addresses=addresses, report=report, shown=shown and on_stdout
    )


async def _guided(options: Options, turns: turn.Turns, *, on_stdout: bool) -> tuple[SelfTest, bool]:
    """The last self-test, and whether its answer has been shown. `on_stdout`: that is where it is shown."""
    from rich.console import Console

    transcript = Transcript(options.language)
    screen = Screen(transcript, Console(stderr=True, highlight=False))
    guide = Guide(options, transcript, screen, turns, on_stdout=on_stdout)
    with keys(guide.key, guide.stop):
        guide.on_interrupt()
        return await guide.lead(), guide.shown


class Guide:
    """Between the keys, the flow and the screen. `shown`: the answer of the last run is."""

    def __init__(
        self, options: Options, transcript: Transcript, screen: Screen, turns: turn.Turns, *, on_stdout: bool
    ) -> None:
        self._options, self._transcript, self._screen = options, transcript, screen
        self._turns, self._on_stdout, self.shown = turns, on_stdout, False
        self._company: asyncio.Future[Company] = asyncio.get_running_loop().create_future()
        self._offer = Offer(options.language, screen.say)
        self._flow = Flow(options, self._changed, self._heard, lambda _: None)
        self._drawing: asyncio.TimerHandle | None = None
        self._task = asyncio.current_task()
        self._stopping = False

    async def lead(self) -> SelfTest:
        """From the first question to the last answer."""
        try:
            self._screen.say(self._transcript.beginning(self._flow.state))
            company = await self._who()
            found = await self._run(lambda: self._flow.start(company), None)
            while (answer := self._whole_answer()) is not None:
                choice = await self._offer.choose(self._flow.state, answer)
                if choice.answer == "end":
                    break
                if self._turns.take():
                    found = await self._run(self._work(choice, answer, company), found)
                else:
                    self._screen.say([self._transcript.busy()])
            return found
        finally:
            self._close()
            await self._flow.close()

    def key(self, key: str) -> None:
        """One that means nothing here does nothing."""
        question = self._flow.state.question
        if not self._company.done():
            self._choose_company(key)
        elif self._offer.open:
            if (next_ := self._offer.key(key)) is not None:
                self._screen.say([self._transcript.answered(next_)])
        elif question is not None:
            offered = choices(question.kind, question.answers, self._options.language)
            chosen = next((choice for choice in offered if choice.key == key), None)
            if chosen is not None and self._flow.answer(question.number, chosen.answer):
                self._screen.say([self._transcript.answered(chosen)])
            elif key.isdecimal():
                self._other_device(int(key))

    def stop(self) -> None:
        """Once: it ends soon and what there is is shown. Twice, or before it began: it ends at once.

        After an answer it is how to end; that a closed window stops it twice takes nothing from that.
        """
        if self._offer.open:
            self._offer.end()
        elif not self._stopping and self._flow.state.phase == "running":
            self._stopping = True
            self._screen.say([self._transcript.stopping()])
            self._flow.stop()
        elif self._task is not None:
            self._task.cancel()

    def on_interrupt(self) -> None:
        """Also when the terminal is closed, or its user loses patience (SIGQUIT): its mode is restored."""
        loop = asyncio.get_running_loop()
        for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"):
            number = getattr(signal, name, None)
            if number is None:
                continue
            try:
                loop.add_signal_handler(number, self.stop)
            except (NotImplementedError, RuntimeError):  # Windows has no such handlers
                signal.signal(number, lambda *_: loop.call_soon_threadsafe(self.stop))

    # ---- a run, and what comes after its answer

    async def _run(self, work: Callable[[], Awaitable[None]], before: SelfTest | None) -> SelfTest:
        """The self-test that it makes; when it comes to no answer, that of `before`, or what had been found by then."""
        so_far = self._flow.so_far()
        try:
            await work()
        except UsageError:
            if before is None:
                raise
        finally:
            self._turns.end()
        self._draw()
        self._close()
        answer, found = self._whole_answer(), self._flow.self_test
        if answer is not None and found is not None:
            self._show(found, answer)
            return found
        if before is not None:
            self._screen.say([Said(""), self._transcript.stands()])
            return before
        if self._flow.state.trouble != "stopped":
            raise RuntimeError(NOT_BEGUN)
        self._screen.say([Said("")])
        return await so_far()

    def _whole_answer(self) -> Answer | None:
        """None: the last run was stopped, or broke."""
        return None if self._flow.state.trouble else self._flow.state.answer

    def _show(self, found: SelfTest, answer: Answer) -> None:
        self._screen.say([Said("")])
        check.show(found, self._options, on_stderr=not self._on_stdout)
        self._screen.say(self._transcript.handover(answer))
        self.shown = True

    def _work(self, choice: Choice, answer: Answer, company: Company) -> Callable[[], Awaitable[None]]:
        steps = steps_of(choice, answer)
        self._transcript.begins_again(steps)
        return self._flow.compare if choice.answer == "compare" else lambda: self._flow.start(company, only=steps)

    async def _who(self) -> Company:
        if self._options.company is not None:
            self._company.set_result(self._options.company)
            return self._options.company
        self._screen.say(self._transcript.company())
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await self._company
        except TimeoutError:
            raise UsageError(NOBODY) from None

    def _choose_company(self, key: str) -> None:
        offered = choices("company", COMPANIES, self._options.language)
        for company, choice in zip(COMPANIES, offered, strict=True):
            if choice.key == key:
                self._company.set_result(company)
                self._screen.say([self._transcript.answered(choice)])

    def _other_device(self, number: int) -> None:
        question = self._flow.state.question
        mine = devices(self._flow.state, question.step) if question else ()
        if 1 <= number <= len(mine):
            device = mine[number - 1]
            if self._flow.choose(device.kind, device.number):
                self._screen.say([self._transcript.answered(Choice("", "", device.name))])

    def _changed(self) -> None:
        """Drawn ten times a second at most, the last state always."""
        if self._drawing is None:
            self._drawing = asyncio.get_running_loop().call_later(DRAW_EACH_S, self._draw)

    def _heard(self, level: float) -> None:
        self._screen.level(level)
        self._changed()

    def _draw(self) -> None:
        self._drawing = None
        self._screen.show(self._flow.state)

    def _close(self) -> None:
        if self._drawing is not None:
            self._drawing.cancel()
            self._drawing = None
        self._screen.close()

"""`motesklar check --guided`: the staff page's flow in the terminal, then the table and the exit code of `check`."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from agent import check, receipt
from agent.guided_keys import keys
from agent.guided_screen import Screen
from agent.guided_words import COMPANIES, Choice, Said, Transcript, choices, devices
from agent.options import Options, UsageError, checks_of, probes_of
from agent.service import state
from agent.settings import state_folder
from agent.ui.flow import Flow
from media_check.errand import Company
from processes import aside
from reports.record import Level, SelfTest

if TYPE_CHECKING:
    from agent.reporting import Report

DRAW_EACH_S = 0.1
BUSY = "another self-test goes on on this computer just now; try again in a minute"


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
    """The verdict's level; UsageError where nobody can answer, or when it could not begin."""
    _whole(options)
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr)):
        raise UsageError("--guided asks questions: start it in a terminal, without redirecting its input or errors")
    receipt.check_files(options)
    try:
        with _alone():
            self_test, end = aside.run(_guided(options))
    except asyncio.CancelledError:  # the second interrupt
        raise KeyboardInterrupt from None
    level = check.tell(self_test, options, as_json=as_json, addresses=addresses, report=report)
    sys.stdout.flush()
    end()
    return level


@contextmanager
def _alone() -> Iterator[None]:
    """Not beside the staff page's or the background's test. A folder that cannot be used is no reason not to test."""
    with ExitStack() as stack:
        try:
            stack.enter_context(state.held(state_folder(), state.TEST_LOCK, BUSY))
        except state.HeldError as error:
            raise UsageError(str(error)) from None
        except state.StateError:
            pass
        yield


async def _guided(options: Options) -> tuple[SelfTest, Callable[[], None]]:
    """The whole flow. The second says what is to be said after the answer."""
    from rich.console import Console

    transcript = Transcript(options.language)
    guide = Guide(options, transcript, Screen(transcript, Console(stderr=True, highlight=False)))
    with keys(guide.key, guide.stop):
        guide.on_interrupt()
        return await guide.lead(), guide.hand_over


class Guide:
    """Between the keys, the flow and the screen."""

    def __init__(self, options: Options, transcript: Transcript, screen: Screen) -> None:
        self._options, self._transcript, self._screen = options, transcript, screen
        self._company: asyncio.Future[Company] = asyncio.get_running_loop().create_future()
        self._flow = Flow(options, self._changed, self._heard, lambda _: None)
        self._drawing: asyncio.TimerHandle | None = None
        self._task = asyncio.current_task()
        self._so_far: Callable[[], Awaitable[SelfTest]] | None = None  # once it is stopped

    async def lead(self) -> SelfTest:
        """From the first question to the answer."""
        try:
            self._screen.say(self._transcript.beginning(self._flow.state))
            await self._flow.start(await self._who())
            self._draw()
        finally:
            if self._drawing is not None:
                self._drawing.cancel()
            self._screen.close()
            await self._flow.close()
        self._screen.say([Said("")])
        return await self._found()

    def key(self, key: str) -> None:
        """One that means nothing here does nothing."""
        question = self._flow.state.question
        if not self._company.done():
            self._choose_company(key)
        elif question is not None:
            offered = choices(question.kind, question.answers, self._options.language)
            chosen = next((choice for choice in offered if choice.key == key), None)
            if chosen is not None and self._flow.answer(question.number, chosen.answer):
                self._screen.say([self._transcript.answered(chosen)])
            elif key.isdecimal():
                self._other_device(int(key))

    def stop(self) -> None:
        """Once: it ends soon and what there is is shown. Twice, or before it began: it ends at once."""
        if self._so_far is None and self._flow.state.phase == "running":
            self._screen.say([self._transcript.stopping()])
            self._so_far = self._flow.so_far()
            self._flow.stop()
        elif self._task is not None:
            self._task.cancel()

    def hand_over(self) -> None:
        """After the answer."""
        if (answer := self._flow.state.answer) is not None:
            self._screen.say(self._transcript.handover(answer))

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

    async def _who(self) -> Company:
        if self._options.company is not None:
            self._company.set_result(self._options.company)
        else:
            self._screen.say(self._transcript.company())
        return await self._company

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

    async def _found(self) -> SelfTest:
        if self._so_far is not None and self._flow.state.trouble == "stopped":
            return await self._so_far()
        if self._flow.self_test is None:
            raise RuntimeError("a guided self-test ended without an answer")
        return self._flow.self_test

"""`motesklar check`: run the self-test, show it live on stderr, and print the answer."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from agent import receipt, turn
from agent.options import Options, UsageError
from agent.selftest import Run
from agent.selftest import run as run_selftest
from agent.settings import state_folder
from probes.roundtrip import write_raw
from processes import aside
from reports.advice import text
from reports.record import Level, SelfTest

if TYPE_CHECKING:
    from agent.progress import Display
    from agent.reporting import Report


def run(options: Options, *, as_json: bool, addresses: bool, report: Report | None = None) -> Level:
    """The verdict's level; UsageError when the test could not begin. `report` hands the self-test in."""
    _check_raw(options)
    receipt.check_files(options)
    display = _display(options, quiet=as_json and not sys.stderr.isatty())
    try:
        self_test, run_ = _in_turn(options, display)
    except asyncio.CancelledError:  # the second interrupt
        raise KeyboardInterrupt from None
    if options.raw is not None:
        write_raw(run_.traces, options.raw)
    return tell(self_test, options, as_json=as_json, addresses=addresses, report=report)


def _in_turn(options: Options, display: AbstractContextManager[Display | None]) -> tuple[SelfTest, Run]:
    """Not beside the background's test. Beside another person's it is made all the same, and says so."""
    folder = state_folder()
    with turn.in_person(folder) as patience, turn.turn(folder, patience) as alone:
        if not alone:
            print(f"motesklar: {text('progress.another', options.language)}", file=sys.stderr, flush=True)
        self_test, run_ = aside.run(_run(options, display))
    return (self_test if alone else turn.noted(self_test)), run_


def tell(
    self_test: SelfTest, options: Options, *, as_json: bool, addresses: bool, report: Report | None, shown: bool = False
) -> Level:
    """Print the answer, write the receipts, hand it in; the verdict's level. `shown`: it has been printed."""
    if as_json:
        from reports.serial import to_json

        print(json.dumps(to_json(self_test, addresses=addresses), ensure_ascii=False, allow_nan=False))
    elif not shown:
        show(self_test, options)
    receipt.write(self_test, options)
    if report is not None:
        report(self_test)
    return self_test.verdict.level


def _check_raw(options: Options) -> None:
    """Better to hear that a file cannot be written before the test than after it."""
    if options.raw is not None:
        try:
            options.raw.open("w").close()
        except OSError as error:
            raise UsageError(f"--raw: cannot write {options.raw}: {error.strerror}") from None


def _display(options: Options, *, quiet: bool) -> AbstractContextManager[Display | None]:
    if quiet:
        return nullcontext()
    from agent.progress import Display

    return Display(options)


async def _run(options: Options, display: AbstractContextManager[Display | None]) -> tuple[SelfTest, Run]:
    run_ = Run(options)
    loop = asyncio.get_running_loop()
    on_interrupt(loop, run_, asyncio.current_task())
    with display as shown:
        if shown is not None:
            run_.progress, run_.found, run_.began, run_.step = shown.progress, shown.found, shown.began, shown.step
        return await run_selftest(run_), run_


def on_interrupt(loop: asyncio.AbstractEventLoop, run_: Run, task: asyncio.Task[object] | None) -> None:
    """The first interrupt ends the measuring and shows what there is; the second ends the program."""

    def interrupt() -> None:
        if run_.stop.is_set() and task is not None:
            task.cancel()
        run_.stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, interrupt)
        except (NotImplementedError, RuntimeError):  # Windows has no such handlers
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(interrupt))


def show(self_test: SelfTest, options: Options, *, on_stderr: bool = False) -> None:
    """The table, for a person."""
    from rich.console import Console

    from reports.table import render

    render(self_test, options.language, Console(stderr=on_stderr))

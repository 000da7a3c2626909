"""The agent as a process: its lock, its signals, its end."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from agent.service import state
from agent.service.service import Agent, say
from agent.settings import SettingsError, load, state_folder
from processes import child


def run(path: Path | None) -> None:
    """Until SIGTERM or SIGINT. SettingsError when it cannot begin.

    Reading the command line has brought packages that would stay in memory for months: this process becomes a new one.
    """
    load(path)
    if sys.platform == "win32":  # there it would be another process, and the manager of services would lose it
        serve(path)
    else:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until there is somebody to hear it: it would end the process
        named = [] if path is None else [str(path)]
        sys.stderr.flush()
        os.execve(sys.executable, [*child.command("agent.service"), *named], child.environment())  # noqa: S606


def serve(path: Path | None) -> None:
    """The same, in this process."""
    settings, folder = load(path), state_folder()
    try:
        with state.held(folder):
            asyncio.run(_serve(Agent(settings, path, folder, _version())))
    except state.StateError as error:
        raise SettingsError(str(error)) from None


async def _serve(agent: Agent) -> None:
    loop = asyncio.get_running_loop()
    meant = {"SIGTERM": agent.stop, "SIGINT": agent.stop, "SIGBREAK": agent.stop, "SIGHUP": agent.reload}
    for name, event in meant.items():
        if (number := getattr(signal, name, None)) is not None:  # Windows has no SIGHUP, others no SIGBREAK
            _on(loop, number, event.set)
    await agent.run()
    say("stopped")


def _on(loop: asyncio.AbstractEventLoop, number: signal.Signals, act: Callable[[], None]) -> None:
    try:
        loop.add_signal_handler(number, act)
    except NotImplementedError:  # Windows
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(act))


def _version() -> str:
    """As the self-test's own_version, whose module would bring all that a test needs."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("motesklar")
    except PackageNotFoundError:
        return "0+source"

"""`motesklar ui`: the staff page as a program: its lock, the browser, its signals, its end.

One at a time for each user. Whoever starts another gets the page of the one that runs: a token for it is left in the
state folder, where only the same user can leave one, so that no request opens anything and no secret is handed about.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.options import Options, UsageError
from agent.service import state as kept
from agent.ui import browser, guard
from agent.ui.running import HandIn, Make, say, say_defect, show
from agent.ui.server import Page
from processes import aside
from processes.tasks import end
from reports.advice import Lang, text

if TYPE_CHECKING:
    from agent.ui.life import Limits

PORT = "ui.port"  # in the state folder: of the one that runs
PATIENCE_S = 15.0  # with another one that is just starting, on a slow computer, or ending
END_S, HURRY_S = 2.5, 0.5  # after a signal, and after the second: then by force
STOPPED = 130  # the exit code
_TRY_S, _CONNECT_S, _KILLED_S = 0.2, 1.0, 0.5


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks for. `port` 0: any. `limits` None: the usual ones."""

    options: Options
    port: int = 0
    browser: bool = True
    hand_in: HandIn | None = None
    limits: Limits | None = None


def run(asked: Asked, folder: Path, make: Make | None = None) -> None:
    """Until it is told to stop, or nobody needs it any longer. Raises UsageError; KeyboardInterrupt when told twice."""
    if not 0 <= asked.port <= 65535:
        raise UsageError(f"--port must be between 0 and 65535, not {asked.port}")
    if make is None:
        from agent.ui.flow import Flow

        make = Flow
    ends = time.monotonic() + PATIENCE_S
    while True:
        try:
            with _alone(folder) as usable:
                return _until_its_end(asked, usable, make)
        except kept.HeldError:
            if aside.run(_join(asked, folder)):
                return None
        if time.monotonic() >= ends:
            raise UsageError("the page runs already, and does not answer; end that program, and start again")
        time.sleep(_TRY_S)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[Path | None]:
    """Gives the folder; None when it cannot be used, which is no reason not to test. Raises HeldError."""
    with contextlib.ExitStack() as stack:
        usable: Path | None = folder
        try:
            stack.enter_context(kept.held(folder, kept.PAGE_LOCK, "the page of this user runs already"))
            _forget(folder)
        except kept.HeldError:
            raise
        except kept.StateError as error:
            say(str(error))
            usable = None
        yield usable


async def _serve(asked: Asked, folder: Path | None, make: Make) -> bool:
    """False: it was told twice to end."""
    asyncio.get_running_loop().set_exception_handler(_unraised)
    stop, hurry = asyncio.Event(), asyncio.Event()
    _on_signals(stop, hurry)
    serving = asyncio.create_task(_served(asked, folder, make, stop))
    hurrying = asyncio.create_task(hurry.wait())
    await asyncio.wait((serving, hurrying), return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        await end(hurrying)
        serving.result()
        return True
    await end(serving)
    return False


def _until_its_end(asked: Asked, folder: Path | None, make: Make) -> None:
    try:
        in_peace = aside.run(_serve(asked, folder, make))
    finally:
        _end_children()
    if not in_peace:
        raise KeyboardInterrupt


async def _served(asked: Asked, folder: Path | None, make: Make, stop: asyncio.Event) -> None:
    page = Page(asked.options, make, folder=folder, port=asked.port, limits=asked.limits, hand_in=asked.hand_in)
    async with contextlib.AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(page)
        except OSError as error:
            where = f"{guard.HOST}:{asked.port}"
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise UsageError(f"--port: cannot listen on {where}: {reason}; choose another") from None
        stack.enter_context(_noted(folder, page.port))
        url, lang = page.opening(), asked.options.language
        show(text("ui.open", lang), url, text("ui.ends", lang))
        showing = asyncio.create_task(_shown(url, asked, lang))
        stack.push_async_callback(end, showing)
        await page.until(stop)
    show(text("ui.ended", lang))


async def _shown(url: str, asked: Asked, lang: Lang) -> None:
    if asked.browser and not await browser.show(url):
        show(text("ui.no_browser", lang))


@contextlib.contextmanager
def _noted(folder: Path | None, port: int) -> Iterator[None]:
    """The port, for those who start another."""
    if folder is None:
        yield
        return
    try:
        with contextlib.suppress(OSError):
            (folder / PORT).write_text(str(port), "ascii")
        yield
    finally:
        _forget(folder)


def _forget(folder: Path) -> None:
    """Also what one has left that was killed: its port is anybody's by now."""
    with contextlib.suppress(OSError):
        (folder / PORT).unlink(missing_ok=True)
        guard.forget_requests(folder)


async def _join(asked: Asked, folder: Path) -> bool:
    """Open the page of the one that runs. False: it does not answer just now."""
    try:
        port = int((folder / PORT).read_text("ascii"))
        async with asyncio.timeout(_CONNECT_S):
            _, writer = await asyncio.open_connection(guard.HOST, port)
        writer.close()
        url = guard.address(port, guard.leave_request(folder))
    except (OSError, ValueError, OverflowError, TimeoutError):
        return False
    lang = asked.options.language
    show(text("ui.joined", lang), url)
    await _shown(url, asked, lang)
    return True


def _on_signals(stop: asyncio.Event, hurry: asyncio.Event) -> None:
    """The first ends it in peace, the second at once. SIGHUP: its terminal is gone. SIGBREAK is Windows's."""
    loop = asyncio.get_running_loop()

    def act() -> None:
        if stop.is_set():
            hurry.set()
        stop.set()
        force = threading.Timer(HURRY_S if hurry.is_set() else END_S, _leave)
        force.daemon = True
        force.start()

    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
        number = getattr(signal, name, None)
        if number is None or (name == "SIGHUP" and signal.getsignal(number) is signal.SIG_IGN):  # by nohup
            continue
        try:
            loop.add_signal_handler(number, act)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(act))


def _unraised(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What nobody waits for. That the system refuses something, a file for a connection say, is no defect of ours."""
    error = context.get("exception")
    if error is not None and not isinstance(error, OSError):
        say_defect(error)


def _leave() -> None:
    """The loop waits for every task at its end, and one may take its time."""
    _end_children()
    os._exit(STOPPED)


def _end_children() -> None:
    """The last resort: all have ended by themselves. The browser is a child of nobody here."""
    import psutil

    left = psutil.Process().children(recursive=True)
    for process in left:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(left, timeout=_KILLED_S)

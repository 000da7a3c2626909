"""One key at a time from the terminal, without Enter and without an echo; the terminal is as before afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from agent.streams import to_nobody

if TYPE_CHECKING:
    from types import ModuleType

Pressed = Callable[[str], None]
INTERRUPT, ESCAPE = "\x03", "\x1b"
_FOLLOWED = ("\x00", "\xe0")  # Windows: an arrow or function key, which a second character tells
LOOK_EACH_S = 0.05
_NO_CHARACTER = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|O.|[^\[O\x1b])")  # an arrow or function key; Alt with another
ESCAPE_S = 0.03  # the rest of an arrow key may come so much later than its first character


def keys(pressed: Pressed, gone: Callable[[], None]) -> AbstractContextManager[None]:
    """While the block lasts, `pressed` gets each character, in lower case; `gone`: the terminal has been closed.

    Both are called in the running event loop. Arrow and function keys are not characters; Esc alone is ESCAPE.
    """
    if sys.platform == "win32":
        import msvcrt

        return windows(pressed, gone, msvcrt)
    return _posix(pressed, gone)


def forget_closed(streams: Iterable[TextIO]) -> None:
    """Of these, which were terminals: what is still said to one that has been closed meanwhile is said to nobody."""
    for stream in streams:
        if not stream.isatty():
            to_nobody(stream.fileno())


@contextmanager
def _posix(pressed: Pressed, gone: Callable[[], None]) -> Iterator[None]:
    """Ctrl+C stays a signal. Ctrl+Z gives the shell its terminal back, and takes it again when it goes on."""
    import termios
    import tty

    loop, terminal = asyncio.get_running_loop(), sys.stdin.fileno()
    before = termios.tcgetattr(terminal)

    def read() -> None:
        try:
            typed = os.read(terminal, 64)
            if typed == ESCAPE.encode() and select.select([terminal], [], [], ESCAPE_S)[0]:
                typed += os.read(terminal, 64)
        except OSError:
            typed = b""
        if not typed:
            loop.remove_reader(terminal)
            return gone()
        return press(typed.decode("utf-8", "ignore"), pressed)

    def restore() -> None:
        with contextlib.suppress(termios.error):  # the terminal has been closed
            termios.tcsetattr(terminal, termios.TCSADRAIN, before)

    def suspend() -> None:
        restore()
        os.kill(os.getpid(), signal.SIGSTOP)
        tty.setcbreak(terminal)

    tty.setcbreak(terminal)
    loop.add_reader(terminal, read)
    loop.add_signal_handler(signal.SIGTSTP, suspend)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGTSTP)
        loop.remove_reader(terminal)
        restore()


def press(typed: str, pressed: Pressed) -> None:
    """Each character of what came at once."""
    for key in _NO_CHARACTER.sub("", typed).lower():
        pressed(key)


@contextmanager
def windows(pressed: Pressed, gone: Callable[[], None], msvcrt: ModuleType | Any) -> Iterator[None]:
    """A console has no file that the event loop could wait for: a thread looks. Its mode is never changed."""
    loop, end = asyncio.get_running_loop(), threading.Event()

    def look() -> None:
        while not end.is_set():
            if not msvcrt.kbhit():
                time.sleep(LOOK_EACH_S)
                continue
            key = msvcrt.getwch()
            if key in _FOLLOWED:
                msvcrt.getwch()
            elif key == INTERRUPT:  # while a key is fetched, Ctrl+C is a character
                signal.raise_signal(signal.SIGINT)
            else:
                loop.call_soon_threadsafe(press, key, pressed)

    def work() -> None:
        try:
            look()
        except OSError:
            loop.call_soon_threadsafe(gone)
        except RuntimeError:  # the loop has ended
            pass

    thread = threading.Thread(target=work, daemon=True, name="keys")
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join(1.0)

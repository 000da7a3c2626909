"""The real program in a terminal of its own: what it shows, keys that are pressed, and how it leaves the terminal."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from fcntl import ioctl
from pathlib import Path
from struct import pack
from typing import Any

from tests.agent.program import environment

_MOVES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


@dataclass(slots=True)
class Terminal:
    """`shown`: everything so far, without the codes that move and colour. `mode`: the terminal's, as it was before."""

    process: subprocess.Popen[str]
    ours: int
    theirs: int
    mode: list[object]
    raw: str = ""
    answer: str = ""
    _seen: int = field(default=0)

    @property
    def shown(self) -> str:
        return _MOVES.sub("", self.raw)

    def wait_for(self, words: str, seconds: float = 20.0) -> None:
        """Until the words are shown, after those that were waited for before."""
        until = time.monotonic() + seconds
        while (at := self.shown.find(words, self._seen)) < 0:
            assert time.monotonic() < until, f"{words!r} is not shown:\n{self.shown}"
            assert self._read(0.1) or self.process.poll() is None, f"it has ended without {words!r}:\n{self.shown}"
        self._seen = at + len(words)

    def press(self, keys: str) -> None:
        os.write(self.ours, keys.encode())

    def interrupt(self) -> None:
        """As Ctrl+C does: the terminal itself makes the signal."""
        self.press("\x03")

    def end(self, seconds: float = 20.0) -> int:
        """Its exit code, once it has ended; `answer` is its standard output then."""
        until = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < until, f"it does not end:\n{self.shown}"
            self._read(0.1)
        while self._read(0.05):
            pass
        assert "Traceback" not in self.raw
        if self.process.stdout is not None:
            self.answer = self.process.stdout.read()
        return self.process.returncode

    def close(self) -> None:
        """As when its window is closed."""
        os.close(self.ours)
        self.ours = -1

    def is_as_before(self) -> bool:
        """Echo, whole lines, and everything else of its mode."""
        return termios.tcgetattr(self.theirs) == self.mode

    def _read(self, seconds: float) -> bool:
        if not select.select([self.ours], [], [], seconds)[0]:
            return False
        with contextlib.suppress(OSError):
            self.raw += os.read(self.ours, 65536).decode("utf-8", "replace")
            return True
        return False


@contextlib.contextmanager
def terminal(
    home: Path, *arguments: object, redirected: bool = False, module: str = "agent", **more: str
) -> Iterator[Terminal]:
    """`motesklar ARGUMENTS`, 100 columns wide. `redirected`: its standard output goes to `answer`."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, pack("HHHH", 40, 100, 0, 0))
    mode = termios.tcgetattr(theirs)
    kept = {name: value for name, value in os.environ.items() if name.startswith("PULSE_")}
    process = subprocess.Popen(
        [sys.executable, "-m", module, *map(str, arguments)],
        env=environment(home, TERM="xterm", **kept, **more), cwd=home, text=True,
        stdin=theirs, stdout=subprocess.PIPE if redirected else theirs, stderr=theirs,
        start_new_session=True, preexec_fn=lambda: ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    made = Terminal(process, ours, theirs, mode)
    try:
        yield made
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        if made.ours >= 0:
            os.close(ours)
        os.close(theirs)


def quick(
    home: Path, world: dict[str, Any], *more: object, redirected: bool = False
) -> contextlib.AbstractContextManager[Terminal]:
    """`check --guided` in English, for one who sits alone, in the world that tests.agent.guided_program makes of it."""
    asked = ("check", "--guided", "--alone", "--lang", "en", "--room", "https://room.example:8443", *more)
    module = "tests.agent.guided_program"
    return terminal(home, *asked, redirected=redirected, module=module, MOTESKLAR_TEST_WORLD=json.dumps(world))

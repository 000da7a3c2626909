"""For how long the page's program lives, and a run without a page. Pure: the clock is the caller's, in seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Limits:
    """`unopened_s`: until a page is there at all. `gone_s`: after the last one went. `run_gone_s`: a run without one.
    `unused_s`: a page is there, and nobody has asked for anything."""

    unopened_s: float = 600.0
    gone_s: float = 60.0
    run_gone_s: float = 15.0
    unused_s: float = 4 * 3600.0


class Life:
    """Counts the pages that listen."""

    def __init__(self, limits: Limits, now: float) -> None:
        self._limits = limits
        self._since = self._used = now
        self._opened = False
        self.pages = 0

    def came(self, now: float) -> None:
        """A page listens."""
        self.pages += 1
        self._opened = True
        self._used = now

    def went(self, now: float) -> None:
        """It does not any longer."""
        self.pages -= 1
        self._since = now

    def used(self, now: float) -> None:
        """Somebody asked for something, or a run goes on."""
        self._used = now

    def due(self, now: float, *, running: bool) -> Literal["stop", "end"] | None:
        """What must end: the run, or the program."""
        if self.pages:
            return "end" if not running and now - self._used >= self._limits.unused_s else None
        alone = now - self._since
        if running and alone >= self._limits.run_gone_s:
            return "stop"
        most = self._limits.gone_s if self._opened else self._limits.unopened_s
        return "end" if not running and alone >= most else None

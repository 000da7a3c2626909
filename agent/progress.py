"""What a person sees while the test runs: on stderr, a bar for each link where there is a terminal, else lines."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from agent.options import Options
from probes.session import Progress
from reports.advice import text
from reports.record import Link

if TYPE_CHECKING:
    from rich.progress import Progress as Bars


class Display:
    """A context manager with the two callbacks of a Run."""

    def __init__(self, options: Options) -> None:
        self._language = options.language
        self._embedded = options.only_this_computer
        self._bars: Bars | None = None
        self._tasks: dict[str, int] = {}

    def __enter__(self) -> Display:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def found(self, links: Sequence[Link], chosen: Sequence[Link]) -> None:
        """Say first which links there are and which are tested."""
        tested = {link.name for link in chosen}
        for link in links:
            if link.kind != "other" or link.name in tested:
                self._say(self._line(link, link.name in tested and not self._embedded))
        if self._embedded:
            self._say(self._text("progress.embedded"))
        elif not chosen:
            self._say(self._text("progress.none"))
        if sys.stderr.isatty():
            self._start_bars()

    def _line(self, link: Link, tested: bool) -> str:
        state = "progress.tested" if tested else "progress.connected" if link.usable else "progress.not_connected"
        return f"{link.name}: {self._text('kind.' + link.kind)}, {self._text(state)}"

    def progress(self, progress: Progress) -> None:
        """Move a link's bar."""
        if self._bars is None:
            return
        if progress.link not in self._tasks:
            self._tasks[progress.link] = self._bars.add_task(progress.link, total=1.0)
        self._bars.update(self._tasks[progress.link], completed=progress.fraction)  # type: ignore[arg-type]

    def _start_bars(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bars

        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        self._bars = Bars(*columns, console=Console(stderr=True), transient=True, refresh_per_second=4)
        self._bars.start()

    def _text(self, msgid: str) -> str:
        return text(msgid, self._language)

    def _say(self, line: str) -> None:
        print(line, file=sys.stderr, flush=True)

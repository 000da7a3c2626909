"""What a person sees while the test runs: on stderr, a bar for each link where there is a terminal, else lines."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from agent.options import Options
from media_check.errand import Step
from probes import PROBES
from probes.session import Progress
from reports.advice import ids, text
from reports.record import Link

if TYPE_CHECKING:
    from rich.progress import Progress as Bars


_ENOUGH_SENT = 80  # packets of a meeting's first second: from then on it is worth saying what came back


class Display:
    """A context manager with the three callbacks of a Run."""

    def __init__(self, options: Options) -> None:
        self._language = options.language
        self._embedded = options.only_this_computer
        self._bars: Bars | None = None
        self._tasks: dict[str, int] = {}
        self._told: set[str] = set()

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

    def began(self, probe: str) -> None:
        """Say what is tested now; the first seconds' probes need no words, their bar moves."""
        if PROBES[probe].stage == "alone":
            what = self._text(f"probe.{probe}") if probe in ids("probe") else probe
            self._say(self._text("progress.began", what=what))
        if probe in ids("notice"):
            self._say(self._text(f"notice.{probe}"))

    def step(self, step: Step) -> None:
        """Say once which device is tested."""
        if step.check not in self._told:
            self._told.add(step.check)
            self._say(self._text("progress.began", what=self._text(f"probe.{step.check}")))

    def _so_far(self, progress: Progress) -> None:
        """The first useful result, about a second after the first packet."""
        if progress.link in self._told or progress.sent < _ENOUGH_SENT:
            return
        self._told.add(progress.link)
        msgid = "progress.answers" if progress.received else "progress.silent"
        self._say(self._text(msgid, link=progress.link, received=progress.received, sent=progress.sent))

    def progress(self, progress: Progress) -> None:
        """Move a link's bar; once, say how it goes."""
        self._so_far(progress)
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

    def _text(self, msgid: str, **params: str | float) -> str:
        return text(msgid, self._language, **params)

    def _say(self, line: str) -> None:
        if self._bars is not None:
            self._bars.console.print(line, markup=False, highlight=False)
        else:
            print(line, file=sys.stderr, flush=True)

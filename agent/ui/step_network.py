"""The connection and the way into the meeting: one run of the network's part, shown as its probes end.

Both are measured in the same run, because their quiet probes share the same seconds: `connection` shows what the test
room saw, `joining` the way to the meeting service and the call. Of a network that is not there both say so.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from agent import selftest
from agent.options import UsageError
from agent.selftest import Networked, in_use, measurements_of
from agent.stages import ALONE_DEEP_S, ALONE_S, BEYOND_S, applies
from agent.ui.concerned import step_of
from agent.ui.step_results import level_of, of_network, parted, results, says, tried, wrong
from agent.ui.step_shared import Talk, sound
from probes import PROBES
from processes import tasks
from reports.draft import Draft
from reports.record import Failure, Link, Measurement
from reports.verdict import level_of as verdict_level

if TYPE_CHECKING:
    from agent.options import Options
    from agent.ui.state import Result, StepName
    from probes.roundtrip import Trace
    from probes.session import Progress
    from reports.findings import Judged
    from reports.record import Level

BOTH: tuple[StepName, ...] = ("connection", "joining")
TICK_S = 0.25
NEARLY = 0.97  # it is not done before it is done
ENOUGH_SENT = 80  # packets of a meeting's first second: from then on it is worth saying what came back
BESIDE_S = 15.0  # for all that is neither a probe alone nor the quiet ones


class Network:
    """One run. `steps`: those that are done again; of the others `kept` is what was known. `traces`: as in Run."""

    def __init__(self, talk: Talk, steps: Collection[StepName], kept: Networked | None, *, all_links: bool) -> None:
        self._talk, self._steps, self._kept = talk, [name for name in BOTH if name in steps], kept
        probes = tuple(name for name in talk.options.probes if step_of(name) in steps)
        self._options: Options = replace(talk.options, probes=probes, all_links=all_links or talk.options.all_links)
        self._links: tuple[Link, ...] = ()
        self._chosen: tuple[Link, ...] | None = None  # None: the links have not been looked for yet
        self._drafts: list[Draft] = []
        self._begun: dict[StepName, float] = {}
        self._left = {name for name in probes if step_of(name) == "joining" and applies(self._options, name)}
        self.traces: dict[str, Trace] = {}

    async def run(self) -> Networked | None:
        """All that is known of the network then. None: not even its links could be listed (a defect)."""
        self._begins(self._steps[0])
        ticking = asyncio.create_task(self._tick())
        try:
            networked = self._with_kept(await self._measured())
        finally:
            await tasks.end(ticking)
        self._finish(networked)
        return networked

    async def _measured(self) -> Networked | None:
        run_ = selftest.Run(
            self._options, self._talk.stop, self._progress, self._found, self._began, self._ended, traces=self.traces
        )
        try:
            async with asyncio.timeout(self._patience()):
                return await selftest.network(run_)
        except TimeoutError:
            return self._saved("timeout")
        except UsageError:  # a link that is asked for is not there
            return self._saved("link_vanished")
        except Exception as defect:  # noqa: BLE001 - it costs its own step; what was measured before it stands
            return self._saved("probe_broken", type(defect).__name__)

    def _patience(self) -> float:
        """Beyond every deadline of the probes themselves."""
        alone = sum(PROBES[name].stage == "alone" for name in self._options.probes)
        each = ALONE_DEEP_S if self._options.deep else ALONE_S
        links = len(self._talk.board.state.links) if self._options.all_links else 1
        return self._options.seconds + BEYOND_S + BESIDE_S + alone * each * max(1, links)

    def _saved(self, code: str, detail: str = "") -> Networked | None:
        """What was measured before the run broke, and that it broke."""
        if self._chosen is None:
            return None
        subject = in_use(self._chosen) or "computer"
        broken = Measurement("echo", subject, time.time(), 0.0, failure=Failure("echo", code, detail))
        measurements = [m for m in measurements_of(self._drafts) if m.name != "echo" or m.subject != subject]
        return Networked(self._links, self._chosen, (*measurements, broken))

    def _with_kept(self, networked: Networked | None) -> Networked | None:
        """With what is known of the step that was not done again."""
        if networked is None or self._kept is None or len(self._steps) == len(BOTH):
            return networked
        kept = [m for m in self._kept.measurements if step_of(m.name) not in self._steps]
        comparison = networked.comparison if "connection" in self._steps else self._kept.comparison
        return replace(networked, measurements=(*kept, *networked.measurements), comparison=comparison)

    # ---- as it goes on

    def _begins(self, name: StepName, what: str = "measuring") -> None:
        if name in self._steps and name not in self._begun:
            self._begun[name] = time.monotonic()
            self._talk.board.begins(name, what)

    def _found(self, links: Sequence[Link], chosen: Sequence[Link]) -> None:
        self._links, self._chosen = tuple(links), tuple(chosen)
        show_links(self._talk, links, chosen)
        if "joining" in self._steps and not (self._left and chosen):
            self._no_way()

    def _began(self, probe: str) -> None:
        step = step_of(probe)
        quiet = step == "connection" and PROBES[probe].stage == "quiet"
        self._begins(step, "measuring" if quiet else probe)
        if not quiet and self._talk.board.state.step(step).doing == "running":
            self._talk.board.step(step, what=probe)

    def _progress(self, progress: Progress) -> None:
        """The first useful result of the room, about a second after the first packet."""
        if progress.sent < ENOUGH_SENT or "connection" not in self._begun:
            return
        if not any(step_of(draft.name) == "connection" for draft in self._drafts):
            self._so_far("connection", (says(None, "ui.room_answers" if progress.received else "ui.room_silent"),))

    def _ended(self, draft: Draft) -> None:
        """A probe has ended: what it found is shown, and the join path when it is complete."""
        self._drafts.append(sound(draft))
        self._left.discard(draft.name)
        chosen = self._chosen or ()
        networked = Networked(self._links, chosen, measurements_of(self._drafts))
        connection, joining = parted(
            self._options.policy, networked.measurements, of_network(self._options, networked, whole=False)
        )
        self._so_far("connection", wrong(connection))
        self._so_far("joining", wrong(joining))
        if "joining" in self._begun and not self._left and len(chosen) < 2:
            self._ends("joining", level_of(joining, strict=False), joining)

    def _ends(self, name: StepName, level: Level, found: Sequence[Judged]) -> None:
        level = tried(level, found, name)
        self._talk.board.ends(name, level, results(found, level, name))

    def _so_far(self, name: StepName, told: tuple[Result, ...]) -> None:
        """What is known already. That all is well is not known before all has been measured."""
        if told and name in self._begun and told != self._talk.board.state.step(name).results:
            self._talk.board.step(name, results=told)

    async def _tick(self) -> None:
        """How much of the usual time has gone."""
        while True:
            await asyncio.sleep(TICK_S)
            for name, begun in self._begun.items():
                step = self._talk.board.state.step(name)
                if step.doing == "running":
                    past = (time.monotonic() - begun) / max(step.seconds, TICK_S)
                    self._talk.board.step(name, fraction=min(NEARLY, past))

    # ---- at its end

    def _finish(self, networked: Networked | None) -> None:
        if self._talk.stop.is_set():
            return
        if networked is None:
            for name in self._steps:
                self._talk.board.ends(name, "unknown", (says("unknown", "failure.probe_broken"),))
            return
        found = of_network(self._options, networked, whole=True)
        connection, joining = parted(self._options.policy, networked.measurements, found)
        if "connection" in self._steps:
            self._ends("connection", verdict_level(connection, self._options.only_this_computer), connection)
        if "joining" in self._steps:
            self._end_joining(networked, joining)

    def _end_joining(self, networked: Networked, joining: Sequence[Judged]) -> None:
        if any(step_of(m.name) == "joining" for m in networked.measurements):
            self._ends("joining", level_of(joining, strict=False), joining)
        else:
            self._no_way()

    def _no_way(self) -> None:
        """Without a link there is no way to try; without a room and a service, none that is tried."""
        level: Level | None = None if self._chosen else "unknown"
        says_why = "ui.joining_not_set_up" if self._chosen else "means.link"
        self._talk.board.ends("joining", level, (says(level, says_why),))


def show_links(talk: Talk, links: Sequence[Link], chosen: Sequence[Link]) -> None:
    """In plain words, as soon as they are known. Links that cannot be put into words are not shown."""
    from agent.ui.links_shown import links_shown

    with contextlib.suppress(Exception):  # it is a picture of the links only
        names = {link.name for link in chosen}
        talk.board.touch(links=links_shown(links, names, (), talk.options.policy))

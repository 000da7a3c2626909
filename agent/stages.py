"""The stages of a self-test: the quiet probes together in the same seconds, then each that fills a link by itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from agent.options import budget_bytes, frugal
from probes import PROBES, load
from probes.session import Draft, Place, Session, Start
from reports.record import Failure

if TYPE_CHECKING:
    from agent.selftest import Run
    from probes.room import Room
    from probes.session import Floor
    from reports.record import Link

BEYOND_S = 24.0  # what opening, late replies and the report may take at the most
ALONE_S, ALONE_DEEP_S = 30.0, 90.0


class Stages:
    """One self-test's probes on its links (`every`: all that are there). `measure()`: their drafts, as registered."""

    def __init__(
        self, run: Run, room: Room, links: Sequence[Link], floor: Floor | None, every: Sequence[Link] = ()
    ) -> None:
        self._run, self._room, self._links, self._floor, self._every = run, room, links, floor, tuple(every)
        self._moved: dict[str, float] = {}

    async def measure(self) -> list[Draft]:
        """Every probe that applies on every link."""
        names = [name for name in self._run.options.probes if self._applies(name)]
        quiet = await self._together([name for name in names if PROBES[name].stage == "quiet"])
        drafts = list(quiet)
        for name in names:
            for link in self._subjects(name) if PROBES[name].stage == "alone" else ():
                if not self._run.stop.is_set():
                    drafts.append(_hindered(name, link, quiet) or await self._one(name, link))
        return sorted(drafts, key=lambda draft: names.index(draft.name) if draft.name in names else len(names))

    def _applies(self, name: str) -> bool:
        options, entry = self._run.options, PROBES[name]
        return not options.only_this_computer or entry.within_computer or not entry.needs_room or name in options.named

    def _subjects(self, name: str) -> Sequence[Link | None]:
        """The links; None stands for this computer's own loopback, when the room is on this computer."""
        within = self._run.options.only_this_computer and PROBES[name].needs_room
        return [None] if within else self._links

    async def _together(self, names: Sequence[str]) -> list[Draft]:
        errands = [(name, link) for name in names for link in self._subjects(name)]
        start = Start(len(errands))
        sessions = [(name, self.session(name, link, Place(start))) for name, link in errands]
        for name in names:
            self._run.began(name)
        return list(await asyncio.gather(*(self._answer(name, session) for name, session in sessions)))

    async def _one(self, name: str, link: Link | None) -> Draft:
        self._run.began(name)
        return await self._answer(name, self.session(name, link, Place(Start())))

    async def _answer(self, name: str, session: Session) -> Draft:
        try:
            draft = await load(name)(session)
        finally:
            session.start.leave()
        moved = draft.facts.get("moved_bytes", 0)
        if isinstance(moved, int | float):
            self._moved[session.subject] = self._moved.get(session.subject, 0.0) + moved
        return draft

    def session(self, name: str, link: Link | None, start: Start | Place) -> Session:
        """The errand of one probe on one link, with its share of the data budget that is left there."""
        options, entry = self._run.options, PROBES[name]
        alone = ALONE_DEEP_S if options.deep else ALONE_S
        session = Session(
            link=link,
            room=self._room,
            seconds=options.seconds,
            deadline=time.monotonic() + (alone if entry.stage == "alone" else options.seconds + BEYOND_S),
            budget_bytes=0.0,
            stop=self._run.stop,
            start=start,
            traffic=options.policy.traffic,
            settled=options.policy.settled,
            frugal=frugal(options, link),
            named=name in options.named,
            deep=options.deep,
            isochronous_interval=options.isochronous_ms / 1000 if options.isochronous_ms else None,
            floor=self._floor,
            traces=self._run.traces,
            progress=self._run.progress,
            links=self._every,
        )
        left = budget_bytes(options, link) - self._moved.get(session.subject, 0.0)
        session.budget_bytes = max(0.0, left) * entry.share
        return session


def _hindered(name: str, link: Link | None, quiet: Sequence[Draft]) -> Draft | None:
    """A probe that need not wait for deadlines again: a quiet one found that the room or the link is not there."""
    subject = link.name if link else "loopback"
    for draft in quiet:
        failure = draft.failure
        if draft.subject == subject and failure is not None and failure.code.startswith(("room_", "link_")):
            return Draft(name, subject, time.time(), failure=Failure(name, failure.code, f"found by {draft.name}"))
    return None

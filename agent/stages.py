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
    from agent.options import Options
    from agent.selftest import Run
    from probes.room import Room
    from probes.session import Floor
    from reports.record import Link

BEYOND_S = 24.0  # what opening, late replies and the report may take at the most
ALONE_S, ALONE_DEEP_S = 30.0, 90.0
TOGETHER_S = 8.0  # Options.together: for each, whatever is broken
CLOSING_S = 0.5  # of these, for a probe to end what it began
NET_S = TOGETHER_S + 0.25  # one that has not ended by then is given up, with all that it saw


def applies(options: Options, name: str) -> bool:
    """Does this probe tell anything, with the room and the profile that there are?"""
    entry = PROBES[name]
    if not options.only_this_computer or entry.within_computer:
        return True
    if entry.needs_service:
        return options.profile.names_service
    return not entry.needs_room or name in options.named


class Stages:
    """One self-test's probes on its links (`every`: all that are there). `measure()`: their drafts, as registered."""

    def __init__(
        self, run: Run, room: Room, links: Sequence[Link], floor: Floor | None, every: Sequence[Link] = ()
    ) -> None:
        self._run, self._room, self._links, self._floor, self._every = run, room, links, floor, tuple(every)
        self._moved: dict[str, float] = {}

    async def measure(self) -> list[Draft]:
        """Every probe that applies on every link."""
        names = [name for name in self._run.options.probes if applies(self._run.options, name)]
        first = names if self._run.options.together else [name for name in names if PROBES[name].stage == "quiet"]
        quiet = await self._together(first)
        drafts = list(quiet)
        for name in [] if self._run.options.together else names:
            for link in self._subjects(name) if PROBES[name].stage == "alone" else ():
                if not self._run.stop.is_set():
                    drafts.append(_hindered(name, link, quiet) or await self._one(name, link))
        return sorted(drafts, key=lambda draft: names.index(draft.name) if draft.name in names else len(names))

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
            draft = await self._in_time(name, session)
        finally:
            session.start.leave()
        moved = draft.facts.get("moved_bytes", 0)
        if isinstance(moved, int | float):
            self._moved[session.subject] = self._moved.get(session.subject, 0.0) + moved
        self._run.measured(draft)
        return draft

    async def _in_time(self, name: str, session: Session) -> Draft:
        """A net beneath the probe's own deadlines, for a person who waits for the answer."""
        probe, begun = load(name), time.time()
        if not self._run.options.together:
            return await probe(session)
        try:
            async with asyncio.timeout(NET_S):
                return await probe(session)
        except TimeoutError:
            return Draft(name, session.subject, begun, NET_S, failure=Failure(name, "timeout", "it did not end"))

    def _patience(self, name: str) -> float:
        """Seconds until a probe must have ended."""
        options = self._run.options
        if options.together:
            return TOGETHER_S - CLOSING_S
        if PROBES[name].stage == "alone":
            return ALONE_DEEP_S if options.deep else ALONE_S
        return options.seconds + BEYOND_S

    def session(self, name: str, link: Link | None, start: Start | Place) -> Session:
        """The errand of one probe on one link, with its share of the data budget that is left there."""
        options, entry = self._run.options, PROBES[name]
        session = Session(
            link=link,
            room=self._room,
            seconds=options.seconds,
            deadline=time.monotonic() + self._patience(name),
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
            profile=options.profile,
        )
        left = budget_bytes(options, link) - self._moved.get(session.subject, 0.0)
        session.budget_bytes = max(0.0, left) * entry.share
        return session


def _hindered(name: str, link: Link | None, quiet: Sequence[Draft]) -> Draft | None:
    """A probe that need not wait for deadlines again: a quiet one found that the room or the link is not there."""
    subject = link.name if link else "loopback"
    for draft in quiet:
        failure = draft.failure
        if draft.name == "join" or draft.subject != subject:  # the way to the meeting service is not that to the room
            continue
        if failure is not None and failure.code.startswith(("room_", "link_")):
            return Draft(name, subject, time.time(), failure=Failure(name, failure.code, f"found by {draft.name}"))
    return None

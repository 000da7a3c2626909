"""join: the way into the meeting, step by step, and the first step that fails.

STEPS is the whole registry: a new step is one file with `async def step(errand)` and one line. Each becomes a
Measurement of its own, `join_NAME`. A step begins when those of `after` have ended, and is left out, with the reason,
when one of `needs` has failed. The whole takes at most WHOLE_S, whatever is broken.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module

from probes.dns import warm_up as warm_up_dns
from probes.join.errand import Errand, Found, NeedlessError
from probes.session import Draft, Failures, ProbeFailure, Session, measuring
from reports.record import Failure

WHOLE_S = 8.0
CLOSE_S = 0.5  # of these, for telling the room that its session is over
LEAST_S = 0.05  # a step that would have less is left out
HEAVY = ("aiohttp", "cryptography.x509", "truststore")  # which some steps import when they first need them
FAILURES: Failures = {}


@dataclass(frozen=True, slots=True)
class Step:
    """`late`: its failure when all of its `seconds` have passed, and "timeout" when it did not have them all: that says
    nothing. `explains`: later steps fail because of it.
    """

    module: str
    seconds: float
    late: str
    after: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    explains: bool = False


STEPS: dict[str, Step] = {
    "address": Step("probes.join.address", 0.6, "no_route", explains=True),
    "captive": Step("probes.join.captive", 2.5, "timeout", ("dns",), ("address",), explains=True),
    "proxy": Step("probes.join.proxy", 1.2, "proxy_unreachable", (), ("address",)),
    "dns": Step("probes.join.dns", 2.0, "dns_no_answer", ("proxy",), ("address",)),
    "tcp": Step("probes.join.tcp", 2.2, "tcp_timeout", (), ("dns", "proxy")),
    "tls": Step("probes.join.tls", 2.2, "tls_failed", (), ("tcp",)),
    "portal": Step("probes.join.portal", 5.0, "portal_silent", (), ("tls",)),
    "clock": Step("probes.join.clock", 0.1, "timeout", ("portal", "room"), ("address",)),
    "room": Step("probes.join.room", 3.0, "room_unreachable", (), ("address",)),
    "stun": Step("probes.join.stun", 2.0, "timeout", ("dns", "room"), ("address",)),
    "turn": Step("probes.join.turn", 3.0, "turn_unreachable", ("dns", "room"), ("address",)),
}


async def probe(session: Session) -> Draft:
    """Every step by this link; each a part of the draft. The facts say which failed, the first first."""
    await asyncio.to_thread(warm_up)
    session.start.leave()
    with measuring("join", session, FAILURES) as m:
        begun, path = time.monotonic(), Path(session)
        m.parts = await path.walk()
        m.values["join_seconds"] = time.monotonic() - begun
        m.facts["profile"] = session.profile.name
        failed = [part.failure.step for part in m.parts if part.failure]
        m.facts["steps"], m.facts["failed"] = tuple(p.name.removeprefix("join_") for p in m.parts), tuple(failed)
        if session.stop.is_set():
            raise ProbeFailure("interrupted")
    return m


def warm_up() -> None:
    """Pay for the imports before a step's time runs: one step's would be taken from all that go beside it."""
    for name in (*HEAVY, *(step.module for step in STEPS.values())):
        import_module(name)
    warm_up_dns()


class Path:
    """One walk along the steps. `walk()` may be called once."""

    def __init__(self, session: Session, steps: Mapping[str, Step] = STEPS) -> None:
        self._session, self._steps, self._found = session, steps, Found()
        self._until = 0.0
        self._ended = {name: asyncio.Event() for name in steps}
        self._drafts: dict[str, Draft] = {}
        self._failed: set[str] = set()

    async def walk(self) -> list[Draft]:
        """The drafts of the steps that had something to ask, in the order of the registry."""
        self._until = min(time.monotonic() + WHOLE_S - CLOSE_S, self._session.deadline)
        tasks = [asyncio.create_task(self._go(name)) for name in self._steps]
        stopper = asyncio.create_task(self._session.stop.wait())
        stopper.add_done_callback(lambda _: [task.cancel() for task in tasks])
        try:
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            stopper.cancel()
            await self._close()
        for error in ended:
            if isinstance(error, Exception):
                raise error
        self._explain()
        return [self._drafts[name] for name in self._steps if name in self._drafts]

    async def _go(self, name: str) -> None:
        step = self._steps[name]
        for other in dict.fromkeys((*step.after, *step.needs)):
            await self._ended[other].wait()
        draft = Draft(f"join_{name}", self._session.subject, time.time())
        begun = time.monotonic()
        try:
            if lacking := [other for other in step.needs if other in self._failed]:
                self._left_out(name, draft, f"{lacking[0]} failed")
            elif self._until - begun < LEAST_S:
                self._left_out(name, draft, "no time was left")
            else:
                await self._take(name, step, draft)
                self._drafts[name] = draft
        except NeedlessError:
            pass
        finally:
            draft.duration_s = time.monotonic() - begun
            self._ended[name].set()

    def _left_out(self, name: str, draft: Draft, because: str) -> None:
        draft.facts["not_tried"] = because
        self._failed.add(name)
        self._drafts[name] = draft

    async def _take(self, name: str, step: Step, draft: Draft) -> None:
        """One step within its time. What it raises but ProbeFailure and NeedlessError is a defect."""
        deadline = min(time.monotonic() + step.seconds, self._until)
        errand = Errand(name, self._session, self._found, deadline, draft)
        try:
            async with asyncio.timeout(errand.left):
                await import_module(step.module).step(errand)
        except ProbeFailure as failure:
            self._failed.add(name)
            draft.failure = Failure(name, failure.code, failure.detail)
        except TimeoutError:
            self._failed.add(name)
            whole = deadline < self._until
            draft.failure = Failure(name, step.late if whole else "timeout", "its time was over")

    def _explain(self) -> None:
        """What failed after a step that explains it is no fault of its own: it becomes a fact."""
        cause = next((n for n in self._steps if n in self._drafts and self._causes(n)), None)
        for name in list(self._steps)[list(self._steps).index(cause) + 1 :] if cause else []:
            draft = self._drafts.get(name)
            if draft is not None and draft.failure is not None:
                draft.facts["explained_by"], draft.facts["failed_as"] = str(cause), draft.failure.code
                draft.failure = None

    def _causes(self, name: str) -> bool:
        failure = self._drafts[name].failure
        return self._steps[name].explains and name in self._failed and failure is not None and failure.code != "timeout"

    async def _close(self) -> None:
        if self._found.room is not None:
            try:
                async with asyncio.timeout(CLOSE_S):
                    await self._found.room.close()
            except TimeoutError:
                return

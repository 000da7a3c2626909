"""Probes for the tests of the stages: they note when they ran, with what budget."""

from __future__ import annotations

import asyncio
import time

from probes.session import Draft, ProbeFailure, Session, measuring

RAN: list[tuple[str, str, float, float, float]] = []  # probe, subject, begun, ended, budget
MOVED = 0
FAILURES: dict[tuple[str, str], str] = {}  # (probe, subject) -> the code that it ends with


def probe_named(name: str, *, together: bool):
    async def probe(session: Session) -> Draft:
        with measuring(name, session, {}) as m:
            if together:
                await session.start.together()
            begun = time.monotonic()
            await asyncio.sleep(0.1)
            RAN.append((name, session.subject, begun, time.monotonic(), session.budget_bytes))
            m.facts["moved_bytes"] = MOVED
            if code := FAILURES.get((name, session.subject)):
                raise ProbeFailure(code)
        return m

    return probe

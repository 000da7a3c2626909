"""What the echo probe's tests share."""

from __future__ import annotations

import asyncio
import math

from probes import echo
from probes.room import Room
from probes.roundtrip import Trace
from probes.session import Draft
from reports.vocabulary import FAILURES
from testroom.server import TestRoom
from tests.probes.rooms import errand
from tests.probes.trips import trace, trip


def sound(draft: Draft) -> Draft:
    """Names of the vocabulary only, each once; numbers that are numbers; a code that exists."""
    measurement = draft.measurement()
    assert not measurement.values.keys() & measurement.unknown.keys()
    assert all(math.isfinite(v) for v in measurement.values.values())
    assert all(0 <= v <= 1 for n, v in measurement.values.items() if n.endswith("_ratio"))
    assert all(measurement.unknown.values())
    assert measurement.failure is None or measurement.failure.code in FAILURES
    assert measurement.duration_s >= 0
    return draft


async def code_of(wanted: Room | str, **changes: object) -> str | None:
    draft = sound(await asyncio.wait_for(echo.probe(errand(wanted, **changes)), 5))
    return draft.failure.code if draft.failure else None


async def end_sessions(room: TestRoom, after_s: float) -> None:
    """Let the room forget all that it has."""
    await asyncio.sleep(after_s)
    for session in list(room.sessions.by_ssid.values()):
        room.sessions.end(session)


def one_sided(sent: int, returned: int, **changes: object) -> Trace:
    made = trace([trip(i, 0.01 if i < returned else None) for i in range(sent)])
    for name, value in changes.items():
        setattr(made, name, value)
    return made

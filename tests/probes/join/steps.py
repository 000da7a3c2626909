"""One step of the join path, taken by itself on loopback with the name servers that a test has made."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from importlib import import_module

from probes.join import STEPS
from probes.join.errand import Errand, Found
from probes.profile import Profile
from probes.session import Draft, ProbeFailure, Session
from reports.record import Failure
from tests.probes import rooms
from tests.probes.echoing import sound

HERE = "https://127.0.0.1:8443"  # a room on this computer
ELSEWHERE = "https://room.example:8443"


def session(profile: Profile | None = None, room: str = HERE, resolvers: Iterable[str] = (), **link: object) -> Session:
    wanted = rooms.link(**{"resolvers": tuple(resolvers), **link})
    return rooms.errand(room, link=wanted, profile=profile or Profile())


def errand(name: str, by: Session, found: Found | None = None, seconds: float | None = None) -> Errand:
    deadline = time.monotonic() + (STEPS[name].seconds if seconds is None else seconds)
    return Errand(name, by, found or Found(), deadline, Draft(f"join_{name}", by.subject, time.time()))


async def taken(wanted: Errand) -> Draft:
    """Its draft, failure included, within its time. NeedlessError passes, and so do defects."""
    try:
        async with asyncio.timeout(wanted.left):
            await import_module(STEPS[wanted.name].module).step(wanted)
    except ProbeFailure as failure:
        wanted.m.failure = Failure(failure.step, failure.code, failure.detail)
    draft = sound(wanted.m)
    assert draft.failure is None or draft.failure.step == wanted.name
    assert not any(secret in str(draft.failure) for secret in ("127.", "example", "::1"))
    return draft


def code(draft: Draft) -> str | None:
    return draft.failure.code if draft.failure else None

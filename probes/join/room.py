"""room: does the test room give a session by this link, and which relays does it name?"""

from __future__ import annotations

import time

from probes.join.errand import Errand, NeedlessError
from probes.join.hosts import has_room
from probes.join.walk import resolver

PACKETS_PER_SECOND = 1.0  # none is sent: the session opens the room's relays


async def step(errand: Errand) -> None:
    """Ask for a session; its relays and its clock are for later steps."""
    session = errand.session
    if not has_room(session):
        raise NeedlessError
    begun = time.monotonic()
    room = await session.room.open(errand.link, 10.0, PACKETS_PER_SECOND, resolver(errand))
    errand.found.room, errand.found.ice_servers = room, room.ice_servers
    if room.clock_offset_seconds is not None:
        errand.found.skews["room"] = -room.clock_offset_seconds
    errand.m.facts["relays"] = len(room.ice_servers)
    errand.m.facts["answered_seconds"] = time.monotonic() - begun

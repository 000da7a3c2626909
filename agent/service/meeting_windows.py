"""Windows: what the system shows under "recently used by" for camera and microphone. Written by documentation only."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from agent.service.meeting import Devices
from media_check.devices import consent
from media_check.devices.consent import Entry

_V4, _V6 = 2, 23  # AF_INET, AF_INET6 (ws2def.h)


async def devices(ours: int, python: str = sys.executable) -> Devices:  # noqa: ARG001 - ours is known by its program
    """Of every user who is logged in. An ordinary user sees his own only."""
    own = consent.key(python)
    return Devices(used(consent.entries("webcam"), own), used(consent.entries("microphone"), own))


def used(programs: Iterable[Entry], own: str = "") -> bool | None:
    """None: the system keeps no such list. `own`: the key of this program."""
    found = consent.using(programs, own)
    return None if found is None else bool(found)


def datagrams() -> tuple[int, int] | None:
    """IPv4 and IPv6 together, by GetUdpStatisticsEx (iphlpapi.h)."""
    import ctypes

    class Statistics(ctypes.Structure):  # MIB_UDPSTATS (udpmib.h)
        _fields_ = tuple((name, ctypes.c_uint32) for name in ("received", "unwanted", "wrong", "sent", "listeners"))

    try:
        library = getattr(ctypes, "windll").iphlpapi  # noqa: B009 - there is none elsewhere
    except AttributeError:
        return None
    received = sent = 0
    for family in (_V4, _V6):
        found = Statistics()
        if library.GetUdpStatisticsEx(ctypes.byref(found), family) == 0:
            received, sent = received + found.received, sent + found.sent
    return received, sent

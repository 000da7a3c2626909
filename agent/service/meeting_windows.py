"""Windows: what the system shows under "recently used by" for camera and microphone. Written by documentation only.

For each program the registry holds when it last began and ended to use a device; while it does, the end is 0.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from agent.service.meeting import Devices

CONSENT = r"SOFTWARE\Microsoft\Windows\CurrentVersion\CapabilityAccessManager\ConsentStore"
BEGAN, ENDED = "LastUsedTimeStart", "LastUsedTimeStop"
_V4, _V6 = 2, 23  # AF_INET, AF_INET6 (ws2def.h)
_MOST_DEEP = 2

Entry = tuple[str, Mapping[str, int]]  # a program's key, and its values


async def devices(ours: int, python: str = sys.executable) -> Devices:  # noqa: ARG001 - ours is known by its program
    """Of every user who is logged in. An ordinary user sees his own only."""
    own = python.replace("\\", "#").lower()
    return Devices(used(_entries("webcam"), own), used(_entries("microphone"), own))


def used(entries: Iterable[Entry], own: str = "") -> bool | None:
    """None: the system keeps no such list. `own`: the key of this program."""
    found = [values for name, values in entries if name.lower() != own]
    if not found:
        return None
    return any(values.get(BEGAN, 0) > 0 and values.get(ENDED) == 0 for values in found)


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


def _entries(kind: str) -> Iterator[Entry]:
    try:
        import winreg as registry
    except ImportError:
        return
    users: Any = registry
    for sid in _names(users, users.HKEY_USERS, ""):
        yield from _below(users, users.HKEY_USERS, rf"{sid}\{CONSENT}\{kind}", _MOST_DEEP)


def _below(registry: Any, root: Any, path: str, depth: int) -> Iterator[Entry]:
    """Programs of the store stand beside the key "NonPackaged", which has all others."""
    for name in _names(registry, root, path):
        inner = rf"{path}\{name}"
        yield name, _values(registry, root, inner)
        if depth > 1:
            yield from _below(registry, root, inner, depth - 1)


def _names(registry: Any, root: Any, path: str) -> list[str]:
    try:
        with registry.OpenKey(root, path) as key:
            return [registry.EnumKey(key, i) for i in range(registry.QueryInfoKey(key)[0])]
    except OSError:
        return []


def _values(registry: Any, root: Any, path: str) -> dict[str, int]:
    found: dict[str, int] = {}
    try:
        with registry.OpenKey(root, path) as key:
            for name in (BEGAN, ENDED):
                found[name] = int(registry.QueryValueEx(key, name)[0])
    except (OSError, ValueError, TypeError):
        pass
    return found

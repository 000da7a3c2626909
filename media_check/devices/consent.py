"""Windows: which programs use a camera or microphone, as the system shows under "recently used by".

For each program the registry holds when it last began and ended to use such a device; while it does, the end is 0.
Which device it is, it does not say. Written by documentation only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

CONSENT = r"SOFTWARE\Microsoft\Windows\CurrentVersion\CapabilityAccessManager\ConsentStore"
BEGAN, ENDED = "LastUsedTimeStart", "LastUsedTimeStop"
_MOST_DEEP = 2

Entry = tuple[str, Mapping[str, int]]  # a program's key, and its values


def key(program: str) -> str:
    """Of a program's file, in small letters."""
    return program.replace("\\", "#").lower()


def using(programs: Iterable[Entry], own: str = "") -> tuple[str, ...] | None:
    """The keys of those that use it now. None: the system keeps no such list. `own`: the key of this program."""
    found = [(name, values) for name, values in programs if name.lower() != own]
    if not found:
        return None
    return tuple(name for name, values in found if values.get(BEGAN, 0) > 0 and values.get(ENDED) == 0)


def entries(kind: str) -> Iterator[Entry]:
    """Of every user who is logged in; an ordinary user sees his own only. `kind`: webcam, microphone."""
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

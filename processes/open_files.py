"""Linux: which processes have which files open, from /proc (proc(5)), which needs no privileges of its own.

Other users' open files are not shown to an ordinary user.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
_DEEPEST = 64


def processes(proc: Path = PROC) -> Iterator[int]:
    """All that there are."""
    return (int(path.name) for path in proc.iterdir() if path.name.isdigit())


def opened(pid: int, proc: Path = PROC) -> tuple[str, ...] | None:
    """The paths of the files that a process has open; () when it has ended. None: they are not shown to us."""
    try:
        files = os.scandir(proc / str(pid) / "fd")
    except PermissionError:
        return None
    except OSError:
        return ()
    found: list[str] = []
    with files, suppress(OSError):  # it ends meanwhile
        for entry in files:
            with suppress(OSError):  # closed meanwhile
                found.append(os.readlink(entry.path))  # noqa: PTH115 - thousands of them
    return tuple(found)


def is_program(pid: int, proc: Path = PROC) -> bool:
    """Not a thread of the kernel's, which has no command line."""
    return bool(text(proc / str(pid) / "cmdline"))


def is_ours(pid: int, ours: int, proc: Path = PROC) -> bool:
    """Is it `ours`, or was it started by that, or by one that was …?"""
    for _ in range(_DEEPEST):
        if pid in (0, 1) or pid == ours:
            break
        parent = re.search(r"^PPid:\s*(\d+)", text(proc / str(pid) / "status"), re.MULTILINE)
        pid = int(parent[1]) if parent else 0
    return pid == ours


def name(pid: int, proc: Path = PROC) -> str:
    """As the kernel has it: at most 15 characters."""
    return text(proc / str(pid) / "comm")


def names(pid: int, proc: Path = PROC) -> tuple[str, ...]:
    """What it may be called: by the kernel, by its program's file (where we may see it), by its command line."""
    folder = proc / str(pid)
    try:
        program = os.readlink(folder / "exe")  # noqa: PTH115 - a link's words, wherever it leads
    except OSError:
        program = ""
    command = text(folder / "cmdline").partition("\0")[0]
    return name(pid, proc), program.rpartition("/")[2], command.rpartition("/")[2]


def text(path: Path) -> str:
    """Of a file of /proc or /sys; "" when it cannot be read."""
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return ""

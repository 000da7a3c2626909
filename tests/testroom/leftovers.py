"""What this process has open and running, to compare before and after."""

from __future__ import annotations

import gc
import threading
from contextlib import suppress
from pathlib import Path


def left() -> tuple[list[str], list[str]]:
    """The names of the threads, and the open files; sockets and pipes by kind only, since their numbers change."""
    gc.collect()
    files = []
    for path in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            files.append(str(path.readlink()).partition(":[")[0])
    return sorted(t.name for t in threading.enumerate()), sorted(files)

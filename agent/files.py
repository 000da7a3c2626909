"""Files that a person asked for: whether they can be written is said before the work, and they are replaced whole."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from agent.options import UsageError
from reports import replacing

STDOUT = "-"


def check_file(option: str, path: Path | None) -> None:
    """Could this file be written? Raises UsageError, one line that says why not. None: nothing was asked for."""
    if path is None or str(path) == STDOUT:
        return
    if not path.parent.is_dir():
        raise UsageError(f"{option}: there is no folder {path.parent}")
    if path.is_dir():
        raise UsageError(f"{option}: {path} is a folder; name a file")
    if not os.access(path.parent, os.W_OK):
        raise UsageError(f"{option}: cannot write into the folder {path.parent}")


def replace_file(option: str, path: Path, content: bytes) -> None:
    """In one step: an earlier file stays whole until the new one is. `-`: standard output. Raises UsageError."""
    if str(path) == STDOUT:
        sys.stdout.buffer.write(content)
        return
    check_file(option, path)
    try:
        if path.exists() and not path.is_file():  # a device, a pipe
            path.write_bytes(content)
        else:
            replacing.replace(path.resolve(), content, rights=None)
    except OSError as error:
        raise UsageError(f"{option}: cannot write {path}: {error.strerror}") from None

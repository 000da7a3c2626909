"""Files that are replaced in one step: who reads sees the old or the new, whole, also after a power cut."""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
from pathlib import Path

PRIVATE = 0o600


def replace(path: Path, content: bytes, rights: int | None = PRIVATE) -> None:
    """On the disk when it returns. `rights`: POSIX mode of the file; None: as this user's umask has it. Raises OSError.

    A file that could not be put in place is as it was, and nothing is left beside it.
    """
    new = draft(path, content, rights)
    try:
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    _settle(path.parent)


def draft(path: Path, content: bytes, rights: int | None = PRIVATE) -> Path:
    """A new file beside `path`, its content on the disk, to be put in its place. Raises OSError, and leaves nothing.

    Its name has an end of its own, so that nobody takes it for the file, and is never too long.
    """
    new = path.with_name(f".{secrets.token_hex(8)}.motesklar")
    with open(new, "xb", opener=None if rights is None else _privately) as file:
        try:
            if rights not in (None, PRIVATE):
                new.chmod(rights)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            new.unlink(missing_ok=True)
            raise
    return new


def _privately(path: str, flags: int) -> int:
    return os.open(path, flags, PRIVATE)


def _settle(folder: Path) -> None:
    """The folder itself, which has the new name. Windows has no such thing, nor have some network disks."""
    if sys.platform == "win32":
        return
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

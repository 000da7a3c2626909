"""Where the store is, as people say it: a database's URL, or a file's name, which is enough for SQLite."""

from __future__ import annotations

from pathlib import Path

_SQLITE = "sqlite:///"


def address(named: str) -> str:
    """The URL."""
    return named if "://" in named else f"{_SQLITE}{Path(named).absolute()}"


def file_of(url: str) -> Path | None:
    """SQLite's file. None: it is another database."""
    return Path(url.removeprefix(_SQLITE)) if url.startswith(_SQLITE) else None

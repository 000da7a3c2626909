"""A file replaced in one step: its rights, what is on the disk when, and that nothing is left beside it."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from reports.replacing import PRIVATE, draft, replace

# rights asked for, umask, rights it has
RIGHTS = [(PRIVATE, 0o022, 0o600), (0o644, 0o077, 0o644), (None, 0o022, 0o644), (None, 0o077, 0o600)]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes")
@pytest.mark.parametrize(("rights", "umask", "expected"), RIGHTS)
def test_rights(tmp_path: Path, rights: int | None, umask: int, expected: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(0o666)
    before = os.umask(umask)
    try:
        replace(path, b"new", rights)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == expected


@pytest.mark.parametrize("name", ["verdict.json", ".hidden", "å" * 127])
def test_it_is_replaced_and_nothing_is_left(tmp_path: Path, name: str) -> None:
    for content in (b"old", b"", bytes(range(256)) * 999, b"line\r\nline\n"):
        replace(tmp_path / name, content)
        assert (tmp_path / name).read_bytes() == content
    assert list(tmp_path.iterdir()) == [tmp_path / name]


@pytest.mark.skipif(sys.platform == "win32", reason="a folder cannot be synchronised there")
def test_the_content_is_on_the_disk_before_the_name_and_then_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, seen, sync = tmp_path / "file", list[tuple[str, bytes]](), os.fsync
    path.write_bytes(b"old")

    def watched(handle: int) -> None:
        kind = "folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else os.pread(handle, 9, 0).decode()
        seen.append((kind, path.read_bytes()))
        sync(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", _readable(os.open))
        patch.setattr(os, "fsync", watched)
        replace(path, b"new")
    assert seen == [("new", b"old"), ("folder", b"new")]


def _readable(opens: Callable[..., int]) -> Callable[..., int]:
    """Files that are opened for writing can be read as well."""
    return lambda path, flags, *more: opens(
        path, flags & ~os.O_WRONLY | os.O_RDWR if flags & os.O_CREAT else flags, *more
    )


def test_a_full_disk_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    replace(tmp_path / "file", b"old")
    monkeypatch.setattr(os, "fsync", full)
    for write in (replace, draft):
        with pytest.raises(OSError, match="full"):
            write(tmp_path / "file", b"new")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("file", b"old")]


def test_what_cannot_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for name in ("folder", "none/file"):
        with pytest.raises(OSError):  # noqa: PT011 (which one depends on the system)
            replace(tmp_path / name, b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]

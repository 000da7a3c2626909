"""Who has which file open: this computer's own /proc, and made-up ones."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from processes import open_files

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux")


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[tuple[int, str]]:
    """A program of another name that has a file open."""
    program = shutil.copy(shutil.which("sleep") or "sleep", tmp_path / "a-program-with-a-long-name")
    held = tmp_path / "held"
    held.touch()
    with held.open() as file, subprocess.Popen([program, "30"], stdin=file) as process:
        yield process.pid, str(held)
        process.kill()


def test_a_real_process(holder: tuple[int, str]):
    pid, held = holder
    assert pid in set(open_files.processes())
    assert held in (open_files.opened(pid) or ())
    assert open_files.is_program(pid)
    assert open_files.name(pid) == "a-program-with-"
    assert set(open_files.names(pid)) == {"a-program-with-", "a-program-with-a-long-name"}
    assert [open_files.is_ours(pid, ours) for ours in (pid, os.getpid(), 2**22)] == [True, True, False]


def test_one_that_has_ended():
    nobody = 2**22 + 1
    assert open_files.opened(nobody) == ()
    assert open_files.names(nobody) == ("", "", "")
    assert not open_files.is_ours(nobody, os.getpid())


def test_files_that_are_not_shown(monkeypatch: pytest.MonkeyPatch):
    """Root may look everywhere: for it they are hidden by an error in place of the kernel's."""

    def hidden(_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "scandir", hidden)
    assert open_files.opened(os.getpid()) is None


def test_the_kernels_threads_are_no_programs(tmp_path: Path):
    (tmp_path / "2").mkdir()
    (tmp_path / "2/cmdline").write_text("")
    assert not open_files.is_program(2, tmp_path)


def test_a_family_without_end(tmp_path: Path):
    """Numbers are used again: a process may seem to be its own grandfather."""
    for pid, parent in ((5, 6), (6, 5)):
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "status").write_text(f"PPid:\t{parent}\n")
    assert not open_files.is_ours(5, 7, tmp_path)

"""The file for node_exporter: whole at every moment, readable by another user, and nothing left beside it."""

import os
import stat
import sys
import threading
from pathlib import Path

import pytest

from reports.metrics import exposition
from reports.textfile import write_textfile
from tests.reports.make import echo, good, self_test

ONE, OTHER = self_test(good()), self_test(echo(failure="no_reply"))


def test_the_file_is_the_exposition(tmp_path: Path) -> None:
    path = tmp_path / "motesklar.prom"
    for test, links in ((ONE, False), (OTHER, True)):
        write_textfile(path, test, links=links)
        assert path.read_bytes() == exposition(test, links=links)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes")
def test_another_user_may_read_it_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        write_textfile(tmp_path / "motesklar.prom", ONE)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "motesklar.prom").stat().st_mode) == 0o644


def test_a_reader_never_sees_half_of_it(tmp_path: Path) -> None:
    path = tmp_path / "motesklar.prom"
    whole = {exposition(ONE), exposition(OTHER)}
    write_textfile(path, ONE)
    ended = threading.Event()

    def write() -> None:
        for turn in range(200):
            write_textfile(path, (ONE, OTHER)[turn % 2])
        ended.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen = set()
    while not ended.is_set():
        seen.add(path.read_bytes())
        beside = {p.suffix for p in tmp_path.iterdir() if p != path}
        assert ".prom" not in beside, "node_exporter would read the draft too"
    writer.join()
    assert seen <= whole


def test_a_name_that_would_not_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"must end in \.prom"):
        write_textfile(tmp_path / "motesklar.txt", ONE)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        write_textfile(tmp_path / "nowhere" / "motesklar.prom", ONE)


def test_nothing_is_left_when_it_cannot_be_put_in_place(tmp_path: Path) -> None:
    (tmp_path / "motesklar.prom").mkdir()
    with pytest.raises(OSError):  # noqa: PT011 (which one depends on the system)
        write_textfile(tmp_path / "motesklar.prom", ONE)
    assert [p.name for p in tmp_path.iterdir()] == ["motesklar.prom"]

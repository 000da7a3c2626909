"""What the agent keeps on the disk."""

from __future__ import annotations

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agent.service import state
from tests.reports.store.rows import run


def test_the_pseudonym_stays_and_is_random(tmp_path: Path):
    made = state.pseudonym(tmp_path / "a")
    assert state.pseudonym(tmp_path / "a") == made
    assert len(made) == 32
    assert int(made, 16).bit_count() > 20
    assert state.pseudonym(tmp_path / "b") != made
    assert stat.S_IMODE((tmp_path / "a/machine").stat().st_mode) == 0o600


def test_several_at_once_are_one_machine(tmp_path: Path):
    with ThreadPoolExecutor(8) as threads:
        found = set(threads.map(lambda _: state.pseudonym(tmp_path / "new"), range(32)))
    assert len(found) == 1
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["machine"]


@pytest.mark.parametrize("content", [b"", b"my-computer", b"0" * 31, b"\xff" * 32, b"G" * 32])
def test_a_file_that_is_no_pseudonym_is_told_of(tmp_path: Path, content: bytes):
    (tmp_path / "machine").write_bytes(content)
    with pytest.raises(state.StateError, match="machine"):
        state.pseudonym(tmp_path)


def test_a_folder_that_cannot_be(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(state.StateError, match="pseudonym"):
        state.pseudonym(tmp_path / "file/below")
    with pytest.raises(state.StateError, match="state folder"), state.held(tmp_path / "file/below"):
        pass


def test_one_agent_at_a_time(tmp_path: Path):
    with state.held(tmp_path), pytest.raises(state.StateError, match="runs already"), state.held(tmp_path):
        pass
    with state.held(tmp_path):
        pass


def test_each_lock_by_itself(tmp_path: Path):
    assert not state.is_held(tmp_path / "not/there", state.PAGE_LOCK)
    with state.held(tmp_path), state.held(tmp_path, state.PAGE_LOCK):
        assert state.is_held(tmp_path, state.PAGE_LOCK)
        assert not state.is_held(tmp_path, state.TEST_LOCK)
        with pytest.raises(state.HeldError, match="a word"), state.held(tmp_path, state.PAGE_LOCK, "a word"):
            pass
    assert not state.is_held(tmp_path, state.PAGE_LOCK)


def test_the_latest_answer_is_kept(tmp_path: Path):
    assert state.last_run(tmp_path) is None
    assert state.kept(tmp_path, state.METRICS) == b""
    state.keep(tmp_path, run("r1", 1.8e9))
    state.keep(tmp_path, run("r2", 1.8e9 + 5))
    assert state.last_run(tmp_path) == {
        "run_id": "r2",
        "started_at": 1.8e9 + 5,
        "level": run("r2", 1.8e9).verdict.level,
    }
    assert json.loads(state.kept(tmp_path, state.VERDICT))["schema"] == "motesklar.selftest/1"
    assert b"motesklar_verdict{" in state.kept(tmp_path, state.METRICS)
    assert sorted(p.name for p in tmp_path.iterdir()) == [state.METRICS, state.VERDICT]


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"run_id": "x", "started_at": null, "verdict": {"level": 1}}']
)
def test_an_answer_that_cannot_be_read_is_none(tmp_path: Path, content: str):
    (tmp_path / state.VERDICT).write_text(content)
    assert state.last_run(tmp_path) is None

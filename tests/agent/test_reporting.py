"""`check --report`: handed in to a real room that keeps self-tests."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from agent.options import UsageError
from agent.reporting import reporter
from agent.settings import CollectorSection, RoomSection, Settings
from tests.agent.program import one_line, run
from tests.reports.store.rows import run as made
from tests.testroom.fleet.make import collecting, get
from tests.testroom.https import TOKEN


async def test_handed_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """What cannot be handed in yet is tried in tests/agent/service/test_agent_program.py."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    async with collecting(tmp_path) as (room, habo, _):
        settings = Settings(room=RoomSection(room.url, TOKEN))
        hand_in = reporter(settings, room.url, True)
        assert hand_in is not None
        await asyncio.to_thread(hand_in, made("r1", time.time() - 5))
        await asyncio.to_thread(hand_in, made("r2", time.time() - 5, interrupted=True))
        assert (await get(habo, "/v1/self-tests/r1"))[0] == 200
        assert (await get(habo, "/v1/self-tests/r2"))[0] == 404
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "motesklar: handed in\nmotesklar: this self-test was stopped, and is not handed in\n"


def test_nobody_to_report_to(tmp_path: Path):
    assert "nobody is named to report to" in one_line(run(tmp_path, "check", "--report", "--room", "embedded"))


@pytest.mark.parametrize(
    ("settings", "asked"), [(Settings(), None), (Settings(collector=CollectorSection("https://room.example")), False)]
)
def test_nothing_is_handed_in_unless_it_is_asked_for(settings: Settings, asked: bool | None):
    assert reporter(settings, None, asked) is None


def test_a_collector_without_a_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    with pytest.raises(UsageError, match="wants a token"):
        reporter(Settings(collector=CollectorSection("https://room.example")), None, None)

"""Fixtures of the echo probe's tests: a real room on loopback, and short waits."""

from __future__ import annotations

import ipaddress
from collections.abc import AsyncIterator

import pytest

from probes import echo, room, sender
from testroom.server import RoomSettings, TestRoom


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "LATEST_REPLY_S", 0.15)
    monkeypatch.setattr(echo, "PROGRESS_S", 0.02)
    for name in ("TCP_S", "ANSWER_S", "REPORT_S"):
        monkeypatch.setattr(room, name, 0.5)


@pytest.fixture
async def far() -> AsyncIterator[TestRoom]:
    async with TestRoom(RoomSettings(open_stamp=(ipaddress.ip_network("127.0.0.0/8"),))) as made:
        yield made

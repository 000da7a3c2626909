"""What the tests of sending share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reports.spool import Spool
from tests.reports.far_end import PROXIES


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the computer that the tests run on is told to use."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    made = Spool(tmp_path / "spool.db", 10**7)
    yield made
    made.close()

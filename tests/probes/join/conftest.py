"""No proxy but a test's own, and an authority that is trusted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.probes.join.servers import GOOD


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the computer that the tests run on is told to use."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "auto_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def good_is_trusted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By the test's process."""
    GOOD.trusted(monkeypatch, tmp_path)

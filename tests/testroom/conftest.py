"""Both kinds of port stand behind one interface: what is asked of one is asked of the other."""

import sys

import pytest

from testroom import datagrams

KINDS = ["plain", "batch"] if sys.platform == "linux" else ["plain"]


@pytest.fixture(params=KINDS)
def port_kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Every port that is opened during the test is of this kind."""
    if request.param == "plain":
        monkeypatch.setattr(datagrams, "_choose", datagrams.PlainPort)
    return str(request.param)


@pytest.fixture(autouse=True)
def _prompt_close(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reflector looks for its end five times a second; a hundred tests would wait twenty seconds for that."""
    monkeypatch.setattr("testroom.reflector._POLL_MS", 10)

"""What `motesklar room` may be told of calls, and what it says to nonsense."""

from pathlib import Path
from typing import Any

import pytest

from agent import roomcalls
from agent.options import UsageError
from agent.roomcalls import CallOptions

SECRET = "a-secret-of-enough-characters"
RELAY = "turn:relay.example:3478?transport=udp"


def options(tmp_path: Path, **given: Any) -> CallOptions:
    path = tmp_path / "secret"
    path.write_text(SECRET)
    return CallOptions(**({k: path if v == "FILE" else v for k, v in given.items()}))


def test_by_default_there_are_calls_and_no_guests() -> None:
    settings = roomcalls.settings_of(CallOptions())
    assert settings is not None
    assert (settings.places, settings.workers, settings.turn, settings.ports) == (40, 1, None, None)
    assert not CallOptions().guests


def test_no_calls() -> None:
    assert roomcalls.settings_of(CallOptions(calls=False)) is None


def test_all_that_can_be_said(tmp_path: Path) -> None:
    given = options(
        tmp_path,
        most=20,
        workers=1,
        address="[2001:db8::7]",
        ports="50000-50019",
        turn=(RELAY,),
        turn_secret_file="FILE",
    )
    settings = roomcalls.settings_of(given)
    assert settings is not None
    assert (settings.places, settings.address, settings.ports) == (20, "2001:db8::7", (50000, 50019))
    assert settings.turn is not None
    assert (settings.turn.urls, settings.turn.secret) == ((RELAY,), SECRET.encode())


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"calls": False, "most": 3}, "--no-calls and --max-calls contradict"),
        ({"calls": False, "guests": True}, "--no-calls and --guests contradict"),
        ({"calls": False, "turn": (RELAY,)}, "--no-calls and --turn contradict"),
        ({"most": -1}, "--max-calls must be between 1"),
        ({"most": 0}, "say --no-calls instead"),
        ({"workers": 0}, "--call-workers must be between 1"),
        ({"workers": 10**6}, "--call-workers must be between 1"),
        ({"address": "room.example"}, "--call-address takes an IP address"),
        ({"address": "0.0.0.0"}, "--call-address must be an address"),
        ({"address": "255.255.255.255"}, "--call-address must be an address"),
        ({"ports": "50000"}, "--call-ports looks like"),
        ({"ports": "50010-50000"}, "--call-ports looks like"),
        ({"ports": "0-70000"}, "--call-ports looks like"),
        (
            {"ports": "50000-50009"},
            "10 ports for 40 calls, and each needs one: more ports, or a smaller --max-calls",
        ),
        ({"turn": (RELAY,)}, "--turn needs --turn-secret-file"),
        ({"turn_secret_file": "FILE"}, "--turn-secret-file needs at least one --turn"),
        ({"turn": ("stun:x",), "turn_secret_file": "FILE"}, "--turn takes a relay"),
        ({"turn": ("relay",), "turn_secret_file": "FILE"}, "--turn: a TURN server looks like"),
        ({"turn": (RELAY,), "turn_secret_file": Path("/nowhere/at/all")}, "cannot read"),
    ],
)
def test_nonsense_is_one_line(tmp_path: Path, given: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        roomcalls.settings_of(options(tmp_path, **given))
    assert "\n" not in str(caught.value)
    assert SECRET not in str(caught.value)


def test_without_the_package_there_are_no_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roomcalls, "possible", lambda: False)
    assert roomcalls.settings_of(CallOptions()) is None
    with pytest.raises(UsageError, match="--max-calls needs the package aiortc"):
        roomcalls.settings_of(CallOptions(most=3))

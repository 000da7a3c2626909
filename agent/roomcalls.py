"""What `motesklar room` was told of calls, checked and put together."""

from __future__ import annotations

import importlib.util
import ipaddress
import os
import re
from dataclasses import dataclass
from pathlib import Path

from agent.options import UsageError
from testroom.calls import CallSettings
from testroom.calls.turn import Turn, TurnError, read_secret

MOST_CALLS = 10_000


@dataclass(frozen=True, slots=True)
class CallOptions:
    """As given on the command line; None and () where nothing was said."""

    calls: bool = True
    guests: bool = False
    most: int | None = None
    workers: int | None = None
    address: str | None = None
    ports: str | None = None
    turn: tuple[str, ...] = ()
    turn_secret_file: Path | None = None

    @property
    def given(self) -> list[str]:
        """The options that speak of how calls are to be."""
        said = {
            "--guests": self.guests, "--max-calls": self.most is not None, "--call-workers": self.workers is not None,
            "--call-address": self.address is not None, "--call-ports": self.ports is not None,
            "--turn": bool(self.turn), "--turn-secret-file": self.turn_secret_file is not None,
        }  # fmt: skip
        return [name for name, there in said.items() if there]


def possible() -> bool:
    """Is the package there that calls are made with?"""
    return importlib.util.find_spec("aiortc") is not None


def settings_of(options: CallOptions) -> CallSettings | None:
    """How the room takes calls; None: not at all. Raises UsageError."""
    if not options.calls:
        if options.given:
            raise UsageError(f"--no-calls and {options.given[0]} contradict each other")
        return None
    if not possible():
        if options.given:
            raise UsageError(f"{options.given[0]} needs the package aiortc, which is not installed")
        return None
    workers = _between("--call-workers", options.workers, 1, os.cpu_count() or 1)
    settings = CallSettings(
        workers=workers or 1,
        most=_most(options.most),
        address=_address(options.address),
        ports=_ports(options.ports),
        turn=_turn(options),
    )
    _check_ports(settings)
    return settings


def _check_ports(settings: CallSettings) -> None:
    if settings.ports is not None and (there := settings.ports[1] - settings.ports[0] + 1) < settings.places:
        few = f"--call-ports has {there} ports for {settings.places} calls"
        raise UsageError(f"{few}, and each needs one: more ports, or a smaller --max-calls")


def _between(name: str, number: int | None, least: int, most: int) -> int | None:
    if number is not None and not least <= number <= most:
        raise UsageError(f"{name} must be between {least} and {most}, not {number}")
    return number


def _most(calls: int | None) -> int | None:
    if calls == 0:
        raise UsageError("--max-calls 0 would turn every caller away as if the room were full; say --no-calls instead")
    return _between("--max-calls", calls, 1, MOST_CALLS)


def _address(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        address = ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        raise UsageError(f"--call-address takes an IP address, not {text!r}") from None
    if address.is_unspecified or address.is_multicast or str(address) == "255.255.255.255":
        raise UsageError(f"--call-address must be an address that callers can send to, not {text}")
    return str(address)


def _ports(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,5})-(\d{1,5})", text, re.ASCII)
    first, last = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 0 < first <= last < 0x1_0000:
        raise UsageError(f"--call-ports looks like 50000-50099, not {text!r}")
    return first, last


def _turn(options: CallOptions) -> Turn | None:
    if not options.turn and options.turn_secret_file is None:
        return None
    if not options.turn:
        raise UsageError("--turn-secret-file needs at least one --turn")
    if options.turn_secret_file is None:
        raise UsageError("--turn needs --turn-secret-file: callers get credentials of their own, for a short time")
    try:
        return Turn(options.turn, read_secret(options.turn_secret_file))
    except TurnError as error:
        raise UsageError(str(error)) from None

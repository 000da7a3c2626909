"""Probes: one question to the network each, one Measurement each. PROBES is the whole registry."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from probes.session import Draft, Session

Probe = Callable[["Session"], Awaitable["Draft"]]

PROBES: dict[str, str] = {
    "echo": "probes.echo",
}


def load(name: str) -> Probe:
    """The probe function of a registered name: `probe` of its module, imported only now."""
    from importlib import import_module

    function: Probe = import_module(PROBES[name]).probe
    return function

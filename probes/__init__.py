"""Probes: one question to the network each, one Measurement each. PROBES is the whole registry."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from probes.session import Draft, Session

Probe = Callable[["Session"], Awaitable["Draft"]]


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a probe is, and how it shares a self-test with the others.

    `stage`: the "quiet" ones run together in the same seconds; after them each "alone" one, which fills the link.
    `share`: of the data budget that is left when it begins. `default`: False: only when named by --only.
    `within_computer`: it tells something also when the room is on this computer. `needs_room`: False: it asks the
    network itself, so that it runs by the real links also when no room is configured. `needs_service`: then only when
    the profile names a meeting service.
    """

    module: str
    stage: Literal["quiet", "alone"] = "quiet"
    share: float = 0.0
    default: bool = True
    within_computer: bool = False
    needs_room: bool = True
    needs_service: bool = False


PROBES: dict[str, Entry] = {
    "echo": Entry("probes.echo", share=0.6, within_computer=True),
    "path": Entry("probes.path", share=0.1),
    "local": Entry("probes.local", within_computer=True),
    "dns": Entry("probes.dns", share=0.01),
    "join": Entry("probes.join", share=0.02, needs_room=False, needs_service=True),
    "call": Entry("probes.call", "alone", 0.5),
    "capacity": Entry("probes.capacity", "alone", 0.5),
    "throughput": Entry("probes.throughput", "alone", 1.0),
    "internet_speed": Entry("probes.internet_speed", "alone", 1.0, default=False, needs_room=False),
}


def load(name: str) -> Probe:
    """The probe function of a registered name: `probe` of its module, imported only now."""
    from importlib import import_module

    function: Probe = import_module(PROBES[name].module).probe
    return function

"""What a step of the join path is given, and what the steps before it have found."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from probes.ice_servers import IceServer
from probes.session import Draft, ProbeFailure, Session
from reports.record import Failure

if TYPE_CHECKING:
    from probes.room import RoomSession
    from reports.record import Link


class NeedlessError(Exception):
    """This step has nothing to ask: the profile or the room names nothing for it. No Measurement is made of it."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """The HTTP proxy that this computer is told to use for https."""

    host: str
    port: int
    username: str = ""
    password: str = ""


@dataclass(slots=True)
class Found:
    """What the steps tell each other. Each field has one step that writes it."""

    proxy: Proxy | None = None  # proxy
    without_proxy: frozenset[str] = frozenset()  # proxy: the profile's hosts that are reached directly all the same
    proxy_answers: bool = False  # proxy: it takes connections
    addresses: dict[str, tuple[str, ...]] = field(default_factory=dict)  # dns: by host, in order; (): none
    room: RoomSession | None = None  # room
    ice_servers: tuple[IceServer, ...] = ()  # room: those that it hands out
    skews: dict[str, float] = field(default_factory=dict)  # portal: this clock less the host's, seconds


@dataclass(slots=True)
class Errand:
    """One step: for whom, until when (`deadline`, time.monotonic()), and its Draft `m`."""

    name: str
    session: Session
    found: Found
    deadline: float
    m: Draft

    @property
    def link(self) -> Link:
        """The link to go by. NeedlessError: there is none, the room is on this computer."""
        if self.session.link is None:
            raise NeedlessError
        return self.session.link

    @property
    def left(self) -> float:
        """Seconds until this step must have ended."""
        return max(0.0, self.deadline - time.monotonic())

    def remark(self, code: str, detail: str = "") -> None:
        """Something is wrong, and one may go on all the same. Of several the first is kept."""
        if self.m.failure is None:
            self.m.failure = Failure(self.name, code, detail)

    def fail(self, code: str, detail: str = "") -> ProbeFailure:
        """To be raised: it is not worth trying what needs this step."""
        return ProbeFailure(code, detail, self.name)

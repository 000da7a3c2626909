"""What the call's probe and its child process tell each other, and the limits that both keep.

To the child: one line, the Errand; then for each offer {"attempt", "answer": SDP} or {"attempt", "refused": code,
"detail"}. From the child: {"attempt", "offer": SDP}; {"step": name} when it gets further; {"lost": attempt} for one
that is given up; {"report": {…}, "last": false} (a Report) a few times a second, and with true when the
call has been seen; once more with true where the sound was then tried by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from probes.ice_servers import IceServer
from reports.record import Link

Way = Literal["direct", "turn_udp", "turn_tcp", "turn_tls"]
WAYS: dict[Way, float] = {"direct": 0.0, "turn_udp": 0.4, "turn_tcp": 1.0, "turn_tls": 1.4}  # seconds after joining
GATHER_S, ANSWER_S, ICE_S, DTLS_S = 2.0, 3.0, 3.0, 2.0
CONNECT_S = 5.0  # all of these together, whichever way
FIRST_MEDIA_S = 2.0
SILENCE_S = 1.5  # after this long without any packet the call has ended
MOST_MEDIA_S, LEAST_MEDIA_S = 4.0, 1.5
DRAIN_S, QUIET_S, MOST_DRAIN_S = 0.7, 0.3, 5.0  # until the queues on the way are empty, and nothing more comes
BACK_S, ALONE_S = 1.0, 1.5  # for the first sound without pictures to come back; and of it
MOST_ALONE_S = MOST_DRAIN_S + BACK_S + ALONE_S
VIDEO_BITS, SMALL_VIDEO_BITS = 1_000_000, 250_000  # per second
AROUND_VIDEO_BITS = 200_000  # sound (96 kbit/s) and all headers
SETUP_BYTES = 60_000
ALONE_BYTES = 90_000  # sound, both ways, for BACK_S and ALONE_S


@dataclass(frozen=True, slots=True)
class Errand:
    """`link`, `link_addresses`: to bind to; None: this computer's own loopback. `address`: to send from.

    `seconds`: of media after the first picture. `video_bits`: per second, at most. `budget_bytes`: packets, both ways.
    `until` (time.monotonic(), which all processes share): when the child must have ended. `ice_servers`: relays only.
    """

    address: str
    seconds: float
    video_bits: int
    budget_bytes: float
    until: float
    ice_servers: tuple[IceServer, ...] = ()
    link: str | None = None
    link_addresses: tuple[str, ...] = ()

    @classmethod
    def read(cls, line: Mapping[str, Any]) -> Errand:
        """From JSON."""
        servers = tuple(IceServer(**server) for server in line["ice_servers"])
        addresses = tuple(line["link_addresses"])
        return cls(**{**line, "ice_servers": servers, "link_addresses": addresses})

    def as_link(self) -> Link | None:
        """As much of the link as binding to it takes."""
        return None if self.link is None else Link(self.link, "other", 0.0, (), addresses=self.link_addresses)

    def ways(self) -> dict[Way, IceServer | None]:
        """What may be tried, best first: directly, and by the first relay of each transport."""
        found: dict[Way, IceServer | None] = {"direct": None}
        for way in WAYS:
            by = next((s for s in self.ice_servers if s.relay and way == f"turn_{s.transport}"), None)
            if by is not None:
                found[way] = by
        return found


@dataclass(slots=True)
class Report:
    """How the call went so far: `values`, `facts` and `unknown` of the Draft, and (code, detail, step) of a failure.

    `sent_octets`, `received_octets`: payload of UDP; `moved_bytes`: both as IP packets.
    `fraction`: of the media's time.
    """

    values: dict[str, float] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)
    failure: Sequence[str] | None = None
    sent_octets: int = 0
    received_octets: int = 0
    moved_bytes: int = 0
    fraction: float = 0.0
    frames_sent: int = 0
    frames_received: int = 0


def affordable(budget_bytes: float, seconds: float) -> tuple[float, int] | None:
    """Seconds of media and bits of video per second that the data budget has room for; None: too little for any.

    Both ways together, with the seconds that pass until the first picture is there.
    """
    wanted = min(seconds, MOST_MEDIA_S)
    for bits in (VIDEO_BITS, SMALL_VIDEO_BITS):
        both_ways = 2 * (bits + AROUND_VIDEO_BITS) / 8
        room = (budget_bytes - SETUP_BYTES) / both_ways - 0.5
        if room >= min(wanted, LEAST_MEDIA_S):
            return min(wanted, room), bits
    return None

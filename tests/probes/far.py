"""The far end in this process, and a run of the sender against it."""

from __future__ import annotations

import ipaddress
import socket
import time
from contextlib import closing

from probes.roundtrip import Fates, Trace
from probes.sender import Access, Sender
from probes.traffic import Planned
from testroom.limits import Limits
from testroom.reflector import Reflector
from testroom.sessions import Sessions, StampSession

SIZE = 172


class Far:
    """The far end: a reflector with its sessions."""

    def __init__(self) -> None:
        self.sessions = Sessions(Limits())
        self.reflector = Reflector(self.sessions, Limits(), (ipaddress.ip_network("127.0.0.0/8"),))
        self.port = self.reflector.open("127.0.0.1", 0)

    def session(self, rate: float = 1000) -> tuple[StampSession, Access]:
        issued = self.sessions.issue("habo", "127.0.0.1", 30, rate)
        return issued, Access(issued.ssid, issued.key)


def connected(port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect(("127.0.0.1", port))
    return sock


def run(port: int, access: Access, plan: list[Planned]) -> Trace:
    with closing(connected(port)) as sock:
        made = Sender(sock, plan, access, time.monotonic_ns() + 10_000_000)
        made.start()
        assert made.join(plan[-1].offset_ns / 1e9 + 3)
        return made.trace()


def report(session: StampSession) -> Fates:
    return Fates(
        session.tally.received, session.tally.duplicates, session.tally.reordered, session.throttled,
        bytes(session.tally.seen),
    )  # fmt: skip

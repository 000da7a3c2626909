"""A small STAMP sender for the tests: one connected socket, one question at a time, every packet made to order."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from probes import stamp
from testroom.admission import Network
from testroom.limits import Limits
from testroom.reflector import Reflector
from testroom.sessions import Sessions, StampSession

PATIENCE_S = 2.0
SIZE = 200
DEFAULT = Limits()


@dataclass
class Reply:
    """A reflector's answer: the octets, what they say, and when they were here."""

    octets: bytes
    packet: stamp.ReflectorPacket
    arrived_ns: int


class Client:
    """Talks to one reflector port. `session` None: plain STAMP."""

    def __init__(self, host: str, port: int, session: StampSession | None, source: str = "") -> None:
        self.sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.settimeout(PATIENCE_S)
        if source:
            self.sock.bind((source, 0))
        self.sock.connect((host, port))
        self.session = session
        self.next = 0

    def packet(self, size: int = SIZE, *, follow_up: bool = True, sequence: int | None = None) -> bytes:
        """The next packet of the session, rightly signed."""
        if sequence is None:
            sequence, self.next = self.next, self.next + 1
        key, ssid = (self.session.key, self.session.ssid) if self.session else (None, 0)
        buffer = stamp.template(size, authenticated=key is not None, follow_up=follow_up)
        stamp.write_sender(buffer, stamp.SenderPacket(sequence, time.time_ns(), 1, ssid), key, follow_up=follow_up)
        return bytes(buffer)

    def receive(self) -> Reply:
        """The next answer. TimeoutError: none came."""
        octets = self.sock.recv(4096)
        arrived = time.time_ns()
        packet = stamp.read_reflector(octets, authenticated=self.session is not None)
        assert packet is not None
        return Reply(octets, packet, arrived)

    def ask(self, packet: bytes | None = None) -> Reply:
        """Send one packet and take its answer."""
        self.sock.send(self.packet() if packet is None else packet)
        return self.receive()

    def is_silent_to(self, *packets: bytes, after: Callable[[], bytes] | None = None) -> bool:
        """Send them and then a good packet: only that one may be answered. No waiting for a silence."""
        for packet in packets:
            self.sock.send(packet)
        good = (after or self.packet)()
        reply = self.ask(good)
        sent = stamp.read_sender(good, authenticated=self.session is not None).sequence
        return reply.packet.sender_sequence == sent and not self.waiting()

    def waiting(self) -> bool:
        """Is there one more answer?"""
        return bool(select.select([self.sock], [], [], 0)[0])


@dataclass
class Room:
    """A reflector with its sessions, without the HTTPS server."""

    sessions: Sessions
    reflector: Reflector
    port: int

    def client(self, host: str = "127.0.0.1", *, plain: bool = False, rate: float = 1000.0, source: str = "") -> Client:
        session = None if plain else self.sessions.issue("test", "127.0.0.1", 30, rate)
        return Client(host, self.port, session, source)


@contextmanager
def running(host: str = "127.0.0.1", limits: Limits = DEFAULT, networks: tuple[Network, ...] = ()) -> Iterator[Room]:
    """A reflector on any free port, closed afterwards."""
    sessions = Sessions(limits)
    reflector = Reflector(sessions, limits, networks)
    port = reflector.open(host, 0)
    try:
        yield Room(sessions, reflector, port)
    finally:
        reflector.close()


def has_ipv6() -> bool:
    """Is ::1 there?"""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True

"""The connections of internet_speed's child process: by the link, with the right trust, and counted."""

from __future__ import annotations

import http.client
import socket
import ssl
import struct
import sys
import threading
import time
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from probes import trust
from probes.links.binding import BindingError, Passage, bound_socket
from reports.record import Link

SOCKET_S = 10.0  # longer than the room lets anybody wait for the turn
IN_PACKETS = 1.07  # headers and acknowledgements, where no link counts them
AT_HAND_BYTES = 20 * 10240  # pieces of the package's threads, each asked for while the others' were still on their way
LATE_S = 0.15  # what is on its way in this time still comes after the decision to stop
AT_ONCE = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)  # SO_LINGER: close() throws away what waits
NOT_SENT_BYTES = 1 << 14  # what waits in this computer's buffers would count as sent
NOT_SENT = getattr(socket, "TCP_NOTSENT_LOWAT", 25 if sys.platform == "linux" else None)


class Failed(OSError):  # noqa: N818 - a network that does not answer is data, not an error
    """Why there is no figure: a code of the vocabulary, and words without addresses. The package sees an OSError."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code, self.detail = code, detail


@dataclass(frozen=True, slots=True)
class Errand:
    """`url`: of the room's mini server; None: the third party. `address`: where to connect, whatever the URL's host.

    `seconds_each`, `budget_bytes` (IP packets): for each direction. `fingerprint`: SHA-256 of the certificate, in hex.
    """

    seconds_each: float
    budget_bytes: float
    url: str | None = None
    address: str | None = None
    fingerprint: str | None = None
    link: str | None = None
    link_addresses: tuple[str, ...] = ()


@dataclass(slots=True)
class Meter:
    """What has passed. It takes the place of the package's event that says when to stop.

    `payload`: octets by the sockets. `passage`: what the link itself counts, with all that TCP sends again.
    `polite`: the package asks before each piece; else more than the budget is an error. `until`: payload and seconds
    when it was enough: the package waits for stragglers, and would count their time.
    """

    budget_bytes: float
    seconds: float
    passage: Passage | None = None
    polite: bool = False
    payload: int = 0
    began: float = field(default_factory=time.monotonic)
    stopped: bool = False
    until: tuple[int, float] | None = None
    answered: int = 0
    broken: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def isSet(self) -> bool:  # noqa: N802 - the name that the package calls
        """Is it enough?"""
        self._judge((self.payload + AT_HAND_BYTES) * IN_PACKETS)
        return self.stopped

    def look(self) -> None:
        """Stop in time for what comes too late; for regular calls."""
        moved = self.moved
        late = moved / max(LATE_S, time.monotonic() - self.began) * LATE_S
        self._judge(moved + min(late, self.budget_bytes / 5))

    def _judge(self, moved: float) -> None:
        elapsed = time.monotonic() - self.began
        over = elapsed >= self.seconds
        with self._lock:
            self.stopped = self.stopped or (moved >= self.budget_bytes and not over)
            if self.until is None and (self.stopped or over):
                self.until = self.payload, elapsed

    @property
    def moved(self) -> int:
        """Bytes of packets, both ways."""
        change = self.passage.delta() if self.passage else None
        by_link = change.sent_bytes + change.received_bytes if change else 0
        return max(by_link, round(self.payload * IN_PACKETS))

    def count(self, octets: int) -> None:
        """So many have passed."""
        with self._lock:
            self.payload += octets
        if not self.polite and self.payload > self.budget_bytes:
            raise ValueError("far more than was asked for")

    def ended(self, *, well: bool) -> None:
        """A request was answered, or came to nothing."""
        with self._lock:
            self.answered += well
            self.broken += not well

    def figures(self, bytes_per_second: float, octets: int) -> dict[str, float | bool]:
        """What the parent is told of a direction: the package's sums where it did not have to be stopped."""
        seconds = octets / bytes_per_second if bytes_per_second else 0.0
        if octets and self.until is not None:
            octets, seconds = self.until
        return {
            "bytes_per_second": octets / seconds if seconds else 0.0,
            "seconds": seconds,
            "stopped": self.stopped,
            "answered": self.answered,
            "broken": self.broken,
        }


class Wire:
    """Makes the connections of one errand; `meter` counts what passes all of them."""

    def __init__(self, errand: Errand, most_asked: int) -> None:
        self._errand, self._link = errand, _link(errand)
        self.total, self.meter = self._meter(errand.budget_bytes), self._meter(most_asked)
        self._payload_before = 0
        self._fingerprint = bytes.fromhex(errand.fingerprint) if errand.fingerprint else None
        self._context = trust.context(self._fingerprint)

    def _meter(self, budget_bytes: float, *, polite: bool = False) -> Meter:
        passage = Passage(self._link) if self._link else None
        return Meter(budget_bytes, self._errand.seconds_each, passage, polite)

    def measure(self) -> Meter:
        """A new meter, which counts from now on."""
        self._payload_before += self.meter.payload
        self.meter = self._meter(self._errand.budget_bytes, polite=True)
        return self.meter

    def moved(self) -> dict[str, int]:
        """What the parent is told of the whole: `payload` octets of the sockets, `moved` bytes of packets."""
        self.meter.look()
        self.total.payload = self._payload_before + self.meter.payload
        return {"payload": self.total.payload, "moved": self.total.moved}

    def connection(self, host: str, *, secure: bool, **_: Any) -> Connection:
        """As the package asks for one; its own wishes for source and timeout are ours already."""
        return Connection(host, self, secure=secure)

    def open(self, host: str, port: int) -> socket.socket:
        """Connected by the link. OSError when no address of the host can be reached."""
        error: OSError | None = None
        for family, _, _, _, address in socket.getaddrinfo(self._errand.address or host, port, type=socket.SOCK_STREAM):
            try:
                return self._open(socket.AddressFamily(family), address)
            except BindingError as refusal:
                error = error or refusal  # the link may have no address of this family
            except OSError as failure:
                error = failure
        if isinstance(error, BindingError):
            raise Failed("link_not_bound") from error
        raise error or OSError("the name has no address")

    def _open(self, family: socket.AddressFamily, address: Any) -> socket.socket:
        sock = bound_socket(self._link, family, socket.SOCK_STREAM) if self._link else socket.socket(family)
        try:
            sock.settimeout(SOCKET_S)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
            if NOT_SENT is not None:
                sock.setsockopt(socket.IPPROTO_TCP, NOT_SENT, NOT_SENT_BYTES)
            sock.connect(address)
        except BaseException:
            sock.close()
            raise
        return sock

    def secured(self, sock: socket.socket, host: str) -> ssl.SSLSocket:
        """The same in TLS. Raises Failed for a certificate that is not the expected one."""
        try:
            made = self._context.wrap_socket(sock, server_hostname=host)
        except ssl.SSLCertVerificationError as error:
            code = "room_certificate_untrusted" if self._errand.url else "third_party_unreachable"
            raise Failed(code, "its certificate is not trusted") from error
        if not trust.is_known(made, self._fingerprint):
            made.close()
            raise Failed("room_certificate_mismatch")
        return made


def _link(errand: Errand) -> Link | None:
    """As much of the link as binding to it takes."""
    if errand.link is None:
        return None
    return Link(errand.link, "other", 0.0, (), addresses=tuple(errand.link_addresses))


class Connection(http.client.HTTPConnection):
    """One that the wire opens and counts."""

    def __init__(self, host: str, wire: Wire, *, secure: bool) -> None:
        self.default_port = 443 if secure else 80
        super().__init__(host, timeout=SOCKET_S)
        self._wire, self._secure = wire, secure
        self.response_class = partial(Response, meter=wire.meter)  # type: ignore[assignment]

    def connect(self) -> None:
        """Raises Failed or OSError."""
        sock = self._wire.open(self.host, self.port)
        self.sock = self._wire.secured(sock, self.host) if self._secure else sock

    def send(self, data: Any) -> None:
        """Count after the kernel has taken it."""
        super().send(data)
        self._wire.meter.count(len(data))


class Response(http.client.HTTPResponse):
    """An answer whose body is counted, and missed when it ends too early."""

    def __init__(self, sock: socket.socket, *arguments: Any, meter: Meter, **more: Any) -> None:
        super().__init__(sock, *arguments, **more)
        self._meter = meter

    def read(self, amt: int | None = None) -> bytes:
        """As usual."""
        try:
            data = super().read(amt)
        except (OSError, http.client.HTTPException):
            self._meter.ended(well=False)
            raise
        self._meter.count(len(data))
        if not data and amt and self.length:
            self._meter.ended(well=False)
        return data

"""A TCP or TLS connection to the room by one link, up to the WebSocket: each step with a deadline of its own.

Plain blocking calls with time-outs until the upgrade's answer is there; after that nothing blocks but `wait`.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import struct
import time
from dataclasses import dataclass

from probes import ndt7, trust, websocket
from probes.links.binding import PLATFORM, BindingError, bind_to_link
from probes.room_failures import OF_A_TEST, by_status
from probes.session import ProbeFailure
from probes.tcp_info import ask_cubic
from reports.record import Link

CONNECT_S, TLS_S = 4.0, 4.0
_LOOK_S = 0.1  # how often a wait looks whether it is still wanted
_LOST = "the connection was closed"


@dataclass(frozen=True, slots=True)
class Target:
    """Where an ndt7 server is, by which link, and how it is trusted. `tls` False: plain ws://, for benchmarks."""

    address: tuple[str, int]
    name: str  # what its certificate must say, unless it is known by its `fingerprint` (SHA-256)
    link: Link | None = None
    fingerprint: bytes | None = None
    token: str = ""
    tls: bool = True

    def request(self, path: str, key: str, wait_s: float) -> bytes:
        """The upgrade request; the room answers when it is this transfer's turn, at the latest after `wait_s`."""
        host = f"[{self.name}]" if ":" in self.name else self.name
        query = f"?access_token={self.token}&wait={wait_s:.0f}" if self.token else ""
        return websocket.upgrade_request(f"{host}:{self.address[1]}", path + query, key, ndt7.SUBPROTOCOL)


class Stream:
    """A connected socket that does not block. Its errors are ProbeFailure `transfer_stalled`."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.sock = sock
        self._selector = selectors.DefaultSelector()
        self._selector.register(sock, selectors.EVENT_READ)
        self._writing = False

    def receive(self, buffer: bytearray) -> int | None:
        """How many octets came; None: none yet; 0: the other end has closed."""
        try:
            return self.sock.recv_into(buffer)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None
        except OSError as error:
            raise ProbeFailure("transfer_stalled", _LOST) from error

    def send(self, view: memoryview) -> int:
        """How many octets were taken; 0: none now, and then the same must be offered again (as TLS wants it)."""
        try:
            return self.sock.send(view)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return 0
        except OSError as error:
            raise ProbeFailure("transfer_stalled", _LOST) from error

    def wait(self, seconds: float, *, write: bool = False) -> None:
        """Until something can be read (or written), at most so long."""
        if write != self._writing:
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if write else 0)
            self._selector.modify(self.sock, events)
            self._writing = write
        self._selector.select(seconds)

    def abort(self) -> None:
        """Close at once, and let the kernel throw away what was not sent: nobody waits for it."""
        self._selector.close()
        with contextlib.suppress(OSError):
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_0)
        with contextlib.suppress(OSError):
            self.sock.close()


_LINGER_0 = struct.pack("HH" if PLATFORM == "win32" else "ii", 1, 0)


def connect(target: Target, window: int = 0) -> tuple[Stream, str]:
    """The connection, and its congestion control ("": not known). ProbeFailure says why there is none.

    `window`: octets that may be on their way to here at most; 0: as many as the system likes.
    """
    sock = _tcp(target, window)
    try:
        control = ask_cubic(sock)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return Stream(_tls(sock, target) if target.tls else sock), control
    except BaseException:
        sock.close()
        raise


def _tcp(target: Target, window: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in target.address[0] else socket.AF_INET, socket.SOCK_STREAM)
    try:
        if target.link is not None:
            bind_to_link(sock, target.link)
        if window:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        sock.settimeout(CONNECT_S)
        sock.connect(target.address)
    except OSError as error:
        sock.close()
        raise ProbeFailure(_connect_code(error)) from error
    return sock


def _connect_code(error: OSError) -> str:
    if isinstance(error, BindingError):
        return "link_not_bound"
    return "room_refused_connection" if isinstance(error, ConnectionRefusedError) else "room_unreachable"


def _tls(sock: socket.socket, target: Target) -> ssl.SSLSocket:
    """The handshake, and proof that it is the room, before anything is sent to it."""
    sock.settimeout(TLS_S)
    try:
        secure = trust.context(target.fingerprint).wrap_socket(sock, server_hostname=target.name)
    except ssl.SSLCertVerificationError as error:
        raise ProbeFailure(trust.failure_code(error)) from error
    except TimeoutError:
        raise ProbeFailure("room_unreachable", "it accepts connections and says nothing") from None
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise ProbeFailure("room_protocol", type(error).__name__) from error
    if not trust.is_known(secure, target.fingerprint):
        secure.close()
        raise ProbeFailure("room_certificate_mismatch")
    return secure


def upgrade(stream: Stream, target: Target, path: str, wait_s: float, wanted: Wanted) -> bytes:
    """Ask for a transfer and wait for the turn; what came after the answer's head. ProbeFailure, also "timeout"."""
    key = websocket.new_key()
    end = time.monotonic() + wait_s
    _send_all(stream, target.request(path, key, wait_s), end, wanted)
    head, rest = _head(stream, end + 1.0, wanted)  # the room itself says at `end` that it is busy
    try:
        websocket.check_upgrade(head, key, ndt7.SUBPROTOCOL)
    except websocket.UpgradeRefusedError as error:
        raise by_status(error.status, error.retry_after_s, OF_A_TEST) from error
    except websocket.WebSocketError as error:
        raise ProbeFailure("room_protocol", str(error)) from error
    return rest


def _send_all(stream: Stream, data: bytes, end: float, wanted: Wanted) -> None:
    view = memoryview(data)
    while view:
        sent = stream.send(view)
        view = view[sent:]
        if not sent:
            stream.wait(_LOOK_S, write=True)
            wanted.check(end)


def _head(stream: Stream, end: float, wanted: Wanted) -> tuple[bytes, bytes]:
    """The whole head within one deadline, however slowly its octets drip in."""
    buffer, got = bytearray(websocket.MOST_HEAD), bytearray()
    while True:
        count = stream.receive(buffer)
        if count == 0:
            raise ProbeFailure("room_protocol", _LOST)
        if count is None:
            stream.wait(_LOOK_S)
        else:
            got += memoryview(buffer)[:count]
        try:
            if found := websocket.split_head(got):
                return found
        except websocket.WebSocketError as error:
            raise ProbeFailure("room_protocol", str(error)) from error
        wanted.check(end)


class Wanted:
    """Is what a thread waits for still wanted?"""

    def __init__(self) -> None:
        self.no = False

    def check(self, end: float) -> None:
        """Raises ProbeFailure when it was stopped, or when it is past `end` (time.monotonic())."""
        if self.no:
            raise ProbeFailure("interrupted")
        if time.monotonic() > end:
            raise ProbeFailure("timeout", "the room did not answer the request for a transfer")

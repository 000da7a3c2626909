"""A call's UDP port: ICE as a lite agent (RFC 8445, section 2.5) does it, and which datagram is what (RFC 7983).

The room never sends first: it answers checks that carry the right password, and talks to addresses from which such a
check came. So an offer cannot make it send anything to anybody.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import socket
import struct
from collections.abc import Callable
from typing import Any

from aioice import stun

_AT_ONCE = 32  # datagrams of one call before the others have their turn
_MOST_ADDRESSES = 32
_MOST_WAITING = 64
_BUFFER = 1 << 20
_DATAGRAM = 2048

Address = tuple[Any, ...]


def bound(addresses: tuple[str, ...], ports: tuple[int, int] | None) -> socket.socket:
    """A socket on the first of the addresses that is this computer's, on a free port of the range. OSError: none."""
    last: OSError = OSError("no address")
    for address in addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        for port in _order(ports):
            sock = socket.socket(family, socket.SOCK_DGRAM)
            try:
                sock.bind((address, port))
            except OSError as error:
                sock.close()
                last = error
                continue
            sock.setblocking(False)
            for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
                with contextlib.suppress(OSError):
                    sock.setsockopt(socket.SOL_SOCKET, option, _BUFFER)
            return sock
    raise last


def _order(ports: tuple[int, int] | None) -> list[int]:
    if ports is None:
        return [0]
    every = list(range(ports[0], ports[1] + 1))
    return random.sample(every, len(every))


class CallPort:
    """One call's end of ICE. It is what aiortc's RTCDtlsTransport takes for an ICE transport (`_recv`, `_send`).

    `media` gets each SRTP and SRTCP datagram as it came.
    """

    role, state = "controlled", "completed"

    def __init__(self, sock: socket.socket, remote_ufrag: str, media: Callable[[bytes], None]) -> None:
        self._sock, self._media = sock, media
        self.ufrag, self.password = secrets.token_hex(4), secrets.token_hex(16)
        self._username = f"{self.ufrag}:{remote_ufrag}"
        self._known: set[Address] = set()
        self._peer: Address | None = None
        self._handshake: asyncio.Queue[bytes | None] = asyncio.Queue(_MOST_WAITING)
        self._loop = asyncio.get_running_loop()
        self.address, self.port = str(sock.getsockname()[0]), int(sock.getsockname()[1])
        self._loop.add_reader(sock.fileno(), self._readable)

    def close(self) -> None:
        """Hear no more; whoever waits for a datagram gets a ConnectionError."""
        if self._sock.fileno() < 0:
            return
        self._loop.remove_reader(self._sock.fileno())
        self._sock.close()
        if self._handshake.full():
            self._handshake.get_nowait()
        self._handshake.put_nowait(None)

    def send(self, datagram: bytes) -> bool:
        """To the caller; False when the system did not take it or nobody is there."""
        if self._peer is None:
            return False
        try:
            self._sock.sendto(datagram, self._peer)
        except OSError:
            return False
        return True

    async def _send(self, datagram: bytes) -> None:
        self.send(datagram)

    async def _recv(self) -> bytes:
        datagram = await self._handshake.get()
        if datagram is None:
            raise ConnectionError
        return datagram

    def _readable(self) -> None:
        receive, known = self._sock.recvfrom, self._known
        for _ in range(_AT_ONCE):
            try:
                datagram, address = receive(_DATAGRAM)
            except OSError:
                return
            first = datagram[0] if datagram else 255
            if first < 4:
                self._check(datagram, address)
            elif address not in known:
                continue
            elif 127 < first < 192:
                self._media(datagram)
            elif 19 < first < 64 and not self._handshake.full():
                self._handshake.put_nowait(datagram)
            if self._sock.fileno() < 0:
                return

    def _check(self, datagram: bytes, address: Address) -> None:
        """Answer a connectivity check that knows the password; that makes its sender one to talk to."""
        try:
            asked = stun.parse_message(datagram)
        except (ValueError, IndexError, struct.error):
            return
        key = self.password.encode()
        is_check = (asked.message_method, asked.message_class) == (stun.Method.BINDING, stun.Class.REQUEST)
        if not is_check or asked.attributes.get("USERNAME") != self._username or not asked.check_message_integrity(key):
            return
        if address not in self._known and len(self._known) >= _MOST_ADDRESSES:
            return
        self._known.add(address)
        if self._peer is None or "USE-CANDIDATE" in asked.attributes:
            self._peer = address
        seen = {"XOR-MAPPED-ADDRESS": (address[0].partition("%")[0], address[1])}
        reply = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, asked.transaction_id, dict(seen))
        reply.add_message_integrity(key)
        with contextlib.suppress(OSError):
            self._sock.sendto(bytes(reply), address)

"""STUN messages by UDP, TCP and TLS, from a socket that leaves by one link (RFC 8489, section 6.2).

What keeps a message from being answered is an Unanswered with an outcome; nothing else is raised for what a network or
a stranger does.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, Protocol

from aioice import stun

from probes.links.binding import BindingError, bound_socket

if TYPE_CHECKING:
    from reports.record import Link

Outcome = Literal[
    "ok",  # a relay was given; without credentials: a TURN server answers
    "alternate",  # it names another server (300)
    "other",  # a trusted TLS server is there, and does not answer as TURN does
    "unauthorized", "forbidden", "quota", "error",  # 401 after the credentials, 403, 486, any other
    "intercepted",  # something else answers in its place
    "certificate",  # its certificate is not valid now
    "silent", "closed",  # the connection was there; then nothing more came, or it was ended
    "refused", "unreachable", "blocked",  # the computer says no; a router or this computer does; nothing comes
    "no_name",  # its name was not found
]  # fmt: skip
RTO_S, LONGEST_RTO_S = 0.25, 0.5  # the whole is over in three seconds: silence is asked again sooner than RFC 8489's
HEADER = 20
LARGEST = 2048  # a longer "message" on a stream is not STUN
Acceptable = Callable[[stun.Message], bool]


class Unanswered(Exception):  # noqa: N818 - a network that does not answer is data, not an error
    """Why no answer came. `detail` holds no address."""

    def __init__(self, outcome: Outcome, detail: str = "") -> None:
        super().__init__(outcome)
        self.outcome, self.detail = outcome, detail


class Wire(Protocol):
    """A way to one server. `trusted`: it has shown a certificate that this computer trusts."""

    trusted: bool

    async def ask(self, request: stun.Message, until: float, acceptable: Acceptable) -> stun.Message:
        """The answer to it, by `until` (time.monotonic()); whatever else comes is passed over. Raises Unanswered."""
        ...

    def tell(self, request: stun.Message) -> None:
        """Send it once, and wait for nothing."""
        ...

    def close(self) -> None:
        """At once."""
        ...


def parse(data: bytes) -> stun.Message | None:
    """One STUN message from a stranger; None when it is not one."""
    if data[4:8] != stun.COOKIE.to_bytes(4, "big"):
        return None
    try:
        message: stun.Message = stun.parse_message(data)
        return message
    except (ValueError, struct.error, IndexError):
        return None


def answers(message: stun.Message, request: stun.Message) -> bool:
    """Is it an answer to that request?"""
    return (
        message.transaction_id == request.transaction_id
        and message.message_method == request.message_method
        and message.message_class in (stun.Class.RESPONSE, stun.Class.ERROR)
    )


def left(until: float) -> float:
    """Seconds until then; 0 when it has passed."""
    return max(0.0, until - time.monotonic())


def by_error(error: OSError) -> Outcome:
    """What the system says of a packet or a connection."""
    if isinstance(error, BindingError):
        return "unreachable"
    if isinstance(error, ConnectionRefusedError | ConnectionResetError):
        return "refused"
    return "blocked" if isinstance(error, TimeoutError) else "unreachable"


# ---- UDP --------------------------------------------------------------------------------------------------------


class Datagrams(asyncio.DatagramProtocol):
    """A UDP socket. Connected to one server (then its ICMP errors count), or free to ask several."""

    trusted = False

    def __init__(self, sock: socket.socket, connected: bool) -> None:
        self.own: tuple[str, int] = sock.getsockname()[:2]
        self._connected = connected
        self._waiting: dict[bytes, asyncio.Future[stun.Message]] = {}
        self.transport: asyncio.DatagramTransport | None = None

    def datagram_received(self, data: bytes, _addr: object) -> None:
        """Of asyncio. Only what answers a request that waits is looked at."""
        message = parse(data)
        future = self._waiting.get(message.transaction_id) if message is not None else None
        if message is not None and future is not None and not future.done():
            future.set_result(message)

    def error_received(self, exc: Exception) -> None:
        """Of asyncio: an ICMP error, by a connected socket from the server's side."""
        for future in self._waiting.values() if self._connected else ():
            if not future.done():
                future.set_exception(exc)

    def tell(self, request: stun.Message, address: tuple[str, int] | None = None) -> None:
        """Send it once. `address`: when the socket is not connected."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.sendto(bytes(request), address)

    async def once(self, request: stun.Message, until: float, address: tuple[str, int] | None = None) -> stun.Message:
        """Send it once and wait for what has its number. TimeoutError; OSError by a connected socket."""
        future = self._expect(request)  # first: what this computer itself refuses, it refuses at once
        self.tell(request, address)
        return await self._heard(request, future, until)

    def _expect(self, request: stun.Message) -> asyncio.Future[stun.Message]:
        future: asyncio.Future[stun.Message] = asyncio.get_running_loop().create_future()
        self._waiting[request.transaction_id] = future
        return future

    async def _heard(self, request: stun.Message, future: asyncio.Future[stun.Message], until: float) -> stun.Message:
        try:
            async with asyncio.timeout(left(until)):
                return await future
        finally:
            del self._waiting[request.transaction_id]

    async def ask(self, request: stun.Message, until: float, acceptable: Acceptable) -> stun.Message:
        """See Wire. Sent again while nothing comes."""
        wait = RTO_S
        while left(until):
            again = min(until, time.monotonic() + wait)
            try:
                message = await self.once(request, again)
                while not (answers(message, request) and acceptable(message)):
                    message = await self._heard(request, self._expect(request), again)
                return message
            except TimeoutError:
                wait = min(2 * wait, LONGEST_RTO_S)
            except OSError as error:
                raise Unanswered(by_error(error)) from None
        raise Unanswered("blocked")

    def close(self) -> None:
        """See Wire."""
        if self.transport is not None:
            self.transport.close()


async def datagrams(link: Link, family: int, server: tuple[str, int] | None = None) -> Datagrams:
    """A UDP socket by the link, connected to the server if one is given. Raises Unanswered."""
    sock = None
    try:
        sock = bound_socket(link, family, socket.SOCK_DGRAM)
        sock.setblocking(False)
        if server is not None:
            sock.connect(server)
        loop, made = asyncio.get_running_loop(), Datagrams(sock, server is not None)
        made.transport, _ = await loop.create_datagram_endpoint(lambda: made, sock=sock)
        return made
    except OSError as error:
        if sock is not None:
            sock.close()
        raise Unanswered(by_error(error)) from None


# ---- TCP and TLS ------------------------------------------------------------------------------------------------


class Stream:
    """A TCP or TLS connection. `trusted`: the TLS handshake ended well."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, trusted: bool) -> None:
        self._reader, self._writer, self.trusted = reader, writer, trusted

    def tell(self, request: stun.Message) -> None:
        """See Wire."""
        self._writer.write(bytes(request))

    async def ask(self, request: stun.Message, until: float, acceptable: Acceptable) -> stun.Message:
        """See Wire. The stream itself sends again."""
        try:
            async with asyncio.timeout(left(until)):
                self.tell(request)
                while True:
                    message = await self._next()
                    if answers(message, request) and acceptable(message):
                        return message
        except TimeoutError:
            raise Unanswered("silent") from None
        except (OSError, EOFError):
            raise Unanswered("closed") from None

    async def _next(self) -> stun.Message:
        """The next message. Raises Unanswered when what comes is none, EOFError at the end."""
        head = await self._some(HEADER)
        message, length = None, int.from_bytes(head[2:4], "big")
        if length <= LARGEST and head[0] < 0x40 and head[4:8] == stun.COOKIE.to_bytes(4, "big"):
            message = parse(head + await self._reader.readexactly(length))
        if message is None:
            raise Unanswered("intercepted", "what answers does not speak TURN")
        return message

    async def _some(self, count: int) -> bytes:
        """So many bytes; fewer only of a stranger that has said something short and ended."""
        try:
            return await self._reader.readexactly(count)
        except asyncio.IncompleteReadError as error:
            if not error.partial:
                raise
            return error.partial

    def close(self) -> None:
        """See Wire."""
        self._writer.transport.abort()

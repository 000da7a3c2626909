"""One HTTP request in our own words, and the head of its answer (RFC 9112): all that some steps want of a server."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable, Iterable

HEAD_BYTES = 16_384


@dataclass(frozen=True, slots=True)
class Head:
    """Of an HTTP answer. `empty`: it says that nothing follows. `date`, `age`: as they stand there."""

    status: int
    location: str = ""
    empty: bool = False
    date: str | None = None
    age: str | None = None


def request(*lines: str) -> bytes:
    """The request line and the fields, on the wire."""
    return "\r\n".join([*lines, "", ""]).encode()


async def ask(sock: socket.socket, lines: Iterable[str], at_once: int = HEAD_BYTES) -> Head | None:
    """The answer to a request. `at_once`: 1 where what follows the head must be left unread. OSError."""
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(sock, request(*lines))
    return await read_head(lambda: loop.sock_recv(sock, at_once))


async def read_head(more: Callable[[], Awaitable[bytes]]) -> Head | None:
    """Of what `more` gives, until the head's end, the connection's, or HEAD_BYTES. None: it is not HTTP."""
    said = b""
    while b"\r\n\r\n" not in said and len(said) < HEAD_BYTES and (part := await more()):
        said += part
    return parse_head(said)


def parse_head(said: bytes) -> Head | None:
    """RFC 9112, sections 4 and 5; None: it is not HTTP."""
    first, *lines = said.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    words = first.split()
    if len(words) < 2 or not words[0].startswith("HTTP/") or not (words[1].isdecimal() and len(words[1]) == 3):
        return None
    fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    empty = fields.get("content-length") == "0"
    return Head(int(words[1]), fields.get("location", ""), empty, fields.get("date"), fields.get("age"))

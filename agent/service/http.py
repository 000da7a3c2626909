"""What the agent answers on this computer: /metrics, /verdict, /health.

A server of its own in few lines, because an HTTP library would cost more memory than all the rest of the agent. It
takes GET and HEAD without a body, one request a connection (RFC 9112), on a loopback address. A page on the web may
make a browser ask here under a name that it has pointed to 127.0.0.1: so only this computer's own names are answered
to, and nothing that a browser marks as coming from another site.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from agent.settings import SettingsError

OFF = "off"
REQUEST_S, ANSWER_S = 5.0, 5.0
MOST_BYTES = 8192
MOST_CONNECTIONS = 32
_LINE = re.compile(rb"([A-Z]{1,16}) (/[!-~]*) HTTP/1\.[01]")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t -~\x80-\xff]*?)[ \t]*")
_NAMES = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True, slots=True)
class Answer:
    """`content`: its media type."""

    body: bytes
    content: str = "application/json"
    status: int = 200


Pages = Mapping[str, Callable[[], Answer]]


class HttpError(Exception):
    """The request is refused."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


def address(listen: str) -> tuple[str, int] | None:
    """(host, port) of the setting; None: off. Raises SettingsError."""
    if listen == OFF:
        return None
    host, colon, port = listen.rpartition(":")
    host = host.strip("[]")
    if not colon or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise SettingsError(f'agent.listen looks like 127.0.0.1:8864, or is "off", not {listen!r}')
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).is_loopback:
            return host, int(port)
    raise SettingsError(f"agent.listen must be an address of this computer only, like 127.0.0.1, not {host!r}")


class Server:
    """On one address. `pages`: by path."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._server: asyncio.Server | None = None
        self._names: frozenset[str] = frozenset()
        self._open: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}
        self.url = ""

    async def start(self, host: str, port: int) -> None:
        """Raises OSError."""
        self._server = await asyncio.start_server(self._serve, host, port, limit=MOST_BYTES, backlog=MOST_CONNECTIONS)
        port = self._server.sockets[0].getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{port}"
        self._names = frozenset(f"{name}:{port}" for name in (*_NAMES, shown))

    async def close(self) -> None:
        """Take no more, and let go of who is there."""
        if self._server is not None:
            self._server.close()
            self._server = None
        tasks = [task for task in self._open.values() if task is not None]
        for writer in self._open:
            writer.transport.abort()
        if tasks:
            await asyncio.wait(tasks, timeout=1.0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._open) >= MOST_CONNECTIONS:
            return writer.transport.abort()
        self._open[writer] = asyncio.current_task()
        try:
            async with asyncio.timeout(REQUEST_S + ANSWER_S):
                writer.write(await self._answered(reader))
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            pass  # it went away
        finally:
            del self._open[writer]
            writer.close()

    async def _answered(self, reader: asyncio.StreamReader) -> bytes:
        try:
            method, path, headers = parsed(await _head(reader))
            self._check(headers)
            if method not in ("GET", "HEAD"):
                raise HttpError(HTTPStatus.METHOD_NOT_ALLOWED)
            page = self._pages.get(path.partition("?")[0])
            if page is None:
                raise HttpError(HTTPStatus.NOT_FOUND)
        except HttpError as refused:
            return written(Answer(f"{refused.status.phrase}\n".encode(), "text/plain", refused.status))
        return written(page(), head=method == "HEAD")

    def _check(self, headers: Mapping[str, str]) -> None:
        """RFC 9110, 7.4: a request for another host is misdirected."""
        if headers.get("host", "").lower() not in self._names:
            raise HttpError(HTTPStatus.MISDIRECTED_REQUEST)
        origin = headers.get("origin", "").lower().removeprefix("http://")
        site = headers.get("sec-fetch-site", "none")
        if (origin and origin not in self._names) or site not in ("none", "same-origin"):
            raise HttpError(HTTPStatus.FORBIDDEN)


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        async with asyncio.timeout(REQUEST_S):
            return await reader.readuntil(b"\r\n\r\n")
    except TimeoutError:
        raise HttpError(HTTPStatus.REQUEST_TIMEOUT) from None
    except asyncio.LimitOverrunError:
        raise HttpError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE) from None


def parsed(head: bytes) -> tuple[str, str, dict[str, str]]:
    """Method, target, headers by lower-case name. HttpError when it is not plainly HTTP/1 without a body."""
    first, *rest = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    line = _LINE.fullmatch(first)
    if line is None:
        raise HttpError(HTTPStatus.BAD_REQUEST)
    headers: dict[str, str] = {}
    for each in rest:
        match = _HEADER.fullmatch(each)
        name = match[1].decode().lower() if match else ""
        if match is None or (name == "host" and name in headers):
            raise HttpError(HTTPStatus.BAD_REQUEST)
        headers[name] = match[2].decode("latin-1")
    if headers.get("content-length", "0") != "0" or "transfer-encoding" in headers:
        raise HttpError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return line[1].decode(), line[2].decode(), headers


def written(answer: Answer, *, head: bool = False) -> bytes:
    """The answer's octets. `head`: without the body."""
    lines = [
        f"HTTP/1.1 {int(answer.status)} {HTTPStatus(answer.status).phrase}",
        f"Content-Type: {answer.content}",
        f"Content-Length: {len(answer.body)}",
        "Cache-Control: no-store",
        "Cross-Origin-Resource-Policy: same-origin",
        "X-Content-Type-Options: nosniff",
        "Connection: close",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + (b"" if head else answer.body)

"""Every server of a meeting service but its relays, in one program: `python -m tests.netlab.service_host FOLDER`.

Two name servers; a portal, which sends the browser to a login service and gets it back; a second login service; a
captive portal's own page; an HTTP proxy. FOLDER holds their certificates (see `certificates`). Each line on standard
input is a State as JSON, which is answered by a line when it is in force. It ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal

from tests.netlab.dns_answerer import Answerer, Zone, listen

PORTAL, LOGIN, SECOND_LOGIN = "portal.meeting.example", "login.first.example", "login.second.example"
MEDIA, RELAY = "media.meeting.example", "relay.room.example"
NUMBERS = {PORTAL: 3, LOGIN: 4, SECOND_LOGIN: 5, MEDIA: 6, RELAY: 11}  # the last of their addresses
RESOLVERS = ("10.98.3.7", "10.98.3.8")
PROXY, PROXY_PORT, DEAD_PROXY_PORT = "10.98.3.9", 3128, 3129
CAPTIVE = "10.98.3.10"
LOGIN_PATH, BACK_PATH = "/auth/start", "/auth/back"
PATIENCE = 10.0

Pem = Literal["good", "expired", "wrong_name", "unknown"]
Page = Literal["login", "loop", "error"]


def addresses(name: str) -> tuple[str, ...]:
    """IPv4 and IPv6 of a host of the service."""
    return f"10.98.3.{NUMBERS[name]}", f"fd98:0:0:3::{NUMBERS[name]}"


NAMES = {name: addresses(name) for name in NUMBERS}


@dataclass
class State:
    """How the service is. `date_off`: what its clocks are ahead of the truth, seconds."""

    zones: list[Zone] = field(default_factory=lambda: [Zone(NAMES) for _ in RESOLVERS])
    page: Page = "login"
    certificate: Pem = "good"
    date_off: float = 0.0

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str) -> State:
        said = json.loads(line)
        return cls(**(said | {"zones": [Zone(**zone) for zone in said["zones"]]}))


def certificates(folder: Path) -> Path:
    """Write those of the service, and what a client must trust: the file that this returns."""
    import trustme

    authority, names = trustme.CA(), [*NUMBERS, CAPTIVE]
    made = {
        "good": authority.issue_cert(*names),
        "expired": authority.issue_cert(*names, not_after=datetime.now(UTC) - timedelta(days=2)),
        "wrong_name": authority.issue_cert("another.example"),
        "unknown": trustme.CA().issue_cert(*names),
    }
    for name, one in made.items():
        (folder / f"{name}.pem").write_bytes(one.private_key_and_cert_chain_pem.bytes())
    trusted = folder / "authority.pem"
    authority.cert_pem.write_to_path(str(trusted))
    return trusted


# ---- pages --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    status: int
    location: str = ""
    body: str = ""


Pages = Callable[[State, str], Answer]  # the path asked for


def portal(state: State, path: str) -> Answer:
    if state.page == "error":
        return Answer(503)
    if state.page == "loop":
        return Answer(302, f"/auth/{'b' if path.endswith('/a') else 'a'}")
    if path == LOGIN_PATH:
        return Answer(302, f"https://{LOGIN}/sso?back=1")
    return Answer(200, body="<title>the meeting</title>") if path.startswith(BACK_PATH) else Answer(404)


def login(_: State, path: str) -> Answer:
    if path.startswith("/sso"):
        return Answer(302, f"https://{PORTAL}{BACK_PATH}?ticket=1")
    return Answer(200, body="<title>log in</title>")


def to_https(_: State, path: str) -> Answer:
    return Answer(301, f"https://{PORTAL}{path}")


def captive(_: State, path: str) -> Answer:
    """What a network shows that wants a login of its own, whoever is asked for."""
    page = f"http://{CAPTIVE}/welcome"
    return Answer(200, body="<title>welcome</title>") if path == "/welcome" else Answer(302, page)


class Host:
    """All of it, in one state."""

    def __init__(self, folder: Path) -> None:
        self.state = State()
        self._contexts = {
            name: _context(folder / f"{name}.pem") for name in ("good", "expired", "wrong_name", "unknown")
        }
        self._answerers: list[Answerer] = []

    async def open(self) -> None:
        self._answerers = [await listen(address, Zone(NAMES)) for address in RESOLVERS]
        await self._pages(portal, NAMES[PORTAL], 443, _changing(lambda: self._contexts[self.state.certificate]))
        await self._pages(to_https, NAMES[PORTAL], 80)
        for name in (LOGIN, SECOND_LOGIN):
            await self._pages(login, NAMES[name], 443, self._contexts["good"])
        await self._pages(captive, [CAPTIVE], 80)
        await self._pages(captive, [CAPTIVE], 443, self._contexts["unknown"])
        await asyncio.start_server(_tunnel, PROXY, PROXY_PORT)

    def be(self, state: State) -> None:
        self.state = state
        for answerer, zone in zip(self._answerers, state.zones, strict=True):
            answerer.zone = zone

    async def _pages(
        self, pages: Pages, listen_on: Sequence[str], port: int, context: ssl.SSLContext | None = None
    ) -> None:
        await asyncio.start_server(partial(self._serve, pages), list(listen_on), port, ssl=context)

    async def _serve(self, pages: Pages, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
            async with asyncio.timeout(PATIENCE):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(self._wire(pages(self.state, head.split()[1].decode())))
                await writer.drain()
        writer.close()

    def _wire(self, answer: Answer) -> bytes:
        date = format_datetime(datetime.now(UTC) + timedelta(seconds=self.state.date_off), usegmt=True)
        lines = [f"HTTP/1.1 {answer.status} so", f"Date: {date}", "Connection: close"]
        lines += [f"Content-Length: {len(answer.body)}", "Content-Type: text/html"]
        lines += [f"Location: {answer.location}"] if answer.location else []
        return "\r\n".join([*lines, "", answer.body]).encode()


def _context(pem: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


def _changing(now: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """A context that shows, at each handshake, the certificate of this moment."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)

    def choose(connection: Any, _name: str | None, _context: ssl.SSLContext) -> None:
        connection.context = now()

    context.sni_callback = choose
    return context


# ---- proxy --------------------------------------------------------------------------------------------------------


async def _tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """HTTP CONNECT to a host of the service (RFC 9110, section 9.3.6); any other is not let through."""
    with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError, IndexError):
        target = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
        name, _, port = target.rpartition(":")
        if name not in NAMES:
            writer.write(b"HTTP/1.1 403 so\r\n\r\n")
        else:
            there, back = await asyncio.open_connection(NAMES[name][0], int(port))
            writer.write(b"HTTP/1.1 200 so\r\n\r\n")
            await asyncio.gather(_pour(reader, back), _pour(there, writer))
    writer.close()


async def _pour(source: asyncio.StreamReader, into: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(65536):
            into.write(data)
            await into.drain()
    into.close()


async def serve(folder: Path) -> None:
    host = Host(folder)
    await host.open()
    while line := await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline):
        host.be(State.from_json(line))
        print("in force", flush=True)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))

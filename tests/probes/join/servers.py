"""Real servers of every temper on loopback, an authority that the test's process trusts, and errands for the steps."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from pathlib import Path

import pytest
import trustme

from probes.join.errand import Errand, Found
from probes.profile import Profile
from probes.session import Draft, ProbeFailure
from reports.vocabulary import FAILURES
from tests.probes import rooms
from tests.probes.rooms import Talk, serving

HOST = "portal.example"
BOTH = ("::1", "127.0.0.1")


class Authority:
    """A certificate authority. `trusted(monkeypatch, path)`: this process believes it, by the system's own way."""

    def __init__(self, name: str = "A Good Issuer") -> None:
        self.ca = trustme.CA(organization_name=name)

    def trusted(self, monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
        self.ca.cert_pem.write_to_path(str(path / "ca.pem"))
        monkeypatch.setenv("SSL_CERT_FILE", str(path / "ca.pem"))
        monkeypatch.setenv("SSL_CERT_DIR", str(path))

    def context(self, *names: str, days: tuple[float, float] = (-1, 90)) -> ssl.SSLContext:
        """For a server whose certificate is good from the first to the second of `days` from now."""
        now = datetime.now(UTC)
        begins, ends = (now + timedelta(days=d) for d in days)
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(*(names or (HOST,)), not_before=begins, not_after=ends).configure_cert(made)
        return made


GOOD, STRANGER = Authority(), Authority("Fortress Appliances")


def errand(profile: Profile, seconds: float = 1.4, **changes: object) -> Errand:
    """For one step, by the link lo; `changes` of what the steps before have found."""
    found: dict[str, object] = {"addresses": {HOST: ("127.0.0.1",)}}
    link = rooms.link(addresses=("127.0.0.1", "::1"))
    session = rooms.errand("https://room.example", link=link, profile=profile)
    draft = Draft("join_it", "lo", time.time())
    return Errand("it", session, Found(**(found | changes)), time.monotonic() + seconds, draft)  # type: ignore[arg-type]


def at(port: int, path: str = "/login", host: str = HOST, **changes: object) -> Profile:
    """A service whose portal is there."""
    return Profile(portal=f"https://{host}:{port}{path}", **changes)  # type: ignore[arg-type]


async def outcome(step: Callable[[Errand], Awaitable[None]], wanted: Errand) -> tuple[str, str]:
    """Take it: the code and detail of its failure or remark, ("ok", "") when there is none. Never late."""
    try:
        await step(wanted)
    except ProbeFailure as failure:
        code, detail = failure.code, failure.detail
    else:
        failed = wanted.m.failure
        code, detail = (failed.code, failed.detail) if failed else ("ok", "")
    assert wanted.left > 0, "the step took longer than it has"
    assert code == "ok" or code in FAILURES
    assert not any(secret in detail for secret in ("127.0.0.1", "::1", HOST))
    wanted.m.failure = None
    wanted.m.measurement()  # its names are in the vocabulary
    return code, detail


# ---- servers ----------------------------------------------------------------------------------------------------


def page(status: str = "200 OK", *headers: str, body: bytes = b"<html>", date: float | None = 0.0) -> bytes:
    """An HTTP answer. `date`: the server's clock less the true time; None: it does not say."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    if date is not None:
        lines.append(f"Date: {formatdate(time.time() + date, usegmt=True)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def saying(answer: Callable[[str, str], bytes]) -> Talk:
    """HTTP, one request after the other: `answer(path, cookie)` is sent."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            cookies = [line.partition(": ")[2] for line in head.split("\r\n") if line.lower().startswith("cookie:")]
            writer.write(answer(head.split()[1], "".join(cookies)))
            await writer.drain()

    return talk


async def nothing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Accepts, and never says a word."""
    await reader.read()


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """As a firewall that has seen the name in the first message."""
    await reader.read(1)
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    writer.transport.abort()


async def closing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read(4096)


def answering(words: bytes) -> Talk:
    """Whatever is asked."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(words)
        await writer.drain()

    return talk


@contextmanager
def refusing() -> Iterator[int]:
    """A port on which nobody listens, by IPv4 and IPv6; and nobody will."""
    with socket.socket(socket.AF_INET6) as held:
        held.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        held.bind(("::", 0))
        yield held.getsockname()[1]


@contextmanager
def silent(host: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """A port that swallows what is sent to it: its queue is full, and nobody accepts."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as full, socket.socket(family) as first, socket.socket(family) as second:
        full.bind((host, port))
        full.listen(0)
        for sock in (first, second):
            sock.setblocking(False)
            sock.connect_ex(full.getsockname())
        time.sleep(0.01)
        yield full.getsockname()[1]


@asynccontextmanager
async def proxy(status: str = "200 Connected", login: str = "") -> AsyncIterator[tuple[int, list[str]]]:
    """An HTTP proxy with CONNECT to this computer, whatever the name; its port, and the targets that it was told."""
    targets: list[str] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        targets.append(head.split()[1])
        if login and f"Proxy-Authorization: Basic {login}\r\n" not in head:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
            return
        writer.write(f"HTTP/1.1 {status}\r\n\r\n".encode())
        if " 200 " in f" {status} ":
            far = await asyncio.open_connection("127.0.0.1", int(targets[-1].rpartition(":")[2]))
            await asyncio.gather(_pour(reader, far[1]), _pour(far[0], writer))

    async with serving(talk) as port:
        yield port, targets


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while some := await reader.read(65536):
            writer.write(some)
            await writer.drain()
    finally:
        writer.close()

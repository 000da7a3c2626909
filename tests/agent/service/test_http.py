"""The agent's own small HTTP server, spoken to in octets."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.service import http
from agent.service.http import Answer, HttpError, Server, address, parsed
from agent.settings import SettingsError


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server({"/metrics": lambda: Answer(b"up 1\n", "text/plain"), "/verdict": lambda: Answer(b"{}", status=404)})
    await made.start("127.0.0.1", 0)
    yield made
    await made.close()


async def say(server: Server, octets: bytes, *, end: bool = False) -> bytes:
    reader, writer = await asyncio.open_connection(*server.url.removeprefix("http://").split(":"))
    writer.write(octets.replace(b"PORT", server.url.rpartition(":")[2].encode()))
    if end:
        writer.write_eof()
    try:
        async with asyncio.timeout(5):
            return await reader.read()
    finally:
        writer.close()


def get(path: str = "/metrics", host: str = "127.0.0.1:PORT", *more: str, method: str = "GET") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", f"Host: {host}", *more, "", ""]).encode()


ROWS = [
    (get(), 200),
    (get("/metrics?x=1"), 200),
    (get(host="localhost:PORT"), 200),
    (get(host="LOCALHOST:PORT"), 200),
    (get(method="HEAD"), 200),
    (get("/verdict"), 404),
    (get("/nothing"), 404),
    (get("/../etc/passwd"), 404),
    (get(method="POST"), 405),
    (get(method="OPTIONS"), 405),
    (get(host="evil.example:PORT"), 421),  # a name that somebody has pointed to 127.0.0.1
    (get(host="evil.example"), 421),
    (get(host="127.0.0.1"), 421),
    (get(host="127.0.0.1:1"), 421),
    (get(host=""), 421),
    (b"GET /metrics HTTP/1.1\r\n\r\n", 421),
    (b"GET /metrics HTTP/1.0\r\n\r\n", 421),
    (get("/metrics", "127.0.0.1:PORT", "Origin: https://evil.example"), 403),
    (get("/metrics", "127.0.0.1:PORT", "Origin: null"), 403),
    (get("/metrics", "127.0.0.1:PORT", "Sec-Fetch-Site: cross-site"), 403),
    (get("/metrics", "127.0.0.1:PORT", "Sec-Fetch-Site: same-origin"), 200),
    (get("/metrics", "127.0.0.1:PORT", "Sec-Fetch-Site: none"), 200),
    (get("/metrics", "127.0.0.1:PORT", "Host: 127.0.0.1:PORT"), 400),
    (get("/metrics", "127.0.0.1:PORT", "Content-Length: 5"), 413),
    (get("/metrics", "127.0.0.1:PORT", "Transfer-Encoding: chunked"), 413),
    (get("/metrics", "127.0.0.1:PORT", "a b: c"), 400),
    (get("/metrics", "127.0.0.1:PORT", " folded"), 400),
    (get("http://127.0.0.1/metrics"), 400),
    (b"GET  /metrics HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n", 400),
    (b"\x16\x03\x01\x02\r\n\r\n", 400),
    (b"GET /metrics HTTP/2\r\n\r\n", 400),
    (get("/metrics", "127.0.0.1:PORT", "X: " + "y" * 10_000), 431),
]


@pytest.mark.parametrize(("octets", "status"), ROWS)
async def test_requests(server: Server, octets: bytes, status: int):
    said = await say(server, octets)
    head, _, body = said.partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert (body == b"up 1\n") == (status == 200 and not octets.startswith(b"HEAD"))
    assert b"Access-Control" not in head


async def test_the_head_alone_tells_the_length(server: Server):
    assert b"Content-Length: 5\r\n" in await say(server, get(method="HEAD"))


async def test_who_goes_away_or_says_half_disturbs_nobody(server: Server):
    assert await say(server, b"GET /metr", end=True) == b""
    assert (await say(server, get())).endswith(b"up 1\n")


async def test_who_says_nothing_is_let_go(server: Server, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(http, "REQUEST_S", 0.05)
    assert (await say(server, b"GET ")).startswith(b"HTTP/1.1 408 ")


async def test_too_many_at_once_are_dropped(server: Server, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(http, "MOST_CONNECTIONS", 1)
    host, port = server.url.removeprefix("http://").split(":")
    _, idle = await asyncio.open_connection(host, port)
    await asyncio.sleep(0.02)
    with contextlib.suppress(ConnectionError):
        assert await say(server, get()) == b""
    idle.close()
    await asyncio.sleep(0.02)
    assert (await say(server, get())).startswith(b"HTTP/1.1 200 ")


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_octets_are_a_request_or_refused(octets: bytes):
    with contextlib.suppress(HttpError):
        method, path, _ = parsed(octets)
        assert method.isupper()
        assert path.startswith("/")


@pytest.mark.parametrize(
    ("listen", "expected"),
    [
        ("127.0.0.1:8864", ("127.0.0.1", 8864)),
        ("127.0.0.9:0", ("127.0.0.9", 0)),
        ("[::1]:8864", ("::1", 8864)),
        ("off", None),
    ],
)
def test_addresses_to_listen_on(listen: str, expected: tuple[str, int] | None):
    assert address(listen) == expected


@pytest.mark.parametrize(
    "listen", ["", "8864", ":8864", "0.0.0.0:8864", "[::]:8864", "192.0.2.1:1", "host:1", "127.0.0.1:99999"]
)
def test_only_this_computer_may_listen(listen: str):
    with pytest.raises(SettingsError, match=r"agent\.listen"):
        address(listen)

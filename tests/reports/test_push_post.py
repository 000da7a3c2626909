"""One attempt: what stands in the way is named, and the token goes to nobody else."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import trustme
from aiohttp import Fingerprint

from reports.push import Destination, DestinationError, send_waiting, to_collector, to_remote_write
from reports.spool import Spool
from tests.reports.far_end import MACHINE, FarEnd, collector, put, serving


async def attempt(spool: Spool, destination: Destination, **more: object) -> str:
    return await send_waiting(spool, destination, seconds=10, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "said"),
    [(201, ""), (409, ""), (400, "it does not take such a report (400)"), (503, "it has trouble of its own (503)")],
)
async def test_sending_once_says_what_stands_in_the_way(spool: Spool, status: int, said: str):
    put(spool, "a", "b")
    async with serving(FarEnd(lambda n, _body: (status if n == 0 else 201, {}))) as far_end:
        assert await attempt(spool, collector(far_end)) == said


async def test_nothing_listens(spool: Spool):
    put(spool, "a")
    async with serving(FarEnd()) as far_end:
        pass
    assert await attempt(spool, collector(far_end)) == "nothing listens there"
    assert spool.counts().reason == "nothing listens there"


async def test_one_that_never_answers_is_left_in_time(spool: Spool):
    put(spool, "a")

    async def silent(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(5)

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        said = await send_waiting(spool, to_collector(url, "a-token", MACHINE), seconds=0.3)
    assert said == "it does not answer in time"
    assert spool.counts().waiting == 1


# ---- trust and proxy


def tls() -> tuple[ssl.SSLContext, ssl.SSLContext, bytes]:
    """The server's, a client's that trusts it, and the certificate's fingerprint."""
    authority = trustme.CA()
    made = authority.issue_cert("127.0.0.1")
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    made.configure_cert(server)
    authority.configure_trust(client)
    der = ssl.PEM_cert_to_DER_cert(made.cert_chain_pems[0].bytes().decode())
    return server, client, hashlib.sha256(der).digest()


@pytest.mark.parametrize(
    ("trust", "said"),
    [
        ("authority", ""),
        ("fingerprint", ""),
        ("default", "its certificate is not trusted by this computer"),
        ("other fingerprint", "its certificate is not the expected one"),
    ],
)
async def test_the_token_goes_only_to_whom_is_trusted(spool: Spool, trust: str, said: str):
    server, client, fingerprint = tls()
    options = {
        "authority": client,
        "fingerprint": Fingerprint(fingerprint),
        "default": None,
        "other fingerprint": Fingerprint(bytes(32)),
    }
    put(spool, "a")
    async with serving(FarEnd(), server) as far_end:
        assert await attempt(spool, collector(far_end), trust=options[trust]) == said
    assert far_end.taken == ([] if said else ["a"])


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def proxy(seen: list[str]) -> Handler:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append((await reader.readuntil(b"\r\n\r\n")).decode().splitlines()[0])
        writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    return handle


def tunnel(seen: list[str]) -> Handler:
    """CONNECT, RFC 9110, 9.3.6."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append((await reader.readuntil(b"\r\n\r\n")).decode())
        host, _, port = seen[-1].split()[1].rpartition(":")
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await asyncio.gather(carry(reader, far_writer), carry(far_reader, writer), return_exceptions=True)

    return handle


@pytest.mark.parametrize("known", [True, False])
async def test_the_certificate_is_looked_at_through_a_proxy_as_well(
    spool: Spool, monkeypatch: pytest.MonkeyPatch, known: bool
):
    server, _, fingerprint = tls()
    put(spool, "a")
    seen: list[str] = []
    async with serving(FarEnd(), server) as far_end, await asyncio.start_server(tunnel(seen), "127.0.0.1", 0) as via:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{via.sockets[0].getsockname()[1]}")
        trust = Fingerprint(fingerprint if known else bytes(32))
        said = await attempt(spool, collector(far_end), trust=trust)
    assert said == ("" if known else "its certificate is not the expected one")
    assert far_end.taken == (["a"] if known else [])
    assert seen[0].startswith("CONNECT ")
    assert "a-token" not in seen[0]


async def test_what_netrc_holds_is_not_sent(spool: Spool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login anna password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    put(spool, "a", to="remote_write")
    async with serving(FarEnd()) as far_end:
        assert await attempt(spool, to_remote_write(far_end.url)) == ""
    assert "Authorization" not in far_end.requests[0].headers


@pytest.mark.parametrize(
    ("no_proxy_for", "through"), [("", True), ("other.example", True), ("127.0.0.1", False), ("*", False)]
)
async def test_the_proxy_of_the_environment(
    spool: Spool, monkeypatch: pytest.MonkeyPatch, no_proxy_for: str, through: bool
):
    put(spool, "a")
    seen: list[str] = []
    async with serving(FarEnd()) as far_end, await asyncio.start_server(proxy(seen), "127.0.0.1", 0) as server:
        monkeypatch.setenv("http_proxy", f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
        monkeypatch.setenv("no_proxy", no_proxy_for)
        assert await attempt(spool, collector(far_end)) == ""
    assert seen == ([f"POST {far_end.url} HTTP/1.1"] if through else [])
    assert far_end.taken == ([] if through else ["a"])


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:1", "the proxy does not answer"),
        ("socks5://127.0.0.1:1080", "the proxy or the address in the settings cannot be used"),
        ("http://127.0.0.1:70000", "the proxy or the address in the settings cannot be used"),
    ],
)
async def test_a_proxy_that_cannot_be_used_is_named(spool: Spool, monkeypatch: pytest.MonkeyPatch, url: str, said: str):
    put(spool, "a")
    monkeypatch.setenv("http_proxy", url)
    assert await attempt(spool, to_collector("http://127.0.0.1:9/", "a-token", MACHINE)) == said


# ---- destinations


@pytest.mark.parametrize(
    "url", ["", "room.example", "ftp://room.example/", "https://", "https://[x/", "https://h:99999/"]
)
def test_a_destination_that_is_none(url: str):
    with pytest.raises(DestinationError, match="looks like"):
        to_collector(url, "a-token", MACHINE)


@pytest.mark.parametrize("url", ["http://room.example/", "http://anna:secret@prometheus.example/"])
def test_a_secret_is_not_sent_in_the_clear(url: str):
    token = "a-token" if "@" not in url else None
    with pytest.raises(DestinationError, match="https only") as raised:
        to_remote_write(url, token)
    assert "secret" not in str(raised.value)
    assert to_remote_write("http://prometheus.example/api/v1/write").url


def test_a_login_in_the_url_becomes_a_header_and_is_not_shown():
    made = to_remote_write("https://anna:s%40cret@mimir.example/api/v1/push")
    assert made.url == "https://mimir.example/api/v1/push"
    assert made.headers["Authorization"] == "Basic YW5uYTpzQGNyZXQ="
    assert "YW5u" not in repr(made)

"""A TCP connection to a host of the meeting service, by the errand's link: directly, or through the HTTP proxy.

`connect` gives the socket, `secure` the TLS on it. How one of several addresses is reached is in reach.py.
"""

from __future__ import annotations

import asyncio
import base64
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from probes.join.errand import NeedlessError
from probes.join.head import ask
from probes.join.hosts import host_of, is_literal
from probes.join.lookup import first_addresses
from probes.join.reach import DialError, Kind, goes, reach

if TYPE_CHECKING:
    import socket
    import ssl

    from probes.join.errand import Errand, Found, Proxy

HTTPS_PORT = 443
MARGIN_S = 0.1  # of a step's time, kept for saying what came of it


@dataclass(slots=True)
class Stream:
    """A connection with TLS. `seconds`: its handshake. `close()` does not wait for the other end."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    seconds: float

    @property
    def tls(self) -> ssl.SSLObject:
        """What the handshake agreed on."""
        agreed: ssl.SSLObject = self.writer.get_extra_info("ssl_object")
        return agreed

    def close(self) -> None:
        """At once."""
        self.writer.transport.abort()


def portal_of(errand: Errand) -> tuple[str, int]:
    """The portal's host and port. NeedlessError: the profile has no portal."""
    if errand.session.profile.portal is None:
        raise NeedlessError
    url = errand.session.profile.portal
    return host_of(url), urlsplit(url).port or HTTPS_PORT


def authority(host: str, port: int) -> str:
    """As it stands in URLs and requests (RFC 3986, section 3.2)."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def proxy_for(found: Found, host: str) -> Proxy | None:
    """The proxy by which this host is reached; None: directly."""
    return None if host in found.without_proxy else found.proxy


# ---- addresses --------------------------------------------------------------------------------------------------


async def addresses(errand: Errand, host: str, most_s: float = math.inf) -> tuple[str, ...]:
    """Those that the dns step found; an address is its own; else the link's resolvers are asked. () when none."""
    if host in errand.found.addresses and not is_literal(host):
        return errand.found.addresses[host]
    return await first_addresses(errand.link, host, max(0.0, min(most_s, errand.left - 2 * MARGIN_S)))


# ---- connecting -------------------------------------------------------------------------------------------------


async def connect(errand: Errand, host: str, port: int, until: float) -> socket.socket:
    """A connected, non-blocking socket, before `until` (time.monotonic()). DialError; ProbeFailure: no such link."""
    proxy = proxy_for(errand.found, host)
    if proxy is not None:
        return await _through(errand, proxy, host, port, until)
    found = await addresses(errand, host)
    return await reach(errand.link, [a for a in found if goes(errand.link, a)], port, until)


# ---- through a proxy --------------------------------------------------------------------------------------------


async def _through(errand: Errand, proxy: Proxy, host: str, port: int, until: float) -> socket.socket:
    """A tunnel by CONNECT (RFC 9110, section 9.3.6)."""
    found = await addresses(errand, proxy.host)
    try:
        sock = await reach(errand.link, [a for a in found if goes(errand.link, a)], proxy.port, until)
    except DialError as error:
        raise DialError("proxy_unreachable", error.kind) from None
    try:
        async with asyncio.timeout(until - time.monotonic()):
            head = await ask(sock, _request(proxy, authority(host, port)), at_once=1)  # what follows is the tunnel's
        if head is None or head.status // 100 != 2:
            raise DialError("proxy_refused", f"status {head.status}" if head else "its answer is not HTTP")
    except (OSError, DialError, asyncio.CancelledError) as error:
        sock.close()
        if isinstance(error, OSError):
            kind: Kind = "silent" if isinstance(error, TimeoutError) else "proxy_refused"
            raise DialError(kind, "through the proxy") from None
        raise
    return sock


def _request(proxy: Proxy, target: str) -> Iterator[str]:
    yield f"CONNECT {target} HTTP/1.1"
    yield f"Host: {target}"
    if proxy.username:
        yield f"Proxy-Authorization: {authorization(proxy)}"


def authorization(proxy: Proxy) -> str:
    """User name and password as a header has them (RFC 7617)."""
    both = f"{proxy.username}:{proxy.password}".encode()
    return f"Basic {base64.b64encode(both).decode('ascii')}"


# ---- TLS on it --------------------------------------------------------------------------------------------------


class _Noting:
    """A context that notes when it is ready: reading the system's issuers takes this computer 20 ms each time."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.context, self.ready = context, 0.0

    def wrap_bio(self, *given: Any, **named: Any) -> ssl.SSLObject:
        """All that asyncio wants of a context."""
        made = self.context.wrap_bio(*given, **named)
        self.ready = time.monotonic()
        return made


async def secure(sock: socket.socket, context: ssl.SSLContext, host: str, until: float) -> Stream:
    """The handshake, with the host's name in it. ssl.SSLError, OSError, TimeoutError; the socket is closed then."""
    noting = _Noting(context)
    try:
        async with asyncio.timeout(until - time.monotonic()):
            pair = await asyncio.open_connection(sock=sock, ssl=cast("ssl.SSLContext", noting), server_hostname=host)
            return Stream(*pair, time.monotonic() - noting.ready)
    except BaseException:
        sock.close()
        raise


def why(error: Exception) -> str:
    """Why a handshake failed, in a word or two. Of OpenSSL's reasons those that can be told apart."""
    if isinstance(error, TimeoutError):
        return "silence"
    reason = str(getattr(error, "reason", "") or "").upper()
    if "ALERT" in reason:
        return f"alert: {reason.partition('ALERT_')[2].replace('_', ' ').lower()}"
    if "EOF" in reason or isinstance(error, ConnectionError):
        return "cut off"
    return (
        "no TLS"
        if reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG")
        else reason.replace("_", " ").lower()
    )

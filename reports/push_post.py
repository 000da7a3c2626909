"""One attempt to send: where to, with which certificate and through which proxy, and what came of it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from reports import remote_write
from reports.identity import MACHINE_HEADER
from reports.push_answers import NO_ANSWER, Answer, answered
from reports.spool import Item

if TYPE_CHECKING:
    from aiohttp import ClientSession, Fingerprint

    Trust = ssl.SSLContext | Fingerprint

ANSWER_S, CONNECT_S, PROXY_S = 30.0, 10.0, 3.0
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class DestinationError(ValueError):
    """A destination cannot be used as it is set; one line says why."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where to. `name` is the spool's; `headers` may hold a secret, so they are not shown.

    `in_order`: an item that the far end has trouble with is not passed by others.
    """

    name: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    in_order: bool = True


def to_remote_write(url: str, token: str | None = None, name: str = "remote_write") -> Destination:
    """Prometheus, Mimir, Thanos, VictoriaMetrics. Samples of one series must come in order.

    A user name and a password may stand in the URL. Raises DestinationError.
    """
    bare, login = _without_login(url)
    _checked(bare, secret=bool(token or login))
    return Destination(name, bare, _headers(token, **remote_write.HEADERS, **login))


def to_collector(url: str, token: str, machine: str, name: str = "collector") -> Destination:
    """A room's /v1/self-tests; `machine` is the pseudonym (128 bits, hexadecimal). Raises DestinationError."""
    bare, _ = _without_login(url)
    _checked(bare, secret=True)
    headers = _headers(token, **{"Content-Type": "application/json", MACHINE_HEADER: machine})
    return Destination(name, bare, headers, in_order=False)


async def deliver(
    http: ClientSession, destination: Destination, item: Item, clock: Callable[[], float] = time.time
) -> Answer:
    """One attempt, with a deadline. What goes wrong on the way is an Answer too."""
    from aiohttp import ClientError

    try:
        proxy = await _proxy(destination.url)
        async with http.post(
            destination.url, data=item.body, headers=destination.headers, proxy=proxy, allow_redirects=False
        ) as response:
            return answered(response.status, response.headers, clock())
    except ClientError as error:
        return _failed(error)
    except (TimeoutError, ssl.SSLError, OSError, ValueError) as error:  # ValueError: a proxy of an unknown kind
        return Answer(NO_ANSWER, "it does not answer in time" if isinstance(error, TimeoutError) else _words(error))


def _failed(error: Exception) -> Answer:
    from aiohttp import ClientHttpProxyError, ClientResponseError

    if isinstance(error, ClientHttpProxyError):
        return Answer(NO_ANSWER, f"the proxy does not let it through ({error.status})")
    if isinstance(error, ClientResponseError):  # not HTTP
        return Answer(NO_ANSWER, "what answers there does not speak HTTP")
    return Answer(NO_ANSWER, _words(error))


def _words(error: Exception) -> str:
    """Without addresses, and without what the far end wrote."""
    from aiohttp import ClientConnectorDNSError, ClientProxyConnectionError, ClientSSLError, ServerFingerprintMismatch

    for kinds, words in (
        (ClientProxyConnectionError, "the proxy does not answer"),
        (ServerFingerprintMismatch, "its certificate is not the expected one"),
        ((ClientSSLError, ssl.SSLError), "its certificate is not trusted by this computer"),
        (ClientConnectorDNSError, "its name could not be found"),
        (ConnectionRefusedError, "nothing listens there"),
        (ValueError, "the proxy or the address in the settings cannot be used"),
    ):
        if isinstance(error, kinds) or isinstance(getattr(error, "os_error", None), kinds):
            return words
    return "the connection could not be made or broke off"


def session(trust: Trust | None) -> ClientSession:
    """`trust`: what makes the far end's certificate good; None: Python's own default."""
    from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector

    connector = TCPConnector(ssl=True if trust is None else trust, limit=1)
    timeout = ClientTimeout(total=ANSWER_S, sock_connect=CONNECT_S)
    return ClientSession(connector=connector, timeout=timeout, cookie_jar=DummyCookieJar(), auto_decompress=False)


async def _proxy(url: str) -> str | None:
    """The one in the environment (on Windows and macOS the system's), unless it excepts the host.

    Not aiohttp's trust_env, which would send what ~/.netrc holds as well. Excepting may ask name servers, so it is
    given a moment only.
    """
    parts = urlsplit(url)
    with contextlib.suppress(TimeoutError, OSError):
        async with asyncio.timeout(PROXY_S):
            return await asyncio.to_thread(_proxy_of, parts.scheme, parts.netloc.rpartition("@")[2])
    return None


def _proxy_of(scheme: str, host: str) -> str | None:
    told = getproxies()
    url = (told.get(scheme) or told.get("all") or "").strip()
    if not url or proxy_bypass(host):
        return None
    url = url if "://" in url else f"http://{url}"
    if urlsplit(url).scheme not in ("http", "https"):
        raise ValueError("proxies of other kinds are not spoken to")
    return url


def _headers(token: str | None, **more: str) -> dict[str, str]:
    authorization = {"Authorization": f"Bearer {token}"} if token else {}
    return {"User-Agent": "motesklar", **more, **authorization}


def _without_login(url: str) -> tuple[str, dict[str, str]]:
    """The URL without user name and password, and the header that they make (RFC 7617)."""
    before, at, _ = url.partition("//")[2].partition("/")[0].rpartition("@")
    if not at:
        return url, {}
    user, _, password = (unquote(part) for part in before.partition(":"))
    secret = base64.b64encode(f"{user}:{password}".encode()).decode()
    return url.replace(before + at, "", 1), {"Authorization": f"Basic {secret}"}


def _checked(url: str, *, secret: bool) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if not host or parts.scheme not in ("http", "https"):
        raise DestinationError(f"a destination looks like https://HOST/PATH, not {url!r}")
    if secret and parts.scheme != "https" and host not in _LOOPBACK:
        raise DestinationError("a token or password goes over https only, or to this computer itself")

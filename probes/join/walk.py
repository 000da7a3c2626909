"""The way to the login page: GET and every redirect, as a browser goes, by the link. Cookies live for the walk only."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from probes import trust
from probes.join.clock import server_time
from probes.join.dial import MARGIN_S, addresses, authority, authorization, proxy_for, why
from probes.join.reach import family as family_of
from probes.join.reach import goes
from probes.links.binding import socket_factory
from probes.sticky import numeric

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession
    from aiohttp.abc import AbstractResolver, ResolveResult
    from yarl import URL

    from probes.join.errand import Errand

MOST_REDIRECTS = 10
BODY_BYTES, FIELD_BYTES = 65_536, 32_768  # of a page; of a header: a login request may stand in a URL
REDIRECTS = frozenset({301, 302, 303, 307, 308})
HEADERS = {"User-Agent": "Mozilla/5.0 (compatible; Motesklar)", "Accept": "text/html,*/*;q=0.8"}


@dataclass(slots=True)
class Walk:
    """How it went. `seconds`: until the page was there; None when it did not come. `failed`: code and detail.

    `broken`: login services to which the portal sent the browser, in vain.
    """

    status: int | None = None
    redirects: int = 0
    seconds: float | None = None
    failed: tuple[str, str] | None = None
    broken: set[str] = field(default_factory=set)


class _LostError(Exception):
    """The walk ends here: code and detail."""


async def walk(errand: Errand, start: str) -> Walk:
    """From the portal's URL to a page that redirects no further, within the errand's time."""
    walked = Walk()
    async with _http(errand) as http:
        begun = time.monotonic()
        try:
            await _follow(errand, http, start, walked)
        except _LostError as lost:
            walked.failed = lost.args[0], lost.args[1]
        if walked.failed is None and not walked.broken:
            walked.seconds = time.monotonic() - begun
    return walked


async def _follow(errand: Errand, http: ClientSession, start: str, walked: Walk) -> None:
    from aiohttp import ClientError

    been: set[tuple[str, tuple[tuple[str, str], ...]]] = set()
    following: URL | None = _url(start)
    while (url := following) is not None:
        state = str(url), tuple(sorted((c.key, c.value) for c in http.cookie_jar.filter_cookies(url).values()))
        if state in been or walked.redirects > MOST_REDIRECTS:
            raise _LostError("portal_redirect_loop", f"{walked.redirects} redirects")
        been.add(state)
        try:
            async with asyncio.timeout(errand.left - MARGIN_S):
                following = await _get(errand, http, url, walked)
        except (ClientError, OSError, ValueError) as error:
            _blame(errand, url, error, walked)
            return


async def _get(errand: Errand, http: ClientSession, url: URL, walked: Walk) -> URL | None:
    """One page; where it redirects to, if it does."""
    sent: list[float] = []
    through = _through(errand, url)
    async with http.get(url, allow_redirects=False, trace_request_ctx=sent, **through) as answer:
        walked.status = answer.status
        _note_clock(errand, url, answer, sent)
        target = answer.headers.get("Location", "") if answer.status in REDIRECTS else ""
        if target:
            walked.redirects += 1
            following = urljoin(str(url), target).partition("#")[0]
            return _url(following) if following.startswith(("https:", "http:")) else None
        await _read(answer)
    if answer.status >= 400 and answer.status != 401:
        code = "portal_error" if answer.status >= 500 else "portal_refused"
        raise _LostError(code, _where(errand, url) + f"status {answer.status}")
    return None


async def _read(answer: ClientResponse) -> None:
    """The page, as far as BODY_BYTES."""
    size = 0
    async for part in answer.content.iter_any():
        size += len(part)
        if size >= BODY_BYTES:
            return


def _url(text: str) -> URL:
    """As it was sent: another spelling of a signed login request would be refused."""
    from yarl import URL

    return URL(text, encoded=text.isascii() and " " not in text)


# ---- what comes of it -------------------------------------------------------------------------------------------


def _role(errand: Errand, host: str) -> str | None:
    """The name of the clock there: the portal, or a login service. None: another host."""
    profile = errand.session.profile
    if host == (urlsplit(profile.portal or "").hostname or ""):
        return "portal"
    return next((p.name for p in profile.identity_providers if p.host.lower() == host), None)


def _note_clock(errand: Errand, url: URL, answer: ClientResponse, sent: list[float]) -> None:
    server = server_time(answer.headers.get("Date"), answer.headers.get("Age"))
    role = _role(errand, url.host or "")
    if server is not None and role is not None and sent:
        errand.found.skews.setdefault(role, (sent[-1] + time.time()) / 2 - server)


def _where(errand: Errand, url: URL) -> str:
    """The beginning of a detail: who it was, when it was not the portal itself."""
    role = _role(errand, url.host or "")
    return "" if role == "portal" else f"{role or 'where the portal sends the browser'}: "


def _blame(errand: Errand, url: URL, error: Exception, walked: Walk) -> None:
    """No HTTP answer: a login service's fault when it was one's."""
    from aiohttp import ClientHttpProxyError

    role = _role(errand, url.host or "")
    if role is not None and role != "portal":
        walked.broken.add(role)
    elif isinstance(error, ClientHttpProxyError):
        walked.failed = "proxy_refused", f"{_where(errand, url)}status {error.status}"
    else:
        walked.failed = "portal_silent", _where(errand, url) + _reason(error)


def _reason(error: Exception) -> str:
    """In a word or two, without addresses."""
    from aiohttp import ClientConnectorDNSError, ClientError, ClientResponseError, InvalidURL

    if isinstance(error, ClientResponseError):
        return "its answer is not HTTP"
    if isinstance(error, ClientConnectorDNSError):
        return "its name was not found"
    if isinstance(error, InvalidURL) or not isinstance(error, OSError | ClientError):
        return "not an address of the web"
    cause = getattr(error, "os_error", error)
    if isinstance(cause, ssl.SSLCertVerificationError) or isinstance(error, ssl.SSLCertVerificationError):
        return "its certificate"
    if isinstance(cause, ConnectionRefusedError):
        return "refused"
    return why(cause) or "cut off"


# ---- by the link ------------------------------------------------------------------------------------------------


def _http(errand: Errand) -> ClientSession:
    from aiohttp import ClientSession, ClientTimeout, CookieJar, TCPConnector, TraceConfig

    trace = TraceConfig()
    trace.on_request_headers_sent.append(_headers_sent)
    connector = TCPConnector(ssl=trust.context(), resolver=resolver(errand), socket_factory=socket_factory(errand.link))
    return ClientSession(
        connector=connector,
        cookie_jar=CookieJar(unsafe=True),  # as browsers do: an address has cookies too
        headers=HEADERS,
        timeout=ClientTimeout(total=None),  # the walk's own deadline
        auto_decompress=False,
        trace_configs=[trace],
        max_field_size=FIELD_BYTES,
    )


async def _headers_sent(_session: ClientSession, context: Any, _sent: Any) -> None:
    context.trace_request_ctx.append(time.time())


def _through(errand: Errand, url: URL) -> dict[str, Any]:
    """aiohttp's arguments for the proxy, if this host is reached by it."""
    proxy = proxy_for(errand.found, url.host or "")
    if proxy is None:
        return {}
    login = {"Proxy-Authorization": authorization(proxy)} if proxy.username else {}
    whose = "proxy_headers" if url.scheme == "https" else "headers"
    return {"proxy": f"http://{authority(proxy.host, proxy.port)}", whose: login}


def resolver(errand: Errand) -> AbstractResolver:
    """For aiohttp, whose own asks in a thread that is waited for when the program ends."""
    from aiohttp.abc import AbstractResolver

    class Resolver(AbstractResolver):
        """What the dns step found; of others the link's name servers are asked."""

        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
        ) -> list[ResolveResult]:
            found = [a for a in await addresses(errand, host) if family in (0, family_of(a)) and goes(errand.link, a)]
            if not found:
                raise OSError("no address")
            return [numeric(host, port, address) for address in found]

        async def close(self) -> None:
            """Nothing is kept."""

    return Resolver()

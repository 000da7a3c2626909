"""Who is logged in to the room's pages: an organisation's token goes in, a cookie comes out, and is worth a while.

A login is known by 256 random bits, of which the room keeps the hash only. Cookies are of this host alone (`__Host-`,
RFC 6265bis), for HTTPS, unreadable for scripts and not sent from other sites. A room without organisations lets those
in who sit at its computer, without a form.
"""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from reports.advice import LANGUAGES
from testroom.guests.page import language
from testroom.limits import Buckets, TokenBucket, is_loopback

if TYPE_CHECKING:
    from aiohttp import web

    from reports.advice import Lang
    from testroom.tokens import Tokens

COOKIE = "__Host-motesklar"
LOGIN = "/it/login"
IDLE_S = 30 * 60.0
LONGEST_S = 12 * 3600.0
MOST = 2000
THIS_COMPUTER = "this computer"
_ATTEMPTS_PER_S, _ATTEMPTS = 1 / 6, 20  # of one address: colleagues may share it
_PAGES_PER_S, _PAGES = 2.0, 60.0  # of one login
_LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")


@dataclass(slots=True)
class Login:
    """`lang`: the language that was last asked for by its link."""

    organisation: str
    begun: float
    seen: float
    lang: Lang | None = None
    pages: TokenBucket = field(default_factory=lambda: TokenBucket(_PAGES_PER_S, time.monotonic_ns(), _PAGES))


class Logins:
    """In memory: a restart of the room ends them all. Used by the event loop only."""

    def __init__(self, tokens: Tokens | None) -> None:
        self._tokens = tokens
        self._by_hash: OrderedDict[bytes, Login] = OrderedDict()
        self._local = Login(THIS_COMPUTER, 0.0, 0.0)
        self._attempts = Buckets(_ATTEMPTS_PER_S, burst=_ATTEMPTS)

    def __len__(self) -> int:
        return len(self._by_hash)

    @property
    def by_token(self) -> bool:
        """Is there anything to log in with?"""
        return self._tokens is not None

    def find(self, request: web.Request) -> Login | None:
        """The request's login, if it has one that is still good; this counts as use."""
        if self._tokens is None:
            return self._local if is_loopback(request.remote or "") and _names_this_computer(request.host) else None
        key, now = _key(request), time.monotonic()
        login = self._by_hash.get(key)
        if login is None:
            return None
        if now - login.seen > IDLE_S or now - login.begun > LONGEST_S:
            del self._by_hash[key]
            return None
        login.seen = now
        self._by_hash.move_to_end(key)
        return login

    def require(self, request: web.Request) -> Login:
        """The same; raises the way to the form (303), or 429 when pages are asked for too fast."""
        from aiohttp import web

        login = self.find(request)
        if login is None:
            lang = request.query.get("lang", "")
            same = f"&lang={lang}" if lang in LANGUAGES else ""
            raise web.HTTPSeeOther(f"{LOGIN}?next={quote(request.raw_path, safe='')}{same}")
        if not login.pages.allow(time.monotonic_ns()):
            raise web.HTTPTooManyRequests(headers={"Retry-After": "5"})
        return login

    def may_try(self, address: str) -> bool:
        """May this address try another token?"""
        return self._attempts.allow(_network(address), time.monotonic_ns())

    def enter(self, token: str) -> str | None:
        """The value of the cookie; None: no organisation has this token."""
        organisation = self._tokens.organisation(token) if self._tokens else None
        if organisation is None:
            return None
        value, now = secrets.token_urlsafe(32), time.monotonic()
        self._by_hash[_hash(value)] = Login(organisation, now, now)
        if len(self._by_hash) > MOST:
            self._by_hash.popitem(last=False)
        return value

    def remember(self, value: str, lang: Lang) -> None:
        """The language in which this login began."""
        login = self._by_hash.get(_hash(value))
        if login is not None:
            login.lang = lang

    def leave(self, request: web.Request) -> None:
        """End the request's login."""
        self._by_hash.pop(_key(request), None)


def spoken(request: web.Request, login: Login | None) -> Lang:
    """The page's language: that of the link, which the login remembers; else the login's; else the browser's."""
    asked = request.query.get("lang")
    if asked in LANGUAGES:
        if login is not None:
            login.lang = asked
        return asked
    if login is not None and login.lang is not None:
        return login.lang
    return language(None, request.headers.get("Accept-Language", ""))


def set_cookie(response: web.StreamResponse, value: str) -> None:
    """Give the browser its cookie, until it is closed."""
    response.set_cookie(COOKIE, value, secure=True, httponly=True, samesite="Strict", path="/")


def drop_cookie(response: web.StreamResponse) -> None:
    """Take it back."""
    response.del_cookie(COOKIE, secure=True, httponly=True, samesite="Strict", path="/")


def same_origin(request: web.Request) -> bool:
    """Was this form sent by a page of this room? Every browser says so with a POST (RFC 6454, Fetch)."""
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    return request.headers.get("Origin", "") == f"https://{request.host}" and site == "same-origin"


def place_within(path: str) -> str:
    """Where to go after the login: a page of this room, whatever the link said."""
    parts = urlsplit(path) if path.isascii() and path.isprintable() and "\\" not in path else None
    if parts is None or parts.scheme or parts.netloc or path.startswith("//"):
        return "/it"
    mine = any(parts.path == page or parts.path.startswith(f"{page}/") for page in ("/it", "/readiness"))
    return path if mine and parts.path not in (LOGIN, "/it/logout") and ".." not in parts.path else "/it"


def _key(request: web.Request) -> bytes:
    return _hash(request.cookies.get(COOKIE, ""))


def _hash(value: str) -> bytes:
    return hashlib.sha256(value.encode(errors="replace")).digest()


def _names_this_computer(host: str) -> bool:
    """A name of somebody else's that leads here (DNS rebinding) is not one of this computer's."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    return name in _LOCAL_NAMES or is_loopback(name)


def _network(address: str) -> str:
    """One IPv6 customer has at least a /64."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    return str(ipaddress.ip_network((ip, 64), strict=False)) if ip.version == 6 else address

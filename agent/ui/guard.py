"""Who may talk to the page's server: the browser of whoever started the program, and no other page through it.

| held to                    | against                                                              | refused with   |
|----------------------------|----------------------------------------------------------------------|----------------|
| Host is 127.0.0.1:PORT     | a name on the web that was pointed to this computer (DNS rebinding)  | 421            |
| Origin, Sec-Fetch-Site     | pages of the web, and of other programs' servers on this computer    | 403            |
| the cookie                 | programs of other people on this computer, and all that is left      | 401            |

The cookie is given once for a token, which the program prints and hands to the browser in the address: 256 random bits
each, of which the hash alone is kept. A token is worth a minute and one use. Whoever comes with a used one, however
late, and is not who used it, has seen it, or the other one had: then nobody is let in any longer. A cookie is of the
host 127.0.0.1 and not of a port (RFC 6265, 8.5), so that it counts only beside the origin.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import web

COOKIE = "motesklar_ui"
OPEN = "/open/"
HOST = "127.0.0.1"
TOKEN_S = 60.0
MOST_SESSIONS, MOST_TOKENS = 16, 16
_SECRET = re.compile(r"[0-9A-Za-z_-]{43}")
_COOKIES = re.compile(rf"(?:^|;)[ \t]*{COOKIE}=([0-9A-Za-z_-]{{43}})(?=[ \t]*(?:;|$))")
_LEFT = "ui-open-"  # and the token's hash: the file with which another start of the program asks for the page


@dataclass(frozen=True, slots=True)
class Refusal:
    """`status`: of HTTP. `code`: for the page."""

    status: int
    code: str


MISDIRECTED, FOREIGN, STRANGER = (
    Refusal(421, "misdirected"), Refusal(403, "foreign"), Refusal(401, "no_session"),
)  # fmt: skip


@dataclass(slots=True)
class _Token:
    ends: float
    used_by: str | None = None  # of `_sessions`


class Guard:
    """Of one server. `folder`: where other starts of the program leave their requests; None: nowhere."""

    def __init__(self, folder: Path | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder, self._clock = folder, clock
        self._tokens: dict[str, _Token] = {}
        self._sessions: list[str] = []  # hashes of cookies
        self._host = ""
        self.betrayed: Callable[[], None] = lambda: None  # a token has been in two hands

    def at(self, port: int) -> None:
        """The server's port."""
        self._host = HOST if port == 80 else f"{HOST}:{port}"

    def token(self) -> str:
        """A new one, for an address that opens the page."""
        made = secrets.token_urlsafe(32)
        self._tokens[_hash(made)] = _Token(self._clock() + TOKEN_S)
        while len(self._tokens) > MOST_TOKENS:
            del self._tokens[next(iter(self._tokens))]
        return made

    def enter(self, token: str, cookies: Sequence[str] = ()) -> str | None:
        """A new cookie's value for a good token. None: it is bad, or used up by who comes with `cookies`."""
        found = self._token(token)
        if found is None:
            return None
        had = self._had(cookies)
        if found.used_by is not None:
            if found.used_by not in had:
                self._sessions.clear()
                self._tokens.clear()  # or one that is known to many would end the next session, too
                self.betrayed()
            return None
        if self._clock() >= found.ends:
            return None
        if had:  # the browser that is here already: its key stays, and every token it has used is its own
            found.used_by = had[-1]
            return None
        value = secrets.token_urlsafe(32)
        found.used_by = _hash(value)
        self._sessions = [*self._sessions[1 - MOST_SESSIONS :], found.used_by]
        return value

    def _token(self, token: str) -> _Token | None:
        """One of ours, or one that another start of the program has left."""
        if not _SECRET.fullmatch(token):
            return None
        name = _hash(token)
        if name not in self._tokens and self._folder is not None and _taken(self._folder / f"{_LEFT}{name}"):
            self._tokens[name] = _Token(self._clock() + TOKEN_S)
        return self._tokens.get(name)

    def knows(self, cookies: Sequence[str]) -> bool:
        """Is one of these headers' cookies ours?"""
        return bool(self._had(cookies))

    def _had(self, cookies: Sequence[str]) -> list[str]:
        """Hashes are compared: for how long says nothing of a cookie."""
        hashes = {_hash(value) for value in _COOKIES.findall("; ".join(cookies))[:MOST_SESSIONS]}
        return [session for session in self._sessions if session in hashes]

    def refusal(self, request: web.BaseRequest, *, opening: bool) -> Refusal | None:
        """None: it may. `opening`: what opens the page needs no cookie, and must come from nobody's page."""
        hosts = request.headers.getall("Host", [])
        if hosts != [self._host] or not request.raw_path.startswith("/"):
            return MISDIRECTED
        if opening:
            return None if _by_hand(request) else FOREIGN
        if not self._own_page(request):
            return FOREIGN
        return None if self.knows(cookies_of(request)) else STRANGER

    def _own_page(self, request: web.BaseRequest) -> bool:
        """Browsers name the origin of what changes something, and of a WebSocket; of what they get, not every one."""
        acts = request.method not in ("GET", "HEAD") or "Upgrade" in request.headers
        origins, site = request.headers.getall("Origin", []), request.headers.getall("Sec-Fetch-Site", [])
        if (acts or origins) and origins != [f"http://{self._host}"]:
            return False
        return site in ([], ["same-origin"]) or (site == ["none"] and not acts)


def _by_hand(request: web.BaseRequest) -> bool:
    """The address bar, or another program: no page at all."""
    site, mode = request.headers.getall("Sec-Fetch-Site", []), request.headers.getall("Sec-Fetch-Mode", [])
    return "Origin" not in request.headers and site in ([], ["none"]) and mode in ([], ["navigate"])


def cookies_of(request: web.BaseRequest) -> Sequence[str]:
    """Its headers."""
    return request.headers.getall("Cookie", [])


def address(port: int, token: str) -> str:
    """What the browser is to open."""
    return f"http://{HOST}:{port}{OPEN}{token}"


def leave_request(folder: Path) -> str:
    """A token for the program that runs already: only this user can make the file with its hash. Raises OSError."""
    token = secrets.token_urlsafe(32)
    (folder / f"{_LEFT}{_hash(token)}").touch(0o600, exist_ok=False)
    return token


def forget_requests(folder: Path) -> None:
    """Those that nobody came for."""
    for path in folder.glob(f"{_LEFT}*"):
        path.unlink(missing_ok=True)


def _taken(path: Path) -> bool:
    """Was it there, and not too long ago? It is not any longer."""
    try:
        age = time.time() - path.stat().st_mtime
        path.unlink()
    except OSError:
        return False
    return abs(age) < TOKEN_S  # the file may have the time of a server that keeps it


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

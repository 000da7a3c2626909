"""Who may talk to the page's server: the browser of whoever started the program, and no other page through it.

| held to                    | against                                                              | refused with   |
|----------------------------|----------------------------------------------------------------------|----------------|
| Host is 127.0.0.1:PORT     | a name on the web that was pointed to this computer (DNS rebinding)  | 421            |
| Origin, Sec-Fetch-Site     | pages of the web, and of other programs' servers on this computer    | 403            |
| the cookie                 | programs of other people on this computer, and all that is left      | 401            |

The cookie is given once for a token, which the program prints and hands to the browser in the address: 256 random bits
each, of which the hash alone is kept. A token is worth a minute and one use. A stranger who comes with a used one has
seen it, or whoever used it first had: then nobody is let in any longer. A cookie is of the host 127.0.0.1 and not of a
port (RFC 6265, 8.5), so that it counts only beside the origin.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable
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
    used: bool = False


class Guard:
    """Of one server. `folder`: where other starts of the program leave their requests; None: nowhere."""

    def __init__(self, folder: Path | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder, self._clock = folder, clock
        self._tokens: dict[str, _Token] = {}
        self._sessions: list[bytes] = []
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

    def enter(self, token: str, *, known: bool = False) -> str | None:
        """The value of the cookie for a good token; None for any other. `known`: by somebody who has a cookie."""
        if not _SECRET.fullmatch(token):
            return None
        found = self._tokens.get(name := _hash(token))
        if found is None:
            if self._folder is None or not _taken(self._folder / f"{_LEFT}{name}"):
                return None
            found = self._tokens[name] = _Token(self._clock() + TOKEN_S)
        if self._clock() >= found.ends:
            return None
        if not found.used:
            found.used = True
            return self._session()
        if not known:
            self._sessions.clear()
            self.betrayed()
        return None

    def _session(self) -> str:
        value = secrets.token_urlsafe(32)
        self._sessions = [*self._sessions[1 - MOST_SESSIONS :], hashlib.sha256(value.encode()).digest()]
        return value

    def knows(self, request: web.BaseRequest) -> bool:
        """Has it one of our cookies? Each is compared, in a time that says nothing of it."""
        values = _COOKIES.findall("; ".join(request.headers.getall("Cookie", [])))[:MOST_SESSIONS]
        hashes = [hashlib.sha256(value.encode()).digest() for value in values]
        return sum(hmac.compare_digest(one, other) for one in hashes for other in self._sessions) > 0

    def refusal(self, request: web.BaseRequest, *, opening: bool) -> Refusal | None:
        """None: it may. `opening`: what opens the page needs no cookie, and must come from nobody's page."""
        hosts = request.headers.getall("Host", [])
        if [host.lower() for host in hosts] != [self._host] or not request.raw_path.startswith("/"):
            return MISDIRECTED
        if opening:
            return None if _by_hand(request) else FOREIGN
        if not self._own_page(request):
            return FOREIGN
        return None if self.knows(request) else STRANGER

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
    return -1.0 <= age < TOKEN_S


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

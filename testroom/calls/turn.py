"""The relays that the room tells its callers of, and the credentials that coturn and others share a secret for."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from probes.ice_servers import parse_uri

GRACE_S = 60.0
LEAST_SECRET = 16


class TurnError(ValueError):
    """What was given for TURN does not do."""


@dataclass(frozen=True, slots=True)
class Turn:
    """The servers' URIs, and what is needed to make credentials for them."""

    urls: tuple[str, ...]
    secret: bytes

    def __post_init__(self) -> None:
        for url in self.urls:
            if not _relay(url):
                raise TurnError(f"--turn takes a relay like turn:HOST:3478 or turns:HOST:443, not {url!r}")

    def server(self, seconds: float) -> dict[str, Any]:
        """An RTCIceServer whose credentials end `seconds` and a minute from now.

        As in draft-uberti-behave-turn-rest-00: the user name is the end (UNIX time) and, here, something random that
        tells the relay nothing of who calls; the password is its HMAC-SHA1.
        """
        name = f"{int(time.time() + seconds + GRACE_S)}:{secrets.token_hex(6)}"
        proof = hmac.new(self.secret, name.encode(), hashlib.sha1).digest()
        return {"urls": list(self.urls), "username": name, "credential": base64.b64encode(proof).decode()}


def _relay(url: str) -> bool:
    try:
        return parse_uri(url).relay
    except ValueError as error:
        raise TurnError(f"--turn: {error}") from None


def read_secret(path: Path) -> bytes:
    """coturn's static-auth-secret: the file's one line. Raises TurnError."""
    try:
        text = path.read_text("utf-8").strip()
    except OSError as error:
        raise TurnError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise TurnError(f"{path} is not text") from None
    if len(text) < LEAST_SECRET or len(text.split()) != 1:
        raise TurnError(f"{path} must hold one secret of at least {LEAST_SECRET} characters, without spaces")
    return text.encode()

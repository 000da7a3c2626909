"""Which bearer token belongs to which organisation. Kept as hashes, compared without leaking time.

An organisation may have a guest key too, for the links to the page /test that it gives out. That is no secret: with it
a browser's self-test is put among the organisation's, and nothing can be read.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

LEAST = 16
_GUEST_KEY = re.compile(r"[a-z0-9-]{4,40}")


class TokenFileError(ValueError):
    """The token file is wrong; one line says where and what to do."""


class Tokens:
    """Organisations by token."""

    def __init__(self, tokens: Mapping[str, str], guests: Mapping[str, str] | None = None) -> None:
        self._by_guest_key = {key: name for name, key in (guests or {}).items()}
        self._by_hash = {hashlib.sha256(token.encode()).digest(): name for name, token in tokens.items()}

    def organisation(self, token: str) -> str | None:
        """The organisation that this token was given to."""
        digest = hashlib.sha256(token.encode(errors="replace")).digest()
        found = None
        for known, name in self._by_hash.items():
            if hmac.compare_digest(known, digest):
                found = name
        return found

    def guests_of(self, key: str) -> str | None:
        """The organisation that gives out this guest key."""
        return self._by_guest_key.get(key)


def read(path: Path) -> Tokens:
    """Read a token file: TOML with a table [tokens] of organisation = "token", and perhaps one [guests] of guest keys.

    Raises TokenFileError.
    """
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise TokenFileError(f"cannot read the token file {path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:  # not UTF-8, not TOML, a number without end, a nesting without end
        raise TokenFileError(f"the token file {path} is not valid TOML: {error}") from None
    tokens = data.get("tokens")
    if not isinstance(tokens, dict) or not tokens or data.keys() - {"tokens", "guests"}:
        raise TokenFileError(
            f'the token file {path} needs one table [tokens] with lines like habo = "…", and may have one [guests]'
        )
    for name, token in tokens.items():
        if not isinstance(token, str) or len(token) < LEAST:
            raise TokenFileError(f"{path}: the token of {name} must be text of at least {LEAST} characters")
    if len(set(tokens.values())) < len(tokens):
        raise TokenFileError(f"{path}: two organisations have the same token")
    return Tokens(tokens, _guests(path, data.get("guests", {}), tokens))


def _guests(path: Path, guests: object, tokens: Mapping[str, str]) -> Mapping[str, str]:
    if not isinstance(guests, dict):
        raise TokenFileError(f'{path}: [guests] is a table with lines like habo = "habo-2027"')
    for name, key in guests.items():
        if name not in tokens:
            raise TokenFileError(f"{path}: [guests] names {name}, which has no token")
        if not isinstance(key, str) or not _GUEST_KEY.fullmatch(key) or key in tokens.values():
            raise TokenFileError(f"{path}: the guest key of {name} must be 4 to 40 of a-z, 0-9 and -, and no token")
    if len(set(guests.values())) < len(guests):
        raise TokenFileError(f"{path}: two organisations have the same guest key")
    return guests

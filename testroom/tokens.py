"""Which bearer token belongs to which organisation. Kept as hashes, compared without leaking time."""

from __future__ import annotations

import hashlib
import hmac
import tomllib
from pathlib import Path

LEAST = 16


class TokenFileError(ValueError):
    """The token file is wrong; one line says where and what to do."""


class Tokens:
    """Organisations by token."""

    def __init__(self, tokens: dict[str, str]) -> None:
        self._by_hash = {hashlib.sha256(token.encode()).digest(): name for name, token in tokens.items()}

    def organisation(self, token: str) -> str | None:
        """The organisation that this token was given to."""
        digest = hashlib.sha256(token.encode(errors="replace")).digest()
        found = None
        for known, name in self._by_hash.items():
            if hmac.compare_digest(known, digest):
                found = name
        return found


def read(path: Path) -> Tokens:
    """Read a token file: TOML with a table [tokens] of organisation = "token". Raises TokenFileError."""
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise TokenFileError(f"cannot read the token file {path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:  # not UTF-8, not TOML, a number without end, a nesting without end
        raise TokenFileError(f"the token file {path} is not valid TOML: {error}") from None
    tokens = data.get("tokens")
    if not isinstance(tokens, dict) or not tokens or data.keys() - {"tokens"}:
        raise TokenFileError(f'the token file {path} needs one table [tokens] with lines like habo = "…"')
    for name, token in tokens.items():
        if not isinstance(token, str) or len(token) < LEAST:
            raise TokenFileError(f"{path}: the token of {name} must be text of at least {LEAST} characters")
    if len(set(tokens.values())) < len(tokens):
        raise TokenFileError(f"{path}: two organisations have the same token")
    return Tokens(tokens)

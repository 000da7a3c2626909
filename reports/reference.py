"""Reference codes: short enough to be read out over the telephone, with a sign for checking."""

from __future__ import annotations

import hashlib
import secrets

# No vowels, so that no word comes of it, and none of 0 O, 1 I L, 2 Z, 5 S, B, U.
ALPHABET = "346789CDFGHJKMNPQRTVWXY"
_PRIME = len(ALPHABET)  # 23: a weighted sum modulo a prime finds each wrong sign and each two that changed places
LENGTH = 8  # the last is there for checking


def new_code() -> str:
    """Seven random signs and their check, as XXXX-XXXX."""
    return _with_check([secrets.randbelow(_PRIME) for _ in range(LENGTH - 1)])


def code_of(run_id: str) -> str:
    """A self-test's code, the same wherever it is made: on its receipt and in the readiness table."""
    number = int.from_bytes(hashlib.sha256(run_id.encode()).digest()[:8])
    return _with_check([number // _PRIME**place % _PRIME for place in range(LENGTH - 1)])


def read_code(text: str) -> str | None:
    """The code as it was given out, however it is spaced and cased; None when it is mistyped."""
    bare = "".join(text.upper().replace("-", "").split())
    if len(bare) != LENGTH or not set(bare) <= set(ALPHABET):
        return None
    if _weighted([ALPHABET.index(sign) for sign in bare]) % _PRIME:
        return None
    return _shown(bare)


def _with_check(signs: list[int]) -> str:
    check = -_weighted(signs) * pow(LENGTH, -1, _PRIME) % _PRIME
    return _shown("".join(ALPHABET[sign] for sign in (*signs, check)))


def _shown(bare: str) -> str:
    return f"{bare[:4]}-{bare[4:]}"


def _weighted(signs: list[int]) -> int:
    return sum(place * sign for place, sign in enumerate(signs, start=1))

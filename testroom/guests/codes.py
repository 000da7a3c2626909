"""Reference codes that can be read out over the telephone, and the records that they stand for, in memory only."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass

from reports.record import SelfTest

# No vowels, so that no word comes of it, and none of 0 O, 1 I L, 2 Z, 5 S, B, U.
ALPHABET = "346789CDFGHJKMNPQRTVWXY"
_PRIME = len(ALPHABET)  # 23: a weighted sum modulo a prime finds each wrong sign and each two that changed places
LENGTH = 8  # the last is there for checking
MOST_RECORDS, KEPT_S = 1000, 24 * 3600.0


def new_code() -> str:
    """Seven random signs and their check, as XXXX-XXXX."""
    signs = [secrets.randbelow(_PRIME) for _ in range(LENGTH - 1)]
    check = -_weighted(signs) * pow(LENGTH, -1, _PRIME) % _PRIME
    text = "".join(ALPHABET[sign] for sign in (*signs, check))
    return f"{text[:4]}-{text[4:]}"


def read_code(text: str) -> str | None:
    """The code as it was given out, however it is spaced and cased; None when it is mistyped."""
    bare = "".join(text.upper().replace("-", "").split())
    if len(bare) != LENGTH or not set(bare) <= set(ALPHABET):
        return None
    if _weighted([ALPHABET.index(sign) for sign in bare]) % _PRIME:
        return None
    return f"{bare[:4]}-{bare[4:]}"


def _weighted(signs: list[int]) -> int:
    return sum(place * sign for place, sign in enumerate(signs, start=1))


@dataclass(frozen=True, slots=True)
class _Kept:
    self_test: SelfTest
    until: float


class Records:
    """What guests' browsers measured, by reference code. Forgotten after `kept_s`, or when there are too many."""

    def __init__(self, most: int = MOST_RECORDS, kept_s: float = KEPT_S) -> None:
        self._most, self._kept_s = most, kept_s
        self._by_code: OrderedDict[str, _Kept] = OrderedDict()

    def keep(self, self_test: SelfTest) -> str:
        """Its new code."""
        self._forget()
        code = new_code()
        while code in self._by_code:
            code = new_code()
        self._by_code[code] = _Kept(self_test, time.monotonic() + self._kept_s)
        if len(self._by_code) > self._most:
            self._by_code.popitem(last=False)
        return code

    def find(self, code: str) -> SelfTest | None:
        """The record of a code as `read_code` gives it."""
        self._forget()
        kept = self._by_code.get(code)
        return None if kept is None else kept.self_test

    def _forget(self) -> None:
        now = time.monotonic()
        while self._by_code and next(iter(self._by_code.values())).until <= now:
            self._by_code.popitem(last=False)

    def __len__(self) -> int:
        return len(self._by_code)

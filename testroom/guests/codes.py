"""What guests' browsers measured, by reference code, in memory only."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass

from reports.record import SelfTest
from reports.reference import new_code

MOST_RECORDS, KEPT_S = 1000, 24 * 3600.0


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

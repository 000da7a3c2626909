"""How much the room gives to whom: token buckets and caps."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import ip_address


@dataclass(frozen=True, slots=True)
class Limits:
    """The room's caps. Packets are test packets arriving; seconds are a session's longest life."""

    sessions: int = 2000
    sessions_per_organisation: int = 1000
    sessions_per_address: int = 500  # a whole municipality may share one address
    session_seconds: float = 3700.0
    packets_per_second: float = 1500.0  # of one session
    address_packets_per_second: float = 70_000.0  # of all sessions and plain STAMP from one address
    requests_per_minute: float = 1200.0  # for sessions, of one address
    self_tests_per_minute: float = 12_000.0  # of one organisation, for its store


class TokenBucket:
    """`rate` a second, and a second's worth at once. Times are nanoseconds of any one clock."""

    __slots__ = ("_last_ns", "_most", "_per_ns", "_tokens")

    def __init__(self, rate: float, now_ns: int, burst: float | None = None) -> None:
        self._per_ns = rate / 1e9
        self._most = self._tokens = max(1.0, rate if burst is None else burst)
        self._last_ns = now_ns

    def allow(self, now_ns: int, tokens: int = 1) -> bool:
        """Take that many tokens if they are there, else none."""
        elapsed_ns = max(0, now_ns - self._last_ns)  # a clock that is set back must not stop the flow until it is due
        self._tokens = min(self._most, self._tokens + elapsed_ns * self._per_ns)
        self._last_ns = now_ns
        if self._tokens < tokens:
            return False
        self._tokens -= tokens
        return True


class Buckets:
    """A bucket for each key (an address), for the `most` seen latest: memory does not grow with strangers."""

    def __init__(self, rate: float, *, burst: float | None = None, most: int = 4096) -> None:
        self._rate, self._burst, self._most = rate, burst, most
        self._of: OrderedDict[bytes | str, TokenBucket] = OrderedDict()

    def allow(self, key: bytes | str, now_ns: int, tokens: int = 1) -> bool:
        """May this key have that many more?"""
        bucket = self._of.get(key)
        if bucket is None:
            bucket = self._of[key] = TokenBucket(self._rate, now_ns, self._burst)
            if len(self._of) > self._most:
                self._of.popitem(last=False)
        else:
            self._of.move_to_end(key)
        return bucket.allow(now_ns, tokens)


def is_loopback(address: str) -> bool:
    """Does the caller sit at this computer?"""
    try:
        return ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False

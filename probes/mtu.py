"""Path MTU, each way: which sizes pass, and does anybody say so of those that do not?

Probes with Don't Fragment, of sizes from the link's own MTU down, each several times, so that ordinary loss is not
taken for a limit (RFC 8899 calls it packetization layer path MTU discovery). A way on which larger packets vanish
and no ICMP tells the sender is a black hole (RFC 2923): what is large never arrives, what is small does.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from reports.record import Fact

LADDER = (1500, 1492, 1460, 1420, 1400, 1380, 1350, 1300, 1280)  # IP packets: Ethernet, PPPoE, tunnels; IPv6's least
LARGEST = LADDER[0]  # a meeting sends nothing larger
TRIES, SPACING_NS, FINE_BYTES = 3, 25_000_000, 8
BY_CHANCE = 0.001  # so improbable must it be that chance alone lost them
UP, DOWN = "path_mtu_up_bytes", "path_mtu_down_bytes"
NAMES = (UP, DOWN)
NOT_HERE = "this system does not let a program forbid fragmentation"
NONE_ARRIVED = "none of the probes for it arrived"
LOSSY = "too many packets are lost to tell the largest that passes"


class Tried(NamedTuple):
    """One probe's fate. `reached` None: nobody tells. `fragment_bytes`: its answer's largest piece, 0 when whole."""

    size_bytes: int
    reached: bool | None
    returned: bool
    fragment_bytes: int = 0

    @property
    def whole(self) -> bool:
        """Did an answer of the same size come in one piece?"""
        return self.returned and not self.fragment_bytes


@dataclass(slots=True)
class Search:
    """Which size to try next: first the largest; if none of those returns, the ladder, then between its rungs."""

    largest: int
    returned: set[int] = field(default_factory=set)
    tries: Counter[int] = field(default_factory=Counter)
    hints: tuple[int, ...] = ()  # what a router named, or what the pieces of an answer suggest; see hints()
    finished: bool = False
    _queue: deque[int] = field(default_factory=deque)
    _stage: int = 0
    _confirmed: int = 0

    def next(self) -> int | None:
        """A size to try now, or None: this batch is out, wait for its answers and call refill()."""
        while self._queue:
            size = self._queue.popleft()
            if size not in self.returned or self.tries[size] < 1:
                self.tries[size] += 1
                return size
        return None

    def too_large(self, size: int) -> None:
        """The link itself does not take that size: it does not count as tried."""
        del self.tries[size]
        if size == self.largest:
            self.largest = next((s for s in LADDER if s < size), 0)
            self._stage = 0

    def refill(self) -> bool:
        """The next batch; False when there is nothing more to find out."""
        if not self.largest or self.best == self.largest:
            return False
        batch = self._batch()
        if not batch and self.best and self._confirmed != self.best:
            self._confirmed, batch = self.best, self._confirmation()
        self._queue.extend(batch)
        self._stage += 1
        return bool(batch)

    def _confirmation(self) -> list[int]:
        """Once more, some time later, what seemed not to pass: a short outage takes three packets in a row, too."""
        return [min(s for s in self.tries if s > self.best), self.largest] * 2

    @property
    def best(self) -> int:
        """The largest that came back whole; 0: none yet."""
        return max(self.returned, default=0)

    def _batch(self) -> list[int]:
        if self._stage == 0:
            return [self.largest] * TRIES
        if self.hints and max(self.hints) < self.largest and not any(self.tries[h] for h in self.hints):
            return [*self.hints, *self.hints, *self.hints]
        if self.best in self.hints:
            return []
        rungs = [s for s in LADDER if self.best < s < self.largest]
        if self._stage == 1:
            return [*rungs, *rungs]
        return [*rungs, self.largest] if self._stage == 2 else self._between()

    def _between(self) -> list[int]:
        """Half way between what passes and what does not."""
        if not self.best:
            return []
        above = min(s for s in self.tries if s > self.best)
        middle = (self.best + above) // 2
        return [middle] * TRIES if above - self.best > FINE_BYTES and not self.tries[middle] else []


def hints(told_bytes: int, piece_bytes: int) -> tuple[int, ...]:
    """Sizes worth trying, when a router named an MTU or an answer came in pieces (0: not so).

    Pieces carry multiples of 8 octets (RFC 791): the path carries up to 7 more than the largest piece shows.
    """
    if told_bytes:
        return (told_bytes,)
    return tuple(range(piece_bytes + 7, piece_bytes - 1, -1)) if piece_bytes else ()


class Answer(NamedTuple):
    """Values, unknowns with reasons, and facts, for the measurement."""

    values: dict[str, float]
    unknown: dict[str, str]
    facts: dict[str, Fact]


def judge(tried: Sequence[Tried], loss: float, told_bytes: int) -> Answer:
    """What the probes' fates say.

    `loss`: ratio of small packets' round trips lost at the most; `told_bytes`: the MTU that a router named, 0: none.
    """
    whole = [t.size_bytes for t in tried if t.whole]
    if not whole:
        return Answer({}, dict.fromkeys(NAMES, NONE_ARRIVED), {})
    if any(t.reached is None for t in tried):
        return _judge_both(tried, loss, told_bytes)
    up = _way([(t.size_bytes, bool(t.reached)) for t in tried], loss)
    down = _way([(t.size_bytes, t.whole) for t in tried if t.reached], loss)
    values, unknown = {}, {}
    for name, way in ((UP, up), (DOWN, down)):
        if way.sure:
            values[name] = float(way.best)
        else:
            unknown[name] = LOSSY
    facts: dict[str, Fact] = {"mtu_signalled": bool(told_bytes) or any(t.fragment_bytes for t in tried)}
    if unknown:
        return Answer(values, unknown, facts)
    holes = [
        "up" if up.limited and not 0 < told_bytes <= up.best else "",
        "down" if down.limited and not any(t.fragment_bytes for t in tried) else "",
    ]
    facts["mtu_black_hole"] = "both" if all(holes) else holes[0] or holes[1] or "none"
    if up.limited and not down.limited:
        facts["mtu_down_at_least"] = True  # a larger answer needs a larger packet to arrive first
    return Answer(values, {}, facts)


def _judge_both(tried: Sequence[Tried], loss: float, told_bytes: int) -> Answer:
    """A reflector that reports nothing: what did not come back may have been lost on either way."""
    both = _way([(t.size_bytes, t.whole) for t in tried], loss)
    signalled = 0 < told_bytes <= both.best or any(t.fragment_bytes for t in tried)
    if not both.sure:
        return Answer({}, dict.fromkeys(NAMES, LOSSY), {"mtu_signalled": signalled})
    if both.limited and not signalled:
        reason = f"packets above {both.best} bytes vanish, and the reflector does not tell on which way"
        return Answer({}, dict.fromkeys(NAMES, reason), {"mtu_signalled": False})
    facts: dict[str, Fact] = {"mtu_signalled": signalled, "mtu_black_hole": "none"}
    if both.limited and told_bytes:
        facts["mtu_down_at_least"] = True
    return Answer(dict.fromkeys(NAMES, float(both.best)), {}, facts)


class _Way(NamedTuple):
    best: int  # the largest that passed
    limited: bool  # larger ones did not
    sure: bool  # and chance is no explanation


def _way(fates: Sequence[tuple[int, bool]], loss: float) -> _Way:
    best = max((size for size, passed in fates if passed), default=0)
    above = Counter(size for size, _ in fates if size > best)
    if not above:
        return _Way(best, limited=False, sure=True)
    nearest = above[min(above)]
    return _Way(best, limited=True, sure=loss**nearest < BY_CHANCE**0.5 and loss ** above.total() < BY_CHANCE)


def patience_ns(rtt_seconds: float | None) -> int:
    """How long a batch's answers are waited for."""
    return round((0.5 if rtt_seconds is None else min(1.0, 0.12 + 2 * rtt_seconds)) * 1e9)


def sizes_up_to(mtu_bytes: int | None) -> int:
    """The largest size to try on a link."""
    return min(LARGEST, mtu_bytes or LARGEST)

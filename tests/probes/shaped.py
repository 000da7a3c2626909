"""A simulated way: a token bucket with a queue, loss, and a receiver that stamps in batches."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from probes.dispersion import Point

OCTETS = 1428
DELAY_NS = 3_000_000
CLOCK_NS = 1_700_000_000_000_000_000  # the receiver's clock is another one


@dataclass(frozen=True)
class Way:
    """`rate` in bytes per second of such packets; `bucket` and `queue` in bytes; times in nanoseconds."""

    rate: float
    bucket: float = 3000
    queue: float = math.inf
    line: float = 125e6  # of the wires before and behind it
    jitter_ns: float = 0  # of the stamps
    loss: float = 0  # behind the queue
    batch_ns: float = 0  # the receiver looks that often only
    aggregate: int = 1  # packets that leave the queue together (wifi)
    pause: tuple[float, float] = (0, 0)  # from, to: the link stands still, and its bucket with it
    seed: int = 1

    @property
    def gap_ns(self) -> float:
        return OCTETS / self.rate * 1e9

    def arrivals(self, departures: list[int]) -> list[Point]:
        """What arrives, of packets that leave then."""
        chance = random.Random(self.seed)
        tokens, at, out, waiting = self.bucket, 0.0, -1e18, []
        found = []
        for sequence, departed in enumerate(departures):
            waiting = [t for t in waiting if t > departed]
            if len(waiting) * OCTETS > self.queue:
                continue
            ready = max(departed + OCTETS / self.line * 1e9, out + OCTETS / self.line * 1e9)
            tokens = min(self.bucket, tokens + (ready - at) * self.rate / 1e9) if ready > at else tokens
            at = max(at, ready)
            if tokens < OCTETS:
                at += (OCTETS - tokens) / self.rate * 1e9
                tokens = float(OCTETS)
            begun, ended = self.pause
            if begun <= at < ended:
                at = ended
            tokens -= OCTETS
            out = at
            waiting.append(out)
            if chance.random() >= self.loss:
                found.append((sequence, departed, out))
        return [Point(s, d, round(self._stamp(t, chance))) for s, d, t in self._together(found)]

    def _together(self, found: list[tuple[int, int, float]]) -> list[tuple[int, int, float]]:
        last = {i // self.aggregate: t for i, (_, _, t) in enumerate(found)}
        return [(s, d, last[i // self.aggregate]) for i, (s, d, _) in enumerate(found)]

    def _stamp(self, time: float, chance: random.Random) -> float:
        time += DELAY_NS + CLOCK_NS
        if self.batch_ns:
            time = math.ceil(time / self.batch_ns) * self.batch_ns
        return time + chance.uniform(0, self.jitter_ns)


def back_to_back(packets: int, rate: float) -> list[int]:
    """Departures at that many bytes per second."""
    return [round(i * OCTETS / rate * 1e9) for i in range(packets)]

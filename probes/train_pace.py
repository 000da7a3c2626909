"""How many packets of a train may leave now: decided by how those before them arrived. Pure; the caller has the clock.

It begins with a window that widens while packets come through at line rate. Once they come through slowly, one behind
the other, the narrowest link is busy and any token bucket empty: from then on a little more is sent than it carries,
so that it stays busy and its queue stays short. A false alarm (the receiver paused) shows as a queue that runs empty.
"""

from __future__ import annotations

from collections import deque
from itertools import pairwise
from statistics import fmean

from probes.dispersion import Point

PACE = 1.3  # times what the link carries
QUICK_BYTES_PER_SECOND = 300e6 / 8  # a link faster than this needs the whole train at once
FIRST_WINDOW = 8
MANY = 160  # that came at line rate: there is hardly a bucket so large on a slow link
LONG_RTT_NS = 10_000_000  # beyond it a narrow window would leave the link idle
URGENT_NS = 1_000_000
AT_ONCE = 16  # between two looks at what has come
_LOOK, _LEAST_BUSY, _BUSY = 12, 6, 0.7
_QUIET_NS = 50_000_000


class Pace:
    """One direction's train of at most `most` packets of `octets`, over by `until_ns` (monotonic nanoseconds)."""

    def __init__(self, most: int, octets: int, widest: int, rtt_ns: int, until_ns: int) -> None:
        self._most, self._widest, self._rtt_ns, self._until_ns = most, widest, rtt_ns, until_ns
        self._quick_ns = octets / QUICK_BYTES_PER_SECOND * 1e9
        self._recent: deque[Point] = deque(maxlen=_LOOK + 1)
        self._transit_ns: int | None = None
        self._window = max(FIRST_WINDOW, widest) if widest >= most else FIRST_WINDOW
        self._gap_ns: float | None = None
        self._latest_gap_ns = 0.0  # higher than the other where a burst has just ended
        self._credit = 0.0
        self._credit_at = self._heard_at = self._emitted_at = 0
        self._highest = -1
        self._quick = self._was_slow = False
        self._arrived_before = 0
        self.sent = self.arrived = 0

    @property
    def outstanding(self) -> int:
        """Sent and neither here nor overtaken."""
        return self.sent - self._highest - 1

    def emitted(self, packets: int, now_ns: int) -> None:
        """So many have left."""
        self._emitted_at = now_ns
        self.sent += packets
        self._credit -= packets
        self._heard_at = max(self._heard_at, now_ns) if self.outstanding == packets else self._heard_at

    def heard(self, points: list[Point], now_ns: int) -> None:
        """They have arrived, and were heard of now."""
        for point in points:
            transit = point.arrived_ns - point.departed_ns
            if self._transit_ns is None or transit < self._transit_ns:
                self._transit_ns = transit
            self._quick = bool(self._recent) and point.arrived_ns - self._recent[-1].arrived_ns < self._quick_ns
            self._window += self._quick and self._window < self._widest
            self._recent.append(point)
            self._highest = max(self._highest, point.sequence)
        if points:
            self.arrived += len(points)
            self._heard_at = now_ns
            self._look(now_ns)

    def _look(self, now_ns: int) -> None:
        """Does the link deliver one behind the other, and slowly?"""
        whole, busy = 0, []
        for one, two in pairwise(self._recent):
            if two.sequence != one.sequence + 1:
                continue
            gap = two.arrived_ns - one.arrived_ns
            whole += gap
            if two.departed_ns + (self._transit_ns or 0) < one.arrived_ns:
                busy.append(gap)
        slow = len(busy) >= _LEAST_BUSY and sum(busy) > max(_BUSY * whole, len(busy) * self._quick_ns)
        if slow and self._gap_ns is None:
            self._credit, self._credit_at = 0.0, now_ns
        self._was_slow |= slow
        self._gap_ns = fmean(busy) if slow else None
        self._latest_gap_ns = float(max(*busy[-3:], fmean(busy))) if slow else 0.0

    def group(self) -> int:
        """How many to ask for at once: some half a millisecond's worth."""
        if self._gap_ns is None:
            return max(FIRST_WINDOW, min(AT_ONCE, self._window // 2))
        return max(1, min(FIRST_WINDOW, int(500_000 * PACE / self._gap_ns)))

    def allowance(self, now_ns: int) -> int:
        """So many may leave now."""
        left = self._most - self.sent
        if self._gap_ns is None:
            window = self._wide()
            return max(0, min(left, window - self.outstanding, left if window >= self._most else AT_ONCE))
        self._credit = min(24.0, self._credit + (now_ns - self._credit_at) * PACE / self._gap_ns)
        self._credit_at = now_ns
        if self.outstanding * self._latest_gap_ns > self._until_ns - now_ns:  # would come too late
            return 0
        room = (
            self._widest + int(self._rtt_ns / self._gap_ns) - self.outstanding
        )  # a bucket may end, and the gap be longer
        return max(0, min(left, int(self._credit), AT_ONCE, room))

    def _wide(self) -> int:
        if self.arrived >= MANY and self._quick and not self._was_slow:
            return self._most
        long = min(self._rtt_ns, self._heard_at - self._emitted_at) > LONG_RTT_NS  # not only for once
        if long and self.outstanding == 0 and self.arrived:
            self._window = 2 * self._window
            self._widest = max(self._widest, self._window)
            self._emitted_at = self._heard_at
        return self._window

    @property
    def residue_ns(self) -> int:
        """How long what is still on its way will occupy the link."""
        return int(max(0, self.outstanding) * self._latest_gap_ns)

    def wait_ns(self, now_ns: int) -> int:
        """How long there is nothing to do but to listen."""
        rest = max(0, self._until_ns - now_ns)
        if self._gap_ns is not None and self.sent < self._most:
            return min(rest, int(max(0.0, 1 - self._credit) * self._gap_ns / PACE) + 1)
        return min(rest, 5_000_000)

    def urgent(self, now_ns: int) -> bool:
        """Is it worth to look again at once, rather than to sleep? The window is open and the answers are near."""
        return self._gap_ns is None and self.outstanding > 0 and now_ns - self._heard_at < URGENT_NS

    def over(self, now_ns: int) -> bool:
        """All is in, or the time is up, or nothing comes any more."""
        if now_ns >= self._until_ns:
            return True
        if self.sent >= self._most and self.outstanding <= 0:
            return True
        quiet = max(_QUIET_NS, 3 * self._rtt_ns, int(12 * (self._gap_ns or 0)))
        return self.sent > 0 and now_ns - self._heard_at > quiet and not self._begin_again(now_ns)

    def _begin_again(self, now_ns: int) -> bool:
        """What is on its way is lost: a short queue has overflown. False when nothing came since the last time."""
        if self.arrived == self._arrived_before or self.sent >= self._most:
            return False
        self._arrived_before, self._heard_at = self.arrived, now_ns
        self._highest = self.sent - 1
        self._window = self._widest = max(4, self._window // 4)
        return True

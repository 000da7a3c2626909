"""Traces made by hand: what the tests of the pure functions are given."""

from __future__ import annotations

from collections.abc import Sequence

from probes.roundtrip import Fates, RoundTrip, Trace

MS = 1_000_000
STEP = 20 * MS
BEGIN = 1_700_000_000_000_000_000


def trip(
    sequence: int,
    up: float | None = 0.010,
    down: float | None = 0.010,
    *,
    reflected: int | None = None,
    copies: int = 1,
) -> RoundTrip:
    """A packet sent every 20 ms. `up`, `down`: seconds on the way; None: lost there. Two clocks, 7 s apart."""
    planned = BEGIN + sequence * STEP
    made = RoundTrip(sequence, "audio", 160, planned, sent_ns=planned + 5_000)
    made.scheduled_ns, made.left_ns = planned + 10_000, planned + 20_000
    if up is None or down is None:
        return made
    reached = made.left_ns + round(up * 1e9) + 7_000_000_000
    made.reached_ns, made.replied_ns, made.departed_ns = reached, reached + 30_000, reached + 50_000
    made.received_ns = made.departed_ns - 7_000_000_000 + round(down * 1e9)
    made.copies, made.reflector_sequence, made.order = copies, sequence if reflected is None else reflected, sequence
    return made


def trace(trips: Sequence[RoundTrip], fates: Fates | None = None) -> Trace:
    """A run that went its whole length."""
    return Trace(list(trips), started_at=BEGIN / 1e9, kernel_stamps=True, fates=fates)


def fates(reached: Sequence[int], *, duplicates: int = 0, reordered: int = 0, throttled: int = 0) -> Fates:
    """The reflector's report: which numbers arrived."""
    seen = bytearray(max(reached, default=0) // 8 + 1)
    for number in reached:
        seen[number >> 3] |= 1 << (number & 7)
    return Fates(len(reached), duplicates, reordered, throttled, bytes(seen))

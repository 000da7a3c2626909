"""When the next self-test is due. Pure: times are seconds since 1970 and come from the caller, chance from its dice.

A fleet must not test in step, so every moment is drawn from a span. A test that is put off stays due: it is tried again
until it has been done.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

SPREAD = 0.2  # of the interval, to either side
FIRST_S = 600.0  # computers of an office are switched on at the same minute
AGAIN_S = {  # after a test was put off: about so long until it is tried again
    "camera": 180.0,
    "microphone": 180.0,
    "page": 180.0,
    "check": 180.0,
    "flow": 180.0,
    "battery": 600.0,
    "metered": 600.0,
    "budget": 3600.0,
}
BROKEN_S = 600.0  # after one that came to no answer


@dataclass(frozen=True, slots=True)
class Schedule:
    """A test every `every_s`, give or take."""

    every_s: float

    def first(self, now: float, last: float | None, dice: random.Random) -> float:
        """After a start. `last`: when the latest test began, if it is known: a restart is no reason to test again."""
        soon = now + dice.uniform(0.0, min(FIRST_S, self.every_s))
        if last is None or last > now:  # the clock was ahead then
            return soon
        return max(soon, self.next(last, dice))

    def next(self, began: float, dice: random.Random) -> float:
        """After a test that began then."""
        return began + self.every_s * dice.uniform(1 - SPREAD, 1 + SPREAD)

    def again(self, now: float, reason: str, dice: random.Random) -> float:
        """After one that was put off, or came to nothing. Never later than the test after it would have been."""
        wait = min(AGAIN_S.get(reason, BROKEN_S), self.every_s)
        return now + wait * dice.uniform(0.8, 1.2)

    def sane(self, due: float, now: float, dice: random.Random) -> float:
        """The same moment, unless the clock has been set back so far that it would never come."""
        farthest = now + max(self.every_s, *AGAIN_S.values()) * (1 + SPREAD)
        return due if due <= farthest else self.next(now, dice)

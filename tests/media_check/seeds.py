"""How many made cases of each class the tests judge: a few, or as many as MOTESKLAR_MEDIA_CASES says.

`MOTESKLAR_MEDIA_CASES=80` is what `scripts/bench media` counts, with other seeds.
"""

from __future__ import annotations

import os

MISSES = 0.05  # of a class at most: a recall of 95 %. Of fewer than twenty cases none may be missed
ALARMS = 0.02  # of all other classes together


def many(few: int) -> int:
    """`few`, unless the environment asks for more."""
    return max(few, int(os.environ.get("MOTESKLAR_MEDIA_CASES", "0")))


def seeds(first: int, few: int) -> range:
    """`many(few)` of them."""
    return range(first, first + many(few))

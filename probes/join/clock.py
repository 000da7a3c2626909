"""clock: does this computer's clock agree with those of the servers? Logins and certificates fail when it does not."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from statistics import median

from probes.join.errand import Errand, NeedlessError

SKEW = "clock_skew_seconds"
AGREE_S = 30.0  # two servers that are further apart than this contradict each other
HALF_SECOND = 0.5  # a Date is cut off to whole seconds


async def step(errand: Errand) -> None:
    """From what the other steps saw in passing; asks nobody."""
    skews = errand.found.skews
    if not skews:
        raise NeedlessError
    errand.m.facts["clocks"] = len(skews)
    if len(skews) > 1:
        errand.m.facts["agree"] = max(skews.values()) - min(skews.values()) <= AGREE_S
    if errand.m.facts.get("agree", True):
        errand.m.values[SKEW] = median(skews.values())
    else:
        errand.m.unknown[SKEW] = "the servers' clocks contradict each other"


def server_time(date: str | None, age: str | None = None) -> float | None:
    """A server's clock by its answer's Date (and Age, when the answer had been stored: RFC 9111), seconds since 1970.

    None: it gave none that can be read.
    """
    try:
        stored = max(0, int(age)) if age else 0
        return parsedate_to_datetime(date).timestamp() + stored + HALF_SECOND if date else None
    except (ValueError, TypeError, OverflowError, OSError):
        return None

"""What a far end's answer means for the item that was sent: it is done, it will never be taken, or it waits."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Literal

from reports.spool import LONGEST_WAIT_S

Fate = Literal["done", "refused", "later", "unauthorised"]
NO_ANSWER = 0
_HOPELESS = frozenset({400, 413, 422})  # the same bytes will be refused tomorrow as well
_WORDS = {
    400: "it does not take such a report",
    401: "it does not accept the token",
    403: "the token does not allow this",
    404: "there is nothing at that address",
    407: "the proxy wants a password",
    413: "the report is too large for it",
    415: "it must be updated first: it is older than this program",
    422: "it does not take such a report",
    429: "it asks for a pause",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """Of one attempt. `status`: of HTTP, NO_ANSWER without one. `after_s`: the pause that the far end asked for."""

    status: int
    reason: str
    after_s: float | None = None

    @property
    def of_this_one(self) -> bool:
        """Perhaps it takes others: 415, it does not know such a report yet; or it stumbles over this one."""
        return self.status >= 500 or self.status == 415

    @property
    def fate(self) -> Fate:
        """409: it has had this run before, which is what was wanted."""
        if 200 <= self.status < 300 or self.status == 409:
            return "done"
        if self.status in _HOPELESS:
            return "refused"
        return "unauthorised" if self.status in (401, 403) else "later"


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds. `first`, doubled with each attempt up to `most`; `unauthorised`: somebody must mend the settings."""

    first: float = 5.0
    most: float = 900.0
    unauthorised: float = 900.0
    between: float = 0.2  # after a success: a fleet that was cut off for days comes back gently

    def wait_s(self, answer: Answer, tries: int, dice: random.Random) -> float:
        """Until the next attempt: never less than the far end asked for, and spread so that a fleet is not in step."""
        if answer.after_s is not None:
            return min(answer.after_s * dice.uniform(1.0, 1.1) + dice.uniform(0, self.first), LONGEST_WAIT_S)
        if answer.fate == "unauthorised":
            return self.unauthorised * dice.uniform(0.5, 1.0)
        return float(min(self.first * 2 ** min(tries, 30), self.most)) * dice.uniform(0.5, 1.0)


def answered(status: int, headers: Mapping[str, str], now: float) -> Answer:
    """`now`: this computer's time, for a Retry-After that is a date. Never raises."""
    return Answer(status, reason(status), retry_after_s(headers.get("Retry-After"), headers.get("Date"), now))


def reason(status: int) -> str:
    """One sentence with the number; nothing of what the far end wrote."""
    if status in _WORDS:
        return f"{_WORDS[status]} ({status})"
    return f"it has trouble of its own ({status})" if status >= 500 else f"an answer that is not understood ({status})"


def retry_after_s(value: str | None, date: str | None, now: float) -> float | None:
    """RFC 9110, 10.2.3: seconds, or a date, which counts from the far end's clock if it sends it. None: not said."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_WAIT_S)
    if (until := _date(text)) is None:
        return None
    sent = _date(date) if date else None
    return min(max(until - (now if sent is None else sent), 0.0), LONGEST_WAIT_S)


def _date(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError, OSError, TypeError, IndexError):
        return None

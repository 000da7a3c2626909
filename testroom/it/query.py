"""What a page was asked to show: of which unit, of how many days, in which language; and links that keep that."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from reports.advice import Lang
from reports.store.shapes import LONGEST_NAME

DAYS = (1, 7, 30, 90, 365)
USUAL_DAYS = 30
UNIT_MARK = "="  # before a unit's name: "=" alone asks for machines without one, "" for all


@dataclass(frozen=True, slots=True)
class Query:
    """`unit`: None is all of them, "" those without one. `now`: seconds since 1970-01-01 UTC."""

    lang: Lang
    now: float
    unit: str | None = None
    days: int = USUAL_DAYS

    @property
    def since(self) -> float:
        """The beginning of the period."""
        return self.now - self.days * 86400.0

    def href(self, path: str, **more: str) -> str:
        """A link that keeps the unit and the period."""
        kept = {} if self.unit is None else {"unit": UNIT_MARK + self.unit}
        if self.days != USUAL_DAYS:
            kept["days"] = str(self.days)
        asked = urlencode(kept | more)
        return f"{path}?{asked}" if asked else path


def read(query: Mapping[str, str], lang: Lang, now: float | None = None) -> Query:
    """What is not understood is left at its usual."""
    unit = query.get("unit", "")
    days = query.get("days", "")
    return Query(
        lang,
        time.time() if now is None else now,
        unit.removeprefix(UNIT_MARK)[:LONGEST_NAME] if _is_unit(unit) else None,
        int(days) if days in map(str, DAYS) else USUAL_DAYS,
    )


def sought(query: Mapping[str, str]) -> str:
    """What is looked for, without what no name and no code has."""
    return "".join(c for c in query.get("find", "") if c.isprintable())[:LONGEST_NAME].strip()


def _is_unit(unit: str) -> bool:
    """PostgreSQL takes neither NUL nor lone surrogates."""
    return unit.startswith(UNIT_MARK) and "\0" not in unit and not any("\ud800" <= c <= "\udfff" for c in unit)

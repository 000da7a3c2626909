"""Times as people in Sweden read them, whatever the clock of the computer that writes them down is set to."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from functools import cache

ZONE = "Europe/Stockholm"
_LATEST = 250_000_000_000.0  # before the year 9999 ends


def minute(at: float) -> str:
    """2026-11-23 08:24. `at`: seconds since 1970-01-01 UTC."""
    return f"{_local(at):%Y-%m-%d %H:%M}"


def day(at: float) -> str:
    """2026-11-23 (ISO 8601)."""
    return f"{_local(at):%Y-%m-%d}"


def _local(at: float) -> datetime:
    return datetime.fromtimestamp(min(max(at, 0.0), _LATEST), UTC).astimezone(_zone())


@cache
def _zone() -> tzinfo | None:
    """None, where the system has no time zones to look up (Windows): the computer's own."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(ZONE)
    except ZoneInfoNotFoundError:
        return None

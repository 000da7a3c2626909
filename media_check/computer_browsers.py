"""Which browsers are here, which versions, and whether one of them is new enough for the meeting service."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from media_check.computer_part import Part, aside
from media_check.errand import Errand

PLATFORM: str = sys.platform  # a plain str, so that a type checker reads on
NUMBER = re.compile(r"(?<![\w.])(\d{1,4})(?![\w])")
ENGINE = {"chromium": "chrome"}  # whose numbers a browser counts by, when nothing is said of itself


@dataclass(frozen=True, slots=True)
class Browser:
    """`version`: the first number of it, which is the one that requirements count by; None: it did not tell."""

    name: str  # "chrome" | "chromium" | "edge" | "firefox" | "safari"
    version: int | None


def version_in(text: str) -> int | None:
    """Of "Mozilla Firefox 128.5.0esr" or "17.4": 128, 17."""
    found = NUMBER.search(text)
    return int(found[1]) if found else None


def newest(found: Iterable[Browser]) -> tuple[Browser, ...]:
    """One of each name, sorted by it. A version that is known goes before one that is not."""
    best: dict[str, Browser] = {}
    for browser in found:
        before = best.get(browser.name)
        if before is None or (browser.version or -1) > (before.version or -1):
            best[browser.name] = browser
    return tuple(best[name] for name in sorted(best))


def judge(found: Sequence[Browser], lowest: Mapping[str, int]) -> str:
    """A word of the policy's. With nothing asked for, any browser is good; one of which nothing is said is none.

    "unknown": a browser that is asked for is here and none that is good, but its version is not known.
    """
    if not lowest:
        return "good" if found else "missing"
    known = [(b.version, limit) for b in found if (limit := _limit(b.name, lowest)) is not None]
    if any(version is not None and version >= limit for version, limit in known):
        return "good"
    if any(version is None for version, _ in known):
        return "unknown"
    return "old" if known else "missing"


def _limit(name: str, lowest: Mapping[str, int]) -> int | None:
    return lowest.get(name, lowest.get(ENGINE.get(name, "")))


async def ask(errand: Errand) -> Part:
    """Facts: browser (a word), browsers (such as "firefox 128")."""
    found = newest(await discover())
    names = tuple(f"{b.name} {b.version}" if b.version is not None else b.name for b in found)
    facts: dict[str, str | tuple[str, ...]] = {"browsers": names}
    if (word := judge(found, errand.browsers)) == "unknown":
        return Part(facts=facts, unknown={"browser": "a browser is here that did not tell its version in time"})
    return Part(facts=facts | {"browser": word})


async def discover() -> tuple[Browser, ...]:
    """Those of this computer and this user."""
    if PLATFORM == "win32":
        from media_check import computer_browsers_windows as windows

        return await aside(windows.discover)
    if PLATFORM == "darwin":
        from media_check import computer_browsers_macos as macos

        return await aside(macos.discover)
    from media_check import computer_browsers_linux as linux

    return await linux.discover()

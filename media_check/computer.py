"""computer: is this computer itself ready — browser, power, a card for the login, time for the encoder, memory, disk?

Each part stands by itself: one that is missing, slow or broken is unknown with its reason, and the rest still comes.
A quantity's reason stands in `unknown`; a word's ("browser", "power", "card_reader", …) in the fact WORD_unknown.
The encoder is timed last, when the other parts have ended: they would take its CPU.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from media_check import (
    computer_browsers,
    computer_card,
    computer_display,
    computer_encode,
    computer_power,
    computer_space,
)
from media_check.computer_part import Part, UnknownError
from media_check.errand import Errand, Step
from processes import tasks
from reports.draft import Draft, Failures, drafting

QUICK_S = 2.0  # for all parts but the encoder, side by side
ENCODE_S = 5.0  # at most two for the encoder; a slow computer takes long to start a child process
MARGIN_S = 0.2
FAILURES: Failures = {}
STOPPED, LATE = "the test was stopped", "no answer in time"


@dataclass(frozen=True, slots=True)
class Plan:
    """One part: what it gives (`values` of the vocabulary, `words` as facts) and how."""

    ask: Callable[[Errand], Awaitable[Part]]
    values: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


QUICK = (
    Plan(computer_browsers.ask, words=("browser",)),
    Plan(computer_power.ask, ("battery_ratio",), ("power", "power_saving")),
    Plan(computer_card.ask, words=("card_reader",)),
    Plan(computer_display.ask, ("display_height_pixels",)),
    Plan(computer_space.memory, ("memory_free_bytes",)),
    Plan(computer_space.disk, ("disk_free_bytes",)),
    Plan(computer_space.sound, words=("sound_system",)),
)
ENCODER = Plan(computer_encode.ask, ("encode_cpu_ratio", "encode_speed_ratio"))


async def check(errand: Errand) -> Draft:
    """All of it. The Measurement's subject is "computer"."""
    with drafting("computer", "computer", FAILURES) as m:
        errand.progress(Step("computer", "looking"))
        await asyncio.gather(*(_fill(m, plan, errand, QUICK_S) for plan in QUICK))
        errand.progress(Step("computer", "encoding", 0.4))
        await _fill(m, ENCODER, errand, ENCODE_S)
        errand.progress(Step("computer", "done", 1.0))
    return m


async def _fill(m: Draft, plan: Plan, errand: Errand, seconds: float) -> None:
    left = min(seconds, errand.deadline - MARGIN_S - time.monotonic())
    part = await _answer(plan, errand, left)
    m.values |= part.values
    m.facts |= part.facts
    for name in plan.values:
        if name not in part.values and (name in part.unknown or part.reason):
            m.unknown[name] = part.unknown.get(name) or part.reason
    for word in plan.words:
        if word not in part.facts and (word in part.unknown or part.reason):  # else it does not concern this computer
            m.facts |= {word: "unknown", f"{word}_unknown": part.unknown.get(word) or part.reason}


async def _answer(plan: Plan, errand: Errand, seconds: float) -> Part:
    """What the part says, or why it says nothing."""
    if errand.stop.is_set():
        return Part(reason=STOPPED)
    if seconds <= 0:
        return Part(reason="no time was left for it")
    try:
        part = await tasks.unless(errand.stop, plan.ask(errand), seconds)
        return part or Part(reason=STOPPED if errand.stop.is_set() else LATE)
    except TimeoutError:
        return Part(reason=LATE)
    except UnknownError as unknown:
        return Part(reason=str(unknown))
    except ImportError as missing:
        return Part(reason=f"the package {missing.name or 'for it'} is not installed")
    except PermissionError:
        return Part(reason="this program may not look at it")
    except Exception as broken:  # noqa: BLE001 - a system that answers as none was seen to: the other parts still come
        return Part(reason=f"looking at it failed ({type(broken).__name__})")

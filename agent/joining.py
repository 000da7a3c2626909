"""`motesklar join`: only the way into the meeting, step by step, in at most eight seconds whatever is broken."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent.check import on_interrupt
from agent.join_steps import Step, failure_to_json, first_failure, overall, steps_of, to_json, within_computer
from agent.options import Options, pick_links
from agent.selftest import Run
from agent.stages import Stages
from probes.room import Room
from probes.session import Draft
from processes import aside
from reports.record import Failure, Level, Link

if TYPE_CHECKING:
    from rich.console import Console

SCHEMA = "motesklar.join/1"
PROBES = ("join", "call")
MEDIA_S = 1.5  # of the call, once it stands
_NOWHERE = Room("localhost", 1)  # no room is configured: the steps that need one have nothing to ask


@dataclass(frozen=True, slots=True)
class Walked:
    """The answer. `link` None: there is none to go by, or the room is on this computer."""

    options: Options
    link: Link | None
    steps: list[Step]
    level: Level
    duration_s: float


def run(options: Options, *, as_json: bool, addresses: bool) -> Level:
    """The worst of what the steps found; UsageError when a link is asked for that is not there."""
    try:
        walked = aside.run(_walk(options))
    except asyncio.CancelledError:  # the second interrupt
        raise KeyboardInterrupt from None
    if as_json:
        print(json.dumps(document(walked, addresses=addresses), ensure_ascii=False, allow_nan=False))
    else:
        from rich.console import Console

        show(walked, Console())
    return walked.level


def document(walked: Walked, *, addresses: bool) -> dict[str, Any]:
    """The JSON document; addresses are left out unless asked for."""
    return {
        "schema": SCHEMA,
        "profile": walked.options.profile.name,
        "link": walked.link.name if walked.link else None,
        "level": walked.level,
        "first_failure": failure_to_json(first_failure(walked.steps)),
        "steps": [to_json(step, addresses=addresses) for step in walked.steps],
        "duration_s": walked.duration_s,
    }


def show(walked: Walked, console: Console) -> None:
    """The same for a person."""
    from agent.join_text import render

    render(walked.options, walked.steps, walked.level, console)


async def _walk(options: Options) -> Walked:
    from probes.links import discover

    run_, begun = Run(options), time.monotonic()
    on_interrupt(asyncio.get_running_loop(), run_, asyncio.current_task())
    links = await discover()
    chosen = pick_links(options, links)[:1]
    drafts = await Stages(run_, options.room or _NOWHERE, chosen, None, links).measure()
    if not chosen and not (options.room and options.room.local):
        drafts = [_no_link()]
    link = chosen[0] if chosen else None
    steps = steps_of(options.policy, link, drafts)
    link = None if within_computer(steps) else link
    return Walked(options, link, steps, overall(steps), time.monotonic() - begun)


def _no_link() -> Draft:
    """Nothing leads out of this computer."""
    failed = Draft("join_address", "computer", time.time(), failure=Failure("address", "no_route", "no link in use"))
    return Draft("join", "computer", time.time(), parts=[failed])

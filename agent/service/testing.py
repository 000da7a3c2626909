"""One self-test of the agent's, in the child process: may it run, run it, keep the answer and put it in the spool."""

from __future__ import annotations

import asyncio
import math
import os
import time
from pathlib import Path
from typing import Any

from agent import options
from agent.selftest import Run
from agent.selftest import run as run_selftest
from agent.service import meeting, outbox, rules, state
from agent.service.budget import Budget
from agent.settings import Settings
from probes.links import discover
from processes.aside import aside
from processes.child import Say
from reports.record import Link, SelfTest
from reports.textfile import SUFFIX, write_textfile

OPENED = ("camera", "microphone", "speaker")  # checks that use a device, which is somebody's in the room
POWER_S, GATEWAY_S = 3.0, 25.0


async def test(settings: Settings, folder: Path, first: dict[str, Any], stop: asyncio.Event, say: Say) -> None:
    """Raises UsageError, StateError, SpoolError and OSError of the state folder."""
    machine, asked = state.pseudonym(folder), options_of(settings)
    if somebody := state.who_tests(folder):
        say({"put_off": somebody})
        return
    to = outbox.ways(settings, machine)
    budget = Budget(folder / state.BUDGET, settings.agent.daily_mb * 1e6)
    seen = await _look(settings, first["ours"], local=asked.only_this_computer)
    left = math.inf if asked.only_this_computer else budget.left(time.time())
    if reason := rules.hindrance(seen, settings.agent, left, first["waited_s"]):
        say({"put_off": reason})
        return
    chosen = rules.links_to_test(seen.links, settings.agent)
    run = Run(_on(asked, chosen, seen, left, settings), stop)
    try:
        with state.held(folder, state.TEST_LOCK, "another self-test goes on"):
            found = await _within(budget, run, chosen, seen)
    except state.HeldError:
        say({"put_off": state.who_tests(folder) or "check"})
        return
    if found.interrupted or stop.is_set():
        say({"stopped": True})
        return
    spool = outbox.open_spool(settings, folder)
    try:
        await asyncio.to_thread(outbox.put, spool, to, found)
    finally:
        spool.close()
    state.keep(folder, found)
    say({"run": found.run_id, "level": found.verdict.level, "started_at": found.started_at})
    await _tell_others(settings, found, machine, say)


def options_of(settings: Settings) -> options.Options:
    """What the agent tests. Raises UsageError."""
    only, skip = _list(settings.agent.only), _list(settings.agent.skip)
    textfile = settings.agent.textfile
    if textfile and Path(textfile).suffix != SUFFIX:
        raise options.UsageError(f"agent.textfile: the name must end in {SUFFIX}, or node_exporter does not read it")
    checks = options.checks_of(only, skip)
    return options.Options(
        policy=options.policy_of(settings, None),
        room=options.room_of(None, settings),
        seconds=options.seconds_of(None, settings),
        language=options.language_of(None, settings),
        probes=options.probes_of(only, skip),
        checks=tuple(name for name in checks if settings.agent.devices or name not in OPENED),
        quiet=True,
        named=options.named_of(only),
        profile=options.profile_of(None, settings),
    )


def _list(names: str | None) -> tuple[str, ...]:
    return (names,) if names else ()


def _on(
    asked: options.Options, chosen: list[Link], seen: rules.Seen, left: float, settings: Settings
) -> options.Options:
    """By these links, within the day's budget."""
    from dataclasses import replace

    budget = options.budget_of(None, settings)
    if not asked.only_this_computer:
        budget = rules.megabytes_each(chosen, seen.links, left, budget)
    return replace(asked, links=tuple(link.name for link in chosen), budget_mb=budget)


async def _look(settings: Settings, ours: int, *, local: bool) -> rules.Seen:
    """`local`: no packet passes a link, so that it does not matter which there are."""
    on, power, links = await asyncio.gather(
        meeting.look(ours, flows=settings.agent.flows), _power(), _links() if not local else _none()
    )
    return rules.Seen(on, power, links)


async def _none() -> tuple[Link, ...]:
    return ()


async def _links() -> tuple[Link, ...]:
    return await discover()


async def _power() -> str:
    from media_check.computer_part import UnknownError
    from media_check.computer_power import judge, read

    try:
        async with asyncio.timeout(POWER_S):
            return judge(await read())
    except (UnknownError, TimeoutError, OSError):
        return "unknown"


async def _within(budget: Budget, run: Run, chosen: list[Link], seen: rules.Seen) -> SelfTest:
    """What it may move is spent before it begins; what it did not move is given back."""
    reserved = 0.0 if run.options.only_this_computer else rules.reserve(chosen, seen.links, run.options.budget_mb)
    budget.spend(time.time(), reserved)
    found = await run_selftest(run)
    moved = sum(_octets(m.facts.get("moved_bytes")) for m in found.measurements)
    budget.spend(time.time(), (0.0 if run.options.only_this_computer else moved) - reserved)
    return found


def _octets(fact: object) -> float:
    return float(fact) if isinstance(fact, int | float) and not isinstance(fact, bool) else 0.0


async def _tell_others(settings: Settings, found: SelfTest, machine: str, say: Say) -> None:
    """The textfile and the Pushgateway: what fails there is said, and not tried again."""
    if settings.agent.textfile:
        path = Path(settings.agent.textfile)
        try:
            await asyncio.to_thread(write_textfile, path, found)
        except OSError as error:
            say({"say": f"cannot write {path}: {error.strerror or os.strerror(error.errno or 0)}"})
    if settings.push.pushgateway:
        await _to_gateway(settings.push.pushgateway, found, machine, say)


async def _to_gateway(url: str, found: SelfTest, machine: str, say: Say) -> None:
    from probes import trust
    from reports.pushgateway import PushgatewayError, push

    try:
        await aside(lambda: push(url, found, machine, trust=trust.context()), GATEWAY_S)
    except PushgatewayError as error:
        say({"say": str(error)})
    except TimeoutError:
        say({"say": "the Pushgateway does not answer in time"})

"""One self-test: find the links, measure, judge. Everything it opens is closed when it returns."""

from __future__ import annotations

import asyncio
import dataclasses
import math
import platform
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from agent.checks import Checks
from agent.options import Options, pick_links
from agent.stages import Stages
from media_check.errand import Step
from probes import load
from probes.quality import SLOT_NS, over_time
from probes.room import parse_room
from probes.roundtrip import Trace
from probes.session import Floor, Progress, Start
from reports.compare import Comparison, compare
from reports.draft import Draft
from reports.record import AgentInfo, Device, Fact, Failure, Link, Measurement, SelfTest
from reports.verdict import judge

if TYPE_CHECKING:
    from testroom.server import TestRoom

FLOOR_SECONDS, FLOOR_INTERVAL = 0.4, 0.005


@dataclasses.dataclass(slots=True)
class Run:
    """A self-test while it goes on: what it was asked, and how to follow and stop it."""

    options: Options
    stop: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)
    progress: Callable[[Progress], None] = lambda _: None
    found: Callable[[Sequence[Link], Sequence[Link]], None] = lambda _all, _chosen: None
    began: Callable[[str], None] = lambda _probe: None
    measured: Callable[[Draft], None] = lambda _draft: None
    step: Callable[[Step], None] = lambda _: None
    traces: dict[str, Trace] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class Networked:
    """The network's part of a self-test. `links`: as they are at its end; `chosen`: as they were at its beginning."""

    links: tuple[Link, ...]
    chosen: tuple[Link, ...]
    measurements: tuple[Measurement, ...]
    comparison: Comparison | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Checked:
    """The devices' part."""

    devices: tuple[Device, ...] = ()
    measurements: tuple[Measurement, ...] = ()


async def run(run_: Run) -> SelfTest:
    """Raises UsageError for links that are not there; whatever the network does is in the record."""
    started_at, begun = time.time(), time.monotonic()
    networked = await network(run_)
    devices, drafts = await Checks(run_.options, run_.stop, run_.step).run()
    checked = Checked(devices, measurements_of(drafts))
    if checked.devices or checked.measurements:
        networked = await as_it_is_now(networked, run_.options)
    return judged(run_.options, networked, checked, started_at, time.monotonic() - begun, stopped=run_.stop.is_set())


async def network(run_: Run) -> Networked:
    """Every probe on the chosen links. Raises UsageError for links that are not there."""
    from probes.links import discover

    started_at = time.time()
    links = await discover()
    chosen = pick_links(run_.options, links)
    run_.found(links, chosen)
    async with AsyncExitStack() as stack:
        embedded = await _embedded(stack)
        room = run_.options.room or parse_room(embedded.url)
        stages = Stages(run_, room, chosen, await _floor(run_, embedded), links)
        measurements = measurements_of(await stages.measure())
    comparison = _compare(run_, chosen)
    if comparison is not None:
        measurements = (*measurements, _compared(comparison, started_at))
    return await as_it_is_now(Networked(tuple(links), tuple(chosen), measurements, comparison), run_.options)


async def as_it_is_now(networked: Networked, options: Options) -> Networked:
    """A link that has vanished since it was measured has failed."""
    from probes.links import discover

    after = networked.links if options.only_this_computer else await discover()
    measurements = tuple(_vanished(m, networked.chosen, after) for m in networked.measurements)
    return dataclasses.replace(networked, links=tuple(after), measurements=measurements)


def judged(
    options: Options, networked: Networked, checked: Checked, started_at: float, duration_s: float, *, stopped: bool
) -> SelfTest:
    """The record of both parts, and its verdict."""
    measurements = (*networked.measurements, *checked.measurements)
    verdict = judge(
        options.policy,
        _with_vanished(networked.links, networked.chosen),
        measurements,
        chosen=in_use(networked.chosen),
        comparison=networked.comparison,
        embedded=options.only_this_computer,
    )
    return SelfTest(
        run_id=str(uuid.uuid4()),
        started_at=started_at,
        duration_s=duration_s,
        agent=_agent(),
        room="configured" if options.room else "embedded",
        interrupted=stopped,
        links=networked.links,
        measurements=measurements,
        verdict=verdict,
        devices=tuple(device.record for device in checked.devices),
    )


def measurements_of(drafts: Sequence[Draft]) -> tuple[Measurement, ...]:
    """Theirs and their parts'. ValueError: one of them holds what no record can (a defect)."""
    return tuple(each.measurement() for draft in drafts for each in (draft, *draft.parts))


async def _embedded(stack: AsyncExitStack) -> TestRoom:
    """The room on this computer: for the noise floor, and for everything when no other is configured."""
    from testroom.server import RoomSettings, TestRoom

    return await stack.enter_async_context(TestRoom(RoomSettings()))


async def _floor(run_: Run, embedded: TestRoom) -> Floor | None:
    """What this computer adds: a short run against its own reflector."""
    from probes.echo import floor_of

    traces: dict[str, Trace] = {}
    session = Stages(run_, parse_room(embedded.url), (), None).session("echo", None, Start())
    session.seconds, session.isochronous_interval = FLOOR_SECONDS, FLOOR_INTERVAL
    session.traces, session.progress, session.budget_bytes = traces, lambda _: None, math.inf
    await load("echo")(session)
    return floor_of(traces[session.subject]) if session.subject in traces else None


def _vanished(m: Measurement, chosen: Sequence[Link], after: Sequence[Link]) -> Measurement:
    """A link that lost its cable or network in the middle sends into nothing and gets no error for it."""
    now = {link.name: link for link in after}
    was = next((link for link in chosen if link.name == m.subject), None)
    gone = was is not None and was.carrier is not False and (m.subject not in now or now[m.subject].carrier is False)
    if not gone or (m.failure and m.failure.code == "link_vanished"):
        return m
    return dataclasses.replace(m, failure=Failure(m.name, "link_vanished", "it was connected when the test began"))


def _compare(run_: Run, chosen: Sequence[Link]) -> Comparison | None:
    """Which link is better, of those that carried the same seconds. One that could not be tested has its failure."""
    traces = {link.name: run_.traces[link.name] for link in chosen if link.name in run_.traces}
    traces = {name: trace for name, trace in traces.items() if trace.sent}
    if len(traces) < 2:
        return None
    start = min(t.sent[0].planned_ns for t in traces.values())
    slots = max(1, math.ceil(run_.options.seconds * 1e9 / SLOT_NS))
    buffer = run_.options.policy.traffic.playout_buffer_seconds
    quality = {name: over_time(trace, start, slots, buffer) for name, trace in traces.items()}
    return compare(quality, kinds={link.name: link.kind for link in chosen})


def _compared(comparison: Comparison, started_at: float) -> Measurement:
    """The comparison as a record: the smallest lead of the recommended link, and what was found of each pair."""
    leads = [d for d in comparison.differences if d.a == comparison.best]
    values = {}
    if leads:
        least = min(leads, key=lambda d: d.low + d.high)
        values = {
            "mos_difference": (least.low + least.high) / 2,
            "mos_difference_ci95_low": least.low,
            "mos_difference_ci95_high": least.high,
        }
    pairs = tuple(f"{d.a} over {d.b}: {d.low:.2f} to {d.high:.2f} MOS" for d in comparison.differences)
    facts: dict[str, Fact] = {"best": comparison.best or "", "worst": comparison.worst or "", "pairs": pairs}
    facts["told_apart"] = comparison.told_apart
    return Measurement("compare", comparison.best or "links", started_at, 0.0, values, facts)


def in_use(chosen: Sequence[Link]) -> str | None:
    """The link that the verdict is about: the one in use when it was tested, else the first tested."""
    default = next((link.name for link in chosen if link.is_default), None)
    return default or next((link.name for link in chosen), None)


def _with_vanished(after: Sequence[Link], chosen: Sequence[Link]) -> list[Link]:
    """The links as they are now, and those that have vanished meanwhile as they were."""
    names = {link.name for link in after}
    return [*after, *(dataclasses.replace(link, carrier=False) for link in chosen if link.name not in names)]


def own_version() -> str:
    """The installed version; "0+source" when run from a checkout."""
    try:
        return version("motesklar")
    except PackageNotFoundError:
        return "0+source"


def _agent() -> AgentInfo:
    return AgentInfo(
        own_version(), f"{platform.system()} {platform.release().split('-')[0]}", platform.python_version()
    )

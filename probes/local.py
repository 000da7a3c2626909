"""local: is it this computer? Its CPU, other programs' traffic by the link, a VPN in the way, and the wifi radio.

It watches while the echo measures, so that what it sees explains those very seconds.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from probes import background, cpu, movers, radio
from probes.session import Draft, Session, measuring
from processes.tasks import end
from reports.record import Link, Wifi

TICK_S = 0.25
WORTH_ASKING = 10_000  # background bytes per second from which it matters whose they are
OWNERS_S = 1.5


async def probe(session: Session) -> Draft:
    """Watch this computer for `session.seconds`, beside the others."""
    with measuring("local", session, {}) as m:
        cpu.sample()  # pays for an import before the common start
        start_ns = await session.start.together()
        if session.links and session.link:
            m.facts["vpn"] = vpn_in_the_way(session.link, session.links)
        before = await asyncio.to_thread(movers.flows, session.link.addresses) if session.link else None
        await asyncio.sleep((start_ns - time.monotonic_ns()) / 1e9)
        working = cpu.Watch()
        passing = background.Watch(session.link) if session.link else None
        async with _radio(session.link) as heard:
            try:
                await _seconds(session, start_ns, working, passing)
            finally:
                working.finish()
        _cpu(m, working)
        if session.link and passing:
            await _background(m, session.link, passing, before)
            _wifi(m, session.link, heard)
    return m


def vpn_in_the_way(link: Link, links: tuple[Link, ...]) -> bool:
    """Is the link a VPN, or does one that is up carry the default route or stand on this link?"""
    vpns = [other for other in links if other.kind == "vpn" and other.usable]
    return link.kind == "vpn" or any(other.is_default or other.beneath == link.name for other in vpns)


async def _seconds(session: Session, start_ns: int, working: cpu.Watch, passing: background.Watch | None) -> None:
    """Look every TICK_S, until the time is over or somebody asks to stop."""
    end = min(start_ns / 1e9 + session.seconds, session.deadline)
    while not session.stop.is_set() and (left := end - time.monotonic()) > 0:
        try:
            async with asyncio.timeout(min(TICK_S, left)):
                await session.stop.wait()
        except TimeoutError:
            pass
        working.take()
        if passing:
            passing.take()


@asynccontextmanager
async def _radio(link: Link | None) -> AsyncIterator[list[Wifi]]:
    """What the radio of a wifi link says meanwhile; nothing for other links."""
    heard: list[Wifi] = []
    task = asyncio.create_task(radio.watch(link, heard)) if link and link.kind == "wifi" else None
    try:
        yield heard
    finally:
        if task:
            [ended] = await end(task)
            if isinstance(ended, Exception):
                raise ended


def _cpu(m: Draft, working: cpu.Watch) -> None:
    reasons = working.reasons()
    for name, value in working.values().items():
        if value is None:
            m.unknown[name] = reasons[name]
        else:
            m.values[name] = value
    m.facts |= working.facts()


async def _background(m: Draft, link: Link, passing: background.Watch, before: movers.Flows | None) -> None:
    """How much, and by what kind of program when that may be known."""
    moved = passing.moved()
    if moved is None:
        m.unknown |= dict.fromkeys((background.UP, background.DOWN), passing.reason)
        return
    m.values[background.UP] = moved.up_bytes / moved.seconds
    m.values[background.DOWN] = moved.down_bytes / moved.seconds
    octets = moved.up_bytes + moved.down_bytes
    if before is None or octets < WORTH_ASKING * moved.seconds:
        return
    try:
        async with asyncio.timeout(OWNERS_S):
            found = await asyncio.to_thread(_mover, link, before, octets)
    except TimeoutError:
        return
    if found:
        m.facts["background_kind"] = found


def _mover(link: Link, before: movers.Flows, octets: float) -> str | None:
    after = movers.flows(link.addresses)
    return movers.kind(before, after, octets) if after is not None else None


def _wifi(m: Draft, link: Link, heard: list[Wifi]) -> None:
    if link.kind != "wifi":
        return
    said = radio.summary(heard)
    m.values |= said.values
    m.facts |= said.facts
    reason = radio.SILENT if heard else radio.NOT_ASKED
    m.leave_open(radio.NAMES, reason)

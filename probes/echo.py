"""echo: does this link carry a meeting's packets? Delay, variation, loss and order, each way, by STAMP."""

from __future__ import annotations

import asyncio
import socket
import time

from probes import delay, loss, own_traffic, quality, traffic
from probes.connected import connected
from probes.links.binding import BindingError, Passage
from probes.room import RoomSession
from probes.roundtrip import Trace
from probes.sender import LATEST_REPLY_S, Sender
from probes.session import Draft, Failures, Floor, ProbeFailure, Progress, Session, measuring
from probes.traffic import Planned

PROGRESS_S = 0.1
LEAST_SECONDS = 1.0  # of sound alone; a shorter test says nothing
CLOCK_STEP_NS = 5_000_000  # slewing moves a clock by 0.5 ms a second at the most (adjtime(3))
FAILURES: Failures = {BindingError: "link_not_bound"}


async def probe(session: Session) -> Draft:
    """Send a meeting's traffic to the room by this link for `session.seconds` and account for every packet."""
    with measuring("echo", session, FAILURES) as m:
        try:
            plan = _plan(session, m)
            rate = len(plan) / session.seconds
            room = await session.room.open(session.link, session.seconds + LATEST_REPLY_S, rate)
        except BaseException:
            session.start.leave()
            raise
        trace = await _run(session, room, plan)
        session.traces[session.subject] = trace
        _facts(m, session, room, trace)
        _check(trace, room)
        analyse(m, trace, session)
        if trace.vanished:
            raise ProbeFailure("link_vanished", ", ".join(sorted(trace.send_errors)))
    return m


def _plan(session: Session, m: Draft) -> list[Planned]:
    """A meeting's traffic; with less video when the data budget asks for it, and that is said."""
    if session.link is not None and not session.link.usable:
        raise ProbeFailure("link_no_address")
    shape = session.traffic
    if session.isochronous_interval:
        m.facts["traffic"] = "isochronous"
        return traffic.isochronous(session.seconds, session.isochronous_interval, shape.audio_payload_bytes)
    plan = traffic.meeting(session.seconds, shape)
    m.facts["traffic"] = "meeting"
    if 2 * traffic.bytes_of(plan) > session.budget_bytes:
        plan = _within(session)
        m.facts["traffic"] = "meeting, less video: data budget"
    return plan


def _within(session: Session) -> list[Planned]:
    """Fewer of the picture's packets, and when that is not enough, sound for a shorter time."""
    seconds, most = session.seconds, session.budget_bytes / 2
    plan = traffic.within_budget(seconds, session.traffic, most)
    if traffic.bytes_of(plan) > most:
        seconds *= most / traffic.bytes_of(plan)
        if seconds < min(LEAST_SECONDS, session.seconds):
            raise ProbeFailure("budget_spent")
        plan = traffic.within_budget(seconds, session.traffic, most)
    return plan


async def _run(session: Session, room: RoomSession, plan: list[Planned]) -> Trace:
    """Send and listen in the sender's thread; the reflector's report at the end, whatever happens."""
    try:
        sock = connected(session.link, room.address)
        try:
            start_ns = await session.start.together()
            passage = Passage(session.link) if session.link else None
            with own_traffic.account(session.link) as account:
                trace = await _send(session, Sender(sock, plan, room.access, start_ns, account))
        finally:
            sock.close()
    except BaseException:
        session.start.leave()
        await room.close()
        raise
    trace.fates = await room.close()
    left = int(0.9 * len(trace.sent))  # counters may lag a little
    if passage is not None and left >= 20 and passage.bypassed(left):
        raise ProbeFailure("link_bypassed")
    return trace


async def _send(session: Session, sender: Sender) -> Trace:
    sender.start()
    try:
        while sender.alive:
            session.progress(
                Progress("echo", session.subject, sender.sent / sender.planned, sender.sent, sender.received)
            )
            if session.stop.is_set() or time.monotonic() > session.deadline:
                sender.stop()
            await asyncio.sleep(PROGRESS_S)
    finally:
        sender.stop()
        await asyncio.to_thread(sender.join, 2.0)
    return sender.trace()


def _facts(m: Draft, session: Session, room: RoomSession, trace: Trace) -> None:
    m.facts |= {
        "room": "plain STAMP" if session.room.plain else "test room",
        "stamps": "kernel" if trace.kernel_stamps else "program",
        "interrupted": trace.interrupted,
        "mos_model": "ITU-T G.107; Opus Ie 0 and Bpl 20 are our assumption",
    }
    overhead = own_traffic.udp_overhead(socket.AF_INET6 if ":" in room.address[0] else socket.AF_INET)
    m.facts["moved_bytes"] = sum((t.size + overhead) * (1 + t.copies) for t in trace.sent)
    if room.clock_offset_seconds is not None:
        m.facts["room_clock_offset_seconds"] = round(room.clock_offset_seconds, 3)
    if trace.fates and trace.fates.throttled:
        m.facts["throttled_packets"] = trace.fates.throttled
    if trace.rejected:
        m.facts["invalid_answers"] = trace.rejected


def _check(trace: Trace, room: RoomSession) -> None:
    """Is there anything to analyse?"""
    if room.expired and not all(t.returned for t in trace.sent):
        raise ProbeFailure("session_expired")
    if any(t.returned for t in trace.sent):
        return
    if trace.vanished or (trace.send_errors and not trace.sent):
        raise ProbeFailure("link_vanished", ", ".join(sorted(trace.send_errors)))
    if trace.interrupted and not trace.sent:
        raise ProbeFailure("interrupted")
    if trace.fates is not None and trace.fates.throttled:
        raise ProbeFailure("room_too_many_requests")
    raise ProbeFailure("no_reply", "its port is closed" if trace.port_closed else "")


def analyse(m: Draft, trace: Trace, session: Session) -> None:
    """Fill in every value that the trace supports, and the reasons for the others."""
    interval = session.isochronous_interval or session.traffic.audio_interval_seconds
    found, unknown = loss.values(trace)
    m.values |= found
    m.unknown |= unknown
    timed = delay.values(trace) | quality.values(trace, session.traffic.playout_buffer_seconds)
    timed |= delay.sender_values(trace, round(interval * 1e9))
    if abs(trace.clock_moved_ns) > CLOCK_STEP_NS:
        m.unknown |= dict.fromkeys(timed, "this computer's clock was set during the test")
    else:
        m.values |= timed
    if session.floor is None:
        m.unknown |= dict.fromkeys(("rtt_floor_seconds", "jitter_floor_seconds"), "not measured in this run")
    else:
        m.values |= {
            "rtt_floor_seconds": session.floor.rtt_seconds,
            "jitter_floor_seconds": session.floor.jitter_seconds,
        }


def floor_of(trace: Trace) -> Floor | None:
    """What a run against this computer's own reflector says about our part in every other run."""
    found = delay.values(trace)
    if not any(t.returned for t in trace.trips):
        return None
    jitter = max(found.get("jitter_up_seconds", 0.0), found.get("jitter_down_seconds", 0.0))
    return Floor(found["rtt_p50_seconds"], jitter)

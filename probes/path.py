"""path: what of the delay and loss is the first hop's, how long is the way beyond, and what sizes does it carry?

All of it in the same seconds as the echo probe, from a thread of its own. When the room cannot be reached, the first
router still is asked: that its hop is fine is worth knowing just then.
"""

from __future__ import annotations

import asyncio
import time

from probes import flow as flows
from probes import gateway, hops, mtu, own_traffic
from probes.connected import connected
from probes.flow import Flow
from probes.gateway import Pinger
from probes.links.binding import BindingError
from probes.session import Draft, Failures, ProbeFailure, Progress, Session, measuring
from probes.statistics import wilson
from probes.walk import LATE_S, Plan, Walker, Way

FAILURES: Failures = {BindingError: "link_not_bound"}
MOST_PER_SECOND, LEAST_PER_SECOND = 50.0, 5.0  # of pings, and of steady packets
SIZES_BYTES = 130_000  # what finding a path MTU may take at the worst
HOPS_BYTES = 30_000
ALONE_S = 3.0  # how long the first router is asked when there is no room
_LOOK_S = 0.1
_NOT_REACHED = "the room was not reached"
LOSS = "path_loss_ratio"
NAMES = (*gateway.NAMES, LOSS, "path_hops", *mtu.NAMES)


async def probe(session: Session) -> Draft:
    """Ask the first router, and send a flow to the room, for `session.seconds`."""
    with measuring("path", session, FAILURES) as m:
        try:
            if session.link is not None and not session.link.usable:
                raise ProbeFailure("link_no_address")
            plan = plan_for(session)
            way = await _open(session, plan)
        except BaseException:
            session.start.leave()
            raise
        try:
            with own_traffic.account(session.link) as account:
                for part in (way.flow, way.pinger):
                    if isinstance(part, Flow | Pinger):
                        part.account = account
                await _walk(session, way, plan)
            m.facts["moved_bytes"] = account.sent_bytes + account.received_bytes
        finally:
            for sock in way.sockets:
                sock.close()
            if way.room is not None:
                way.fates = await way.room.close()
        _fill(m, way, plan)
    return m


def plan_for(session: Session) -> Plan:
    """As many a second as the data budget has room for; sizes only when that leaves enough. ProbeFailure: neither."""
    a_second = 2 * (52 + 180)  # octets of a ping and of a steady packet, with their answers
    budget = session.budget_bytes - HOPS_BYTES
    sizes = (budget - SIZES_BYTES) / session.seconds / a_second >= LEAST_PER_SECOND
    per_second = min(MOST_PER_SECOND, (budget - sizes * SIZES_BYTES) / session.seconds / a_second)
    if per_second < LEAST_PER_SECOND / 5:
        raise ProbeFailure("budget_spent")
    return Plan(per_second, sizes, session.seconds)


async def _open(session: Session, plan: Plan) -> Way:
    """A session in the room, and the sockets. What the room refuses is kept for the end."""
    way = Way(gateway.NO_GATEWAY)
    try:
        rate = plan.per_second + 45  # hop probes and sizes come in small bursts
        way.room = await session.room.open(session.link, plan.seconds + LATE_S, rate)
        way.sockets.append(connected(session.link, way.room.address))
        way.flow = Flow(way.sockets[0], way.room.access)
    except ProbeFailure as failure:
        way.failure = failure
        plan.seconds = min(plan.seconds, ALONE_S)
    except BaseException:
        if way.room is not None:
            await way.room.close()
        raise
    way.pinger = gateway.open_pinger(session.link, v6=way.flow is not None and way.flow.v6)
    if isinstance(way.pinger, Pinger):
        way.sockets.append(way.pinger.sock)
    if way.flow is not None and plan.sizes and way.flow.sizes_hold:
        way.search = mtu.Search(mtu.sizes_up_to(session.link.mtu_bytes if session.link else None))
    return way


async def _walk(session: Session, way: Way, plan: Plan) -> None:
    """Run the walker's thread to its end."""
    if way.flow is None and isinstance(way.pinger, str):
        session.start.leave()
        return
    walker = Walker(way, plan, await session.start.together())
    walker.start()
    try:
        while walker.alive:
            _tell(session, way, walker)
            if session.stop.is_set() or time.monotonic() > session.deadline:
                walker.stop()
            await asyncio.sleep(_LOOK_S)
    finally:
        walker.stop()
        await asyncio.to_thread(walker.join, 2.0)
    walker.check()


def _tell(session: Session, way: Way, walker: Walker) -> None:
    sent = len(way.flow.packets) if way.flow else 0
    lost = flows.lost(way.flow.packets)[0] if way.flow else 0
    session.progress(Progress("path", session.subject, walker.fraction, sent, sent - lost))


def _fill(m: Draft, way: Way, plan: Plan) -> None:
    """Values, unknowns and facts; what failed is raised at the end, beside what could be measured."""
    flow = way.flow
    m.facts["interrupted"] = way.interrupted
    if flow is not None:
        _beyond(m, way, flow)
        _sizes(m, way, flow, plan)
    _first_hop(m, way)
    for name in NAMES:
        if name not in m.values and name not in m.unknown:
            m.unknown[name] = _NOT_REACHED
    if failure := _failure(way):
        raise failure


def _first_hop(m: Draft, way: Way) -> None:
    """By ping; where that is not to be had, by the ICMP answers to the flow's short-lived packets."""
    values, unknown, asked = _asked(way)
    if way.clock_moved:
        unknown |= dict.fromkeys(gateway.RTT_NAMES, "this computer's clock was set during the test")
        values = {name: value for name, value in values.items() if name not in unknown}
    m.values |= values
    m.unknown |= unknown
    m.facts["gateway_asked_by"] = asked


def _asked(way: Way) -> tuple[dict[str, float], dict[str, str], str]:
    if isinstance(way.pinger, Pinger):
        values, unknown = gateway.values(way.pinger.pings, _through(way))
        if values or not way.pinger.pings:
            return values, unknown, "icmp"
        reason = gateway.SILENT
    else:
        reason = way.pinger
    trips = hops.first_router(way.flow.packets) if way.flow and reason != gateway.NO_GATEWAY else []
    values = gateway.rtt_values(trips)
    too_few = f"{reason}; other answers are too few to tell"
    unknown = {name: too_few if values else reason for name in gateway.NAMES if name not in values}
    return values, unknown, "udp ttl" if values else "none"


def _through(way: Way) -> tuple[int, int] | None:
    """(lost, sent) of the round trips through the first router; None when nothing came back: it tells nothing."""
    if way.flow is None:
        return None
    lost, sent = flows.lost(way.flow.packets)
    return (lost, sent) if lost < sent else None


def _beyond(m: Draft, way: Way, flow: Flow) -> None:
    """Loss of the flow, and the routers on its way."""
    lost, sent = flows.lost(flow.packets)
    if not sent or lost == sent:
        m.unknown |= dict.fromkeys((LOSS, "path_hops"), "the room's UDP port answers nothing")
        return
    if way.fates is not None and way.fates.throttled:
        m.unknown[LOSS] = "the room limited how many packets it answers"
    else:
        low, high = wilson(lost, sent)
        m.values |= {LOSS: lost / sent, f"{LOSS}_ci95_low": low, f"{LOSS}_ci95_high": high}
    count = hops.routers(flow.packets)
    if count is None:
        m.unknown["path_hops"] = "the room does not tell how far a packet came, and no short-lived one arrived"
        return
    m.values["path_hops"] = float(count)
    if flow.hears_errors:
        m.facts["hops"] = hops.describe(flow.packets, count)


def _sizes(m: Draft, way: Way, flow: Flow, plan: Plan) -> None:
    """What the probes of the path MTU say."""
    if way.search is None:
        reason = mtu.NOT_HERE if plan.sizes else "the data budget leaves no room for it"
        m.unknown |= dict.fromkeys(mtu.NAMES, reason)
        return
    tried = [
        mtu.Tried(s.size_bytes, flows.reached(s, way.fates), s.returned, s.fragment_bytes) for s in flow.of("size")
    ]
    lost, sent = flows.lost(flow.packets)
    loss = wilson(lost, sent)[1] if sent else 1.0
    answer = mtu.judge(tried, loss, flow.told_mtu_bytes)
    m.values |= answer.values
    m.unknown |= answer.unknown
    m.facts |= answer.facts
    if answer.values and not way.search.finished:
        m.facts["mtu_search"] = f"not finished: to the nearest of {', '.join(map(str, mtu.LADDER))} bytes"


def _failure(way: Way) -> ProbeFailure | None:
    """What the measurement failed by, if it did."""
    if way.failure is not None or way.flow is None or way.room is None:
        return way.failure
    lost, sent = flows.lost(way.flow.packets)
    if way.flow.vanished:
        return ProbeFailure("link_vanished")
    if way.room.expired and lost:
        return ProbeFailure("session_expired")
    if lost < sent:
        return None
    if way.interrupted and not sent:
        return ProbeFailure("interrupted")
    return ProbeFailure("no_reply", "its port is closed" if way.flow.port_closed else "")

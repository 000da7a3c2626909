"""capacity: how much does this link carry, each way? Packet trains of under a second and under a megabyte."""

from __future__ import annotations

import asyncio
import socket
import time

from probes import dispersion
from probes.connected import connected
from probes.dispersion import Refusal
from probes.links.binding import BindingError
from probes.own_traffic import udp_overhead
from probes.room import RoomSession
from probes.session import Draft, Failures, ProbeFailure, Session, measuring
from probes.stamp_control import SMALLEST
from probes.trains import Flight, Order, Trains

FAILURES: Failures = {BindingError: "link_not_bound"}
PAYLOAD = 1400  # with its headers below the MTU of tunnels and of PPPoE
LEAST_PAYLOAD = 200
MOST_BYTES, LEAST_BYTES = 920_000, 100_000  # both ways together; small requests come to it
SECONDS = 0.28  # for one way
CLOCK_STEP_NS = 2_000_000
_RATE = 1000.0  # packets a second to ask the room for: as many may come at once
_POLL_S = 0.01


async def probe(session: Session) -> Draft:
    """Fill the link with short trains, each way in turn, and see how they spread."""
    room: RoomSession | None = None
    try:
        with measuring("capacity", session, FAILURES) as m:
            if session.link is not None and not session.link.usable:
                raise ProbeFailure("link_no_address")
            if session.budget_bytes < LEAST_BYTES:
                raise ProbeFailure("budget_spent")
            room = await session.room.open(session.link, 2 * SECONDS + 1, _RATE)
            _fill(m, session, await _run(session, room))
    finally:  # not part of the time that it took: its answer waits behind the train's rest
        fates = await room.close() if room else None
    if fates is not None and fates.throttled:
        m.facts["throttled_packets"] = fates.throttled
    return m


async def _run(session: Session, room: RoomSession) -> Trains:
    with connected(session.link, room.address) as sock:
        trains = Trains(sock, room.access, _order(session, sock, plain=room.access.key is None))
        trains.start()
        try:
            while trains.alive and not session.stop.is_set() and time.monotonic() < session.deadline:  # noqa: ASYNC110
                await asyncio.sleep(_POLL_S)
        finally:
            trains.stop()
            await asyncio.to_thread(trains.join, 2.0)
    return trains


def _order(session: Session, sock: socket.socket, *, plain: bool) -> Order:
    """Packets that need no fragmenting, and no more of them than the budget pays for."""
    headers = udp_overhead(sock.family)
    mtu = (session.link.mtu_bytes if session.link else None) or 1500
    payload = max(LEAST_PAYLOAD, min(PAYLOAD, mtu - headers))
    each = min(MOST_BYTES, 0.95 * session.budget_bytes) / 2
    answered = payload + headers + (payload if plain else SMALLEST) + headers
    up = 2 * each if plain else each
    return Order(payload, headers, int(up / answered), int(each / (payload + headers)), SECONDS)


def _fill(m: Draft, session: Session, trains: Trains) -> None:
    m.facts |= {
        "moved_bytes": trains.line.moved_bytes,
        "trains": sum(bool(f.sent) for f in (trains.down, trains.up)),
        "stamps": "kernel" if trains.line.kernel_stamps else "program",
        "room": "plain STAMP" if session.room.plain else "test room",
    }
    if trains.line.rejected:
        m.facts["invalid_answers"] = trains.line.rejected
    if trains.line.overflowed:
        m.facts["receive_queue_overflowed_packets"] = trains.line.overflowed
    if session.stop.is_set():
        m.facts["interrupted"] = True
    _check(session, trains)
    for way, flight in (("up", trains.up), ("down", trains.down)):
        _analyse(m, way, flight, trains)


def _check(session: Session, trains: Trains) -> None:
    if trains.heard:
        return
    if trains.vanished:
        raise ProbeFailure("link_vanished")
    if session.stop.is_set():
        raise ProbeFailure("interrupted")
    raise ProbeFailure("no_reply", "its port is closed" if trains.port_closed else "")


def _analyse(m: Draft, way: str, flight: Flight, trains: Trains) -> None:
    name = f"capacity_{way}_bytes_per_second"
    reason = _reason(flight, trains)
    if not reason:
        found = dispersion.capacity(flight.points, flight.octets)
        if not isinstance(found, Refusal):
            m.values |= {name: found.rate, f"{name}_ci95_low": found.low, f"{name}_ci95_high": found.high}
            if found.burst_bytes is not None:
                m.facts[f"burst_{way}_bytes"] = round(found.burst_bytes)
            return
        reason = found.reason
        if found.at_least is not None:
            reason += f": at least {found.at_least * 8 / 1e6:.3g} Mbit/s"
            m.facts[f"at_least_{name}"] = found.at_least
    m.unknown[name] = reason


def _reason(flight: Flight, trains: Trains) -> str:
    """Why the train is not worth analysing."""
    if flight.refusal:
        return flight.refusal
    if abs(trains.clock_moved_ns) > CLOCK_STEP_NS:
        return "this computer's clock was set during the test"
    if trains.vanished:
        return "the link disappeared during the test"
    if not flight.sent:
        return "not enough time"
    return "" if flight.points else "none of the long packets arrived"

"""call: can this computer and link carry the meeting's call, with picture, or with sound only?

A real WebRTC call to the room, which returns each encoded picture and packet of sound as it came. It is made in a child
process (probes.call.child) that is killed when its time is over; here are the signalling, the time and the verdict on
how far it got. It is tried directly first and, a moment later, by the relays that the room names: by UDP, TCP and TLS.

What is sent is synthetic; no camera or microphone is touched, and what comes back is counted and gone.
"""

from __future__ import annotations

import asyncio
import socket
import time
from ipaddress import ip_address

from probes.call.signalling import Counts, Signalling
from probes.call.talk import BETWEEN_S, END_S, Talk, briefly, own_time
from probes.call.wire import MOST_ALONE_S, Errand, Report, affordable
from probes.links.binding import BindingError, Passage, source_address
from probes.room import RoomSession
from probes.session import Draft, Failures, ProbeFailure, Session, measuring
from processes import child
from processes.tasks import end
from reports.vocabulary import QUANTITIES

COMMAND = child.command("probes.call.child")
NAMES = tuple(name for name in QUANTITIES if name.startswith(("call_", "first_")))
LEAST_S = 2.0
PACKETS_PER_SECOND = 1.0  # of STAMP, which is not used here
FAILURES: Failures = {}


async def probe(session: Session) -> Draft:
    """One call by this link."""
    with measuring("call", session, FAILURES, NAMES) as m:
        await _measure(session, m)
    return m


async def _measure(session: Session, m: Draft) -> None:
    seconds, video_bits = _plan(session)
    room = await _open(session, seconds)
    try:
        errand = _errand(session, room, seconds, video_bits)
        talk = Talk(session, Signalling(room), errand)
        passage = Passage(session.link) if session.link else None
        await talk.run(COMMAND)
        await _judge(session, m, talk, passage)
    finally:
        await briefly(session, room.close())


def _plan(session: Session) -> tuple[float, int]:
    """Seconds of media and bits of video a second. ProbeFailure: there is no means for it."""
    if session.link is not None and not session.link.usable:
        raise ProbeFailure("link_no_address")
    if session.room.plain:
        raise ProbeFailure("room_test_not_offered", step="signalling")
    plan = affordable(session.budget_bytes, session.seconds)
    if plan is None:
        raise ProbeFailure("budget_spent")
    if session.deadline - time.monotonic() < LEAST_S:
        raise ProbeFailure("timeout")
    return plan


async def _open(session: Session, seconds: float) -> RoomSession:
    """The room's session; not beyond the deadline, nor after an interrupt."""
    lasting = own_time(seconds) + MOST_ALONE_S
    opening = asyncio.create_task(session.room.open(session.link, lasting, PACKETS_PER_SECOND))
    stopping = asyncio.create_task(session.stop.wait())
    left = max(0.0, session.deadline - time.monotonic())
    try:
        await asyncio.wait((opening, stopping), timeout=left, return_when=asyncio.FIRST_COMPLETED)
        if opening.done():
            return opening.result()
        raise ProbeFailure("interrupted" if session.stop.is_set() else "room_unreachable")
    except ProbeFailure as failure:
        failure.step = failure.step or "signalling"
        raise
    finally:
        await end(opening, stopping)


def _errand(session: Session, room: RoomSession, seconds: float, video_bits: int) -> Errand:
    host, link = room.address[0], session.link
    family = socket.AF_INET6 if ip_address(host).version == 6 else socket.AF_INET
    try:
        address = source_address(link, family) if link else _own_address(host, family)
    except BindingError:
        raise ProbeFailure("link_no_address") from None
    relays = tuple(server for server in room.ice_servers if server.relay)
    by = (link.name, link.addresses) if link else ()
    until = session.deadline - END_S / 2 - BETWEEN_S
    return Errand(address, seconds, video_bits, session.budget_bytes, until, relays, *by)


def _own_address(host: str, family: int) -> str:
    """From which this computer would send there; nothing is sent."""
    with socket.socket(family, socket.SOCK_DGRAM) as asked:
        asked.connect((host, 9))
        return str(asked.getsockname()[0])


async def _judge(session: Session, m: Draft, talk: Talk, passage: Passage | None) -> None:
    """Everything into the Draft. ProbeFailure: why the call was none, or not a whole one."""
    report = talk.report
    m.values |= report.values
    m.facts |= report.facts
    m.unknown |= report.unknown
    m.facts["moved_bytes"] = report.moved_bytes
    if session.link is not None:
        m.facts["link_chosen_by"] = "device and address"
    way = str(report.facts.get("media_path", ""))
    if took := talk.signalling.took:
        m.values["call_signalling_seconds"] = took.get(way, min(took.values()))
    counts = await briefly(session, talk.signalling.hang_up(way))
    await briefly(session, talk.signalling.end())
    if passage is not None and _bypassed(passage, report):
        m.values.clear()
        raise ProbeFailure("link_bypassed")
    if (failure := _failure(talk, counts)) is not None:
        if failure.code in NOTHING and failure.step != "signalling":
            m.facts["call_carries"] = "nothing"
        raise failure


def _bypassed(passage: Passage, report: Report) -> bool:
    """Did the call go by another link? By what came back, for a firewall here may have held up what was sent."""
    change = passage.delta()
    if change is None:
        return False
    returned = min(report.sent_octets, report.received_octets)
    return change.received_bytes < 0.9 * report.received_octets or change.sent_bytes < 0.5 * returned


NOTHING = frozenset({"ice_failed", "dtls_failed", "media_silent_up", "media_silent_down"})


def _failure(talk: Talk, counts: Counts | None) -> ProbeFailure | None:
    if not talk.complete and talk.killed_by:
        return ProbeFailure("probe_broken", f"its process was ended by signal {talk.killed_by}", talk.step)
    if not talk.complete:
        return ProbeFailure("interrupted" if talk.session.stop.is_set() else "timeout", step=talk.step)
    if talk.report.failure is None:
        return None
    code, detail, step = talk.report.failure
    if code != "media_silent_down":
        return ProbeFailure(code, detail, step)
    if counts is None:
        return ProbeFailure("call_broken_off", "nothing came back, and the room does not tell what it saw", step)
    return ProbeFailure(code if counts.received else "media_silent_up", "", step)

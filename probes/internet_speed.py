"""internet_speed: what does the well-known speed test say of this link? A second opinion, only when asked for.

The test room is asked first, for the same test in speedtest's "mini" layout, so that closed networks have it too.
Where the room does not offer it, is on this computer or is a plain STAMP reflector, the third party is asked:
speedtest.net, which by that learns this network's public address. Any other refusal of the room stands: nobody is
sent to a third party because a room was busy. Proxies are not used: they are not the link.

The package speedtest-cli does the test in a child process, which is killed when the time is over. The probe needs
LEAST_BYTES of data budget, keeps to it, and gives a rate only of a direction that lasted long enough to have one.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict, dataclass, field
from typing import Any

from probes.internet_speed_wire import Errand
from probes.links.binding import Passage
from probes.room import RoomSession
from probes.session import Draft, Failures, ProbeFailure, Progress, Session, measuring
from processes import child
from processes.tasks import unless
from reports.vocabulary import FAILURES as CODES

THIRD_PARTY, ROOM = "speedtest.net", "the test room"
QUICK_S, DEEP_S = 30.0, 60.0
DIRECTION_S, LEAST_DIRECTION_S = 10.0, 2.0  # the package's own, and how far it may be shortened
AROUND_S = 5.0  # for finding a server and connecting to it
LEAST_BYTES = 20e6
SHORTEST_S = 0.5  # in less there is only TCP's beginning
WAYS = {"down": "internet_speed_down_bytes_per_second", "up": "internet_speed_up_bytes_per_second"}
COMMAND = child.command("probes.internet_speed_child")
FAILURES: Failures = {}


@dataclass(slots=True)
class Said:
    """What the child said until its end. `payload` octets and `moved` bytes of packets: both ways together."""

    ways: dict[str, dict[str, float]] = field(default_factory=dict)
    began: str = ""
    failed: ProbeFailure | None = None
    payload: int = 0
    moved: int = 0

    def take(self, line: dict[str, Any]) -> None:
        """One of its lines."""
        self.began = line.get("began", self.began)
        self.payload, self.moved = line.get("payload", self.payload), line.get("moved", self.moved)
        self.ways |= {way: line[way] for way in WAYS if way in line}
        if "failed" in line:
            self.failed = ProbeFailure(line["failed"], line["detail"])


async def probe(session: Session) -> Draft:
    """Both directions, by the room or else by the third party, for as long as the session lets it."""
    with measuring("internet_speed", session, FAILURES, WAYS.values()) as m:
        _check(session)
        await _measure(session, m)
    return m


def _check(session: Session) -> None:
    if session.link is not None and not session.link.usable:
        raise ProbeFailure("link_no_address")
    if session.budget_bytes < LEAST_BYTES:
        raise ProbeFailure("budget_spent", f"this test needs {LEAST_BYTES / 1e6:.0f} MB")
    if _seconds(session) < AROUND_S:
        raise ProbeFailure("timeout")


def _seconds(session: Session) -> float:
    """How long the whole may take."""
    return min(DEEP_S if session.deep else QUICK_S, session.deadline - time.monotonic())


async def _measure(session: Session, m: Draft) -> None:
    passage = Passage(session.link) if session.link else None
    said = await _by_room(session, m)
    if said is None:
        m.facts["third_party"] = THIRD_PARTY
        said = await _run(session, _errand(session, None))
    m.facts["moved_bytes"] = said.moved
    if session.link is not None:
        m.facts["link_chosen_by"] = "device and address"
    for way in WAYS:
        _direction(m, said, way)
    change = passage.delta() if passage else None
    if change is not None and change.sent_bytes + change.received_bytes < 0.9 * said.payload:
        m.values.clear()
        raise ProbeFailure("link_bypassed")
    if (failure := _failure(m, said, session)) is not None:
        raise failure


async def _by_room(session: Session, m: Draft) -> Said | None:
    """What came of the room's own test; None: it does not have one that would tell of the link."""
    if session.link is not None and (session.room.plain or session.room.local):
        return None
    if session.room.plain:
        raise ProbeFailure("room_test_not_offered")
    m.facts["third_party"] = ROOM
    room = await session.room.open(session.link, _seconds(session), 1.0)
    try:
        said = await _run(session, _errand(session, room))
    finally:
        await room.close()
    absent = said.failed is not None and said.failed.code == "room_test_not_offered"
    return None if absent and session.link is not None else said


def _errand(session: Session, room: RoomSession | None) -> Errand:
    errand: dict[str, Any] = {
        "seconds_each": min(DIRECTION_S, max(LEAST_DIRECTION_S, (_seconds(session) - AROUND_S) / 2)),
        "budget_bytes": session.budget_bytes / 2,
    }
    if session.link is not None:
        errand |= {"link": session.link.name, "link_addresses": session.link.addresses}
    if room is not None:
        fingerprint = session.room.fingerprint
        errand |= {
            "url": f"{session.room.url}/v1/speedtest/{room.identifier}",
            "address": room.address[0],
            "fingerprint": fingerprint.hex() if fingerprint else None,
        }
    return Errand(**errand)


async def _run(session: Session, errand: Errand) -> Said:
    """The child from its start to its end, which comes in time whatever it does."""
    said = Said()
    seconds = _seconds(session)
    async with child.started(COMMAND) as process:
        await unless(session.stop, _listen(process, errand, session, said), seconds)
    return said


async def _listen(process: asyncio.subprocess.Process, errand: Errand, session: Session, said: Said) -> None:
    """Give the child its errand and hear all that it says."""
    begun = time.monotonic()
    await child.tell(process, asdict(errand))
    async for line in child.lines(process):
        said.take(line)
        fraction = min(1.0, (time.monotonic() - begun) / (2 * errand.seconds_each + 1))
        session.progress(Progress("internet_speed", session.subject, fraction, 0, 0))
    if await process.wait() != 0 and said.failed is None:
        raise RuntimeError("the child of internet_speed broke")


def _direction(m: Draft, said: Said, way: str) -> None:
    """A rate, or why there is none."""
    figures = said.ways.get(way)
    if figures is None:
        return
    if figures["broken"] > figures["answered"] or not figures["bytes_per_second"]:
        m.unknown[WAYS[way]] = CODES["transfer_stalled"]
    elif figures["stopped"] and figures["seconds"] < SHORTEST_S:
        m.unknown[WAYS[way]] = f"the data budget was spent within {figures['seconds']:.2f} s: too short to tell"
    else:
        m.values[WAYS[way]] = figures["bytes_per_second"]
    if figures["stopped"]:
        m.facts["stopped_early"] = "data budget"
    if figures["broken"]:
        m.facts[f"broken_transfers_{way}"] = int(figures["broken"])


def _failure(m: Draft, said: Said, session: Session) -> ProbeFailure | None:
    """Why not all is known, if it is not."""
    missing = [name for name in WAYS.values() if name not in m.values]
    if not missing:
        return None
    if session.stop.is_set():
        return ProbeFailure("interrupted")
    if said.failed is not None:
        return said.failed
    if all("data budget" in m.unknown.get(name, "") for name in missing):
        return ProbeFailure("budget_spent")
    if said.began:
        return ProbeFailure("transfer_stalled")
    return ProbeFailure("third_party_unreachable" if m.facts["third_party"] == THIRD_PARTY else "room_unreachable")

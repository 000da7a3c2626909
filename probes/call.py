"""call: can this computer and link carry the meeting's call, with picture, or with sound only?

A real WebRTC call to the room, which returns each encoded picture and packet of sound as it came. It is made in a child
process (probes.call_child) that is killed when its time is over; here are the signalling, the time and the verdict on
how far it got. It is tried directly first and, a moment later, by the relays that the room names: by UDP, TCP and TLS.

What is sent is synthetic; no camera or microphone is touched, and what comes back is counted and gone.
"""

from __future__ import annotations

import asyncio
import socket
import time
from dataclasses import asdict, dataclass, field
from ipaddress import ip_address
from typing import Any

from probes import child
from probes.call_signalling import Counts, Signalling
from probes.call_wire import CONNECT_S, FIRST_MEDIA_S, Errand, Report, affordable
from probes.links.binding import BindingError, Passage, source_address
from probes.room import RoomSession
from probes.session import Draft, Failures, ProbeFailure, Progress, Session, measuring
from reports.vocabulary import FAILURES as CODES
from reports.vocabulary import QUANTITIES

COMMAND = child.command("probes.call_child")
NAMES = tuple(name for name in QUANTITIES if name.startswith(("call_", "first_")))
START_S = 4.0  # for the child's modules, on a slow computer
END_S = 2.0  # for the room's counts
LEAST_S = 2.0
PACKETS_PER_SECOND = 1.0  # of STAMP, which is not used here
FAILURES: Failures = {}


async def probe(session: Session) -> Draft:
    """One call by this link."""
    with measuring("call", session, FAILURES) as m:
        try:
            await _measure(session, m)
        except ProbeFailure as failure:
            reason = CODES[failure.code] + (f" ({failure.detail})" if failure.detail else "")
            m.unknown |= {name: m.unknown.get(name, reason) for name in NAMES if name not in m.values}
            raise
    return m


async def _measure(session: Session, m: Draft) -> None:
    seconds, video_bits = _plan(session)
    room = await _open(session, seconds)
    try:
        errand = _errand(session, room, seconds, video_bits)
        talk = Talk(session, Signalling(room), errand)
        passage = Passage(session.link) if session.link else None
        await talk.run()
        await _judge(session, m, talk, passage)
    finally:
        await room.close()


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
    lasting = START_S + CONNECT_S + FIRST_MEDIA_S + seconds + END_S
    try:
        return await session.room.open(session.link, lasting, PACKETS_PER_SECOND)
    except ProbeFailure as failure:
        failure.step = failure.step or "signalling"
        raise


def _errand(session: Session, room: RoomSession, seconds: float, video_bits: int) -> Errand:
    host, link = room.address[0], session.link
    family = socket.AF_INET6 if ip_address(host).version == 6 else socket.AF_INET
    try:
        address = source_address(link, family) if link else _own_address(host, family)
    except BindingError:
        raise ProbeFailure("link_no_address") from None
    relays = tuple(server for server in room.ice_servers if server.relay)
    by = (link.name, link.addresses) if link else ()
    return Errand(address, seconds, video_bits, session.budget_bytes, relays, *by)


def _own_address(host: str, family: int) -> str:
    """From which this computer would send there; nothing is sent."""
    with socket.socket(family, socket.SOCK_DGRAM) as asked:
        asked.connect((host, 9))
        return str(asked.getsockname()[0])


@dataclass(slots=True)
class Talk:
    """The conversation with the child. `step`: how far the call got; `complete`: the child said its last."""

    session: Session
    signalling: Signalling
    errand: Errand
    step: str = "signalling"
    report: Report = field(default_factory=Report)
    complete: bool = False
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self) -> None:
        """From the child's start to its end, which comes in time whatever it does."""
        own = START_S + CONNECT_S + FIRST_MEDIA_S + self.errand.seconds + END_S
        left = max(0.0, min(own, self.session.deadline - END_S / 2 - time.monotonic()))
        async with child.started(COMMAND) as process:
            waiting = [asyncio.create_task(self._listen(process)), asyncio.create_task(self.session.stop.wait())]
            try:
                await asyncio.wait(waiting, timeout=left, return_when=asyncio.FIRST_COMPLETED)
                if waiting[0].done():
                    waiting[0].result()
            finally:
                unfinished = [*waiting, *self._tasks]
                for task in unfinished:
                    task.cancel()
                await asyncio.gather(*unfinished, return_exceptions=True)

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        await child.tell(process, asdict(self.errand))
        async for line in child.lines(process):
            self._take(line, process)
        if not self.complete:
            raise RuntimeError("the child of the call broke")

    def _take(self, line: dict[str, Any], process: asyncio.subprocess.Process) -> None:
        if "offer" in line:
            self._beside(self._answer(line["attempt"], line["offer"], process))
        elif "lost" in line:
            self._beside(self._forget(line["lost"]))
        elif "step" in line:
            self.step = max(self.step, line["step"], key=STEPS.index)
        else:
            self.report, self.complete = Report(**line["report"]), line["last"]
            said = self.report
            self.session.progress(
                Progress("call", self.session.subject, said.fraction, said.frames_sent, said.frames_received)
            )

    def _beside(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, name: str, offer: str, process: asyncio.subprocess.Process) -> None:
        try:
            answer = {"answer": await self.signalling.offer(name, offer)}
        except ProbeFailure as failure:
            answer = {"refused": failure.code, "detail": failure.detail}
        await child.tell(process, {"attempt": name, **answer})

    async def _forget(self, name: str) -> None:
        await self.signalling.hang_up(name)


STEPS = ("signalling", "ice", "dtls", "media")


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
    counts = await talk.signalling.hang_up(way)
    await talk.signalling.end()
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

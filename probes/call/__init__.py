"""call: can this computer and link carry the meeting's call, with picture, or with sound only?

A real WebRTC call to the room, which returns each encoded picture and packet of sound as it came. It is made in a child
process (probes.call.child) that is killed when its time is over; here are the signalling, the time and the verdict on
how far it got. It is tried directly first and, a moment later, by the relays that the room names: by UDP, TCP and TLS.

What is sent is synthetic; no camera or microphone is touched, and what comes back is counted and gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Collection, Coroutine
from dataclasses import asdict, dataclass, field
from ipaddress import ip_address
from typing import Any, TypeVar

from probes.call.signalling import Counts, Signalling
from probes.call.wire import CONNECT_S, FIRST_MEDIA_S, MOST_ALONE_S, Errand, Report, affordable
from probes.links.binding import BindingError, Passage, source_address
from probes.room import RoomSession
from probes.session import Draft, Failures, ProbeFailure, Progress, Session, measuring
from processes import child
from reports.vocabulary import FAILURES as CODES
from reports.vocabulary import QUANTITIES

COMMAND = child.command("probes.call.child")
NAMES = tuple(name for name in QUANTITIES if name.startswith(("call_", "first_")))
START_S = 4.0  # for the child's modules, on a slow computer
END_S = 2.0  # for the room's counts
BETWEEN_S = 0.25  # from the end of the child's time to that of ours
CLOSE_S, LAST_S = 1.5, 0.2  # for each of the room's last answers; when the deadline has come
LEAST_S = 2.0
PACKETS_PER_SECOND = 1.0  # of STAMP, which is not used here
FAILURES: Failures = {}

T = TypeVar("T")


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
        await _briefly(session, room.close())


async def _briefly(session: Session, asking: Coroutine[Any, Any, T]) -> T | None:
    """What the room is asked at the end, and is not waited for long; None: no answer in time."""
    left = 0.0 if session.stop.is_set() else session.deadline - time.monotonic()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(min(CLOSE_S, max(LAST_S, left))):
            return await asking
    return None


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
    lasting = _own_time(seconds) + MOST_ALONE_S
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
        await _end(opening, stopping)


def _own_time(seconds: float) -> float:
    """Seconds that a call takes at the most, from the child's start to the room's counts."""
    return START_S + CONNECT_S + FIRST_MEDIA_S + seconds + END_S


async def _end(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


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


@dataclass(slots=True)
class Talk:
    """The conversation with the child. `step`: how far the call got; `complete`: the child said its last.

    `killed_by`: the signal that ended the child; 0: none.
    """

    session: Session
    signalling: Signalling
    errand: Errand
    step: str = "signalling"
    report: Report = field(default_factory=Report)
    complete: bool = False
    killed_by: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self) -> None:
        """From the child's start to its end, which comes in time whatever it does."""
        async with child.started(COMMAND) as process:
            waiting = [asyncio.create_task(self._listen(process)), asyncio.create_task(self.session.stop.wait())]
            try:
                await self._wait(waiting, _own_time(self.errand.seconds))
                if self.complete:  # and the sound is tried by itself
                    await self._wait(waiting, MOST_ALONE_S + BETWEEN_S)
                if waiting[0].done():
                    waiting[0].result()
            finally:
                await _end(*waiting, *self._tasks)

    async def _wait(self, waiting: Collection[asyncio.Task[Any]], most_s: float) -> None:
        """Until one of these is done, and not for longer, nor beyond the deadline."""
        left = max(0.0, min(most_s, self.session.deadline - END_S / 2 - time.monotonic()))
        await asyncio.wait(waiting, timeout=left, return_when=asyncio.FIRST_COMPLETED)

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        await child.tell(process, asdict(self.errand))
        async for line in child.lines(process):
            self._take(line, process)
        self.killed_by = max(0, -(process.returncode or 0))
        if not self.complete and not self.killed_by:
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
    counts = await _briefly(session, talk.signalling.hang_up(way))
    await _briefly(session, talk.signalling.end())
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

"""The child process of the call: a WebRTC endpoint that sends picture and sound to the room and counts what returns.

It may be killed at any moment, and says a few times a second how the call goes (wire.Report). The ways of
connecting are begun one after the other, as wire.WAYS says; the first that connects carries the call.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from probes.call.loop import LinkLoop
from probes.call.picture import Scene
from probes.call.sound import phrase
from probes.call.wire import FIRST_MEDIA_S, SILENCE_S, Errand, Report
from processes import child

if TYPE_CHECKING:
    from probes.call.attempt import Attempt
    from probes.call.race import Race, Said

TELL_S, LOOK_S, CLOSE_S = 0.25, 0.02, 0.7
IMPOSSIBLE = ("call_not_possible", "the WebRTC library or a codec is missing", "signalling")
NO_WAY = ("ice_failed", "dtls_failed")


class Media:
    """The call from when it is connected until enough has been seen, or nothing comes any more."""

    def __init__(self, won: Attempt, joined: float, errand: Errand, say: child.Say) -> None:
        from probes.call.reporting import Reporter

        self._won, self._errand, self._say = won, errand, say
        self._reporter = Reporter(won, joined)
        self._begun = time.monotonic()
        self._spent = False

    async def run(self) -> None:
        """The last report is said at its end."""
        told = self._begun
        while (end := self._ended(now := time.monotonic())) is None:
            if now - told >= TELL_S:
                told = now
                report = await self._reporter.report(now, self._fraction(now))
                self._spent = report.moved_bytes >= self._errand.budget_bytes
                _tell(self._say, report)
            await asyncio.sleep(LOOK_S)
        report = await self._reporter.report(end[0], 1.0)
        report.failure = end[1]
        if self._spent:
            report.facts["stopped_early"] = "data budget"
        _tell(self._say, report, last=True)
        if report.failure is None and report.facts.get("call_carries") == "nothing":
            await self._without_pictures(report)

    async def _without_pictures(self, report: Report) -> None:
        """Would it carry the sound by itself? What is known so far has been told, and stands if this has no time."""
        from probes.call.alone import sound_alone

        report.facts |= await sound_alone(self._won, self._errand, report.moved_bytes)
        await self._reporter.weigh(report)
        _tell(self._say, report, last=True)

    def _ended(self, now: float) -> tuple[float, Said | None] | None:
        """When the media ended, and with which failure; None: it goes on."""
        last = self._won.seen.last_packet
        if last is not None and (self._won.over or now - last > SILENCE_S):
            return last, ("call_broken_off", "", "media")
        if last is None and (self._won.over or now - self._begun > FIRST_MEDIA_S):
            return now, ("media_silent_down", "", "media")
        return (now, None) if self._spent or self._fraction(now) >= 1 else None

    def _fraction(self, now: float) -> float:
        """Of the seconds of media: from the first picture, or, for want of one, from when it was due."""
        seen, due = self._won.seen, self._begun + FIRST_MEDIA_S
        if not seen.frames and (not seen.sound or now < due):
            return 0.0
        first = seen.frames[0].at if seen.frames else due
        return min(1.0, (now - first) / self._errand.seconds)


def _tell(say: child.Say, report: Report, *, last: bool = False) -> None:
    say({"report": asdict(report), "last": last})


class Desk:
    """Does the errand, and takes the parent's lines to it from the thread that reads them."""

    def __init__(self) -> None:
        self._race: Race | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def hear(self, line: dict[str, Any]) -> None:
        """In the reading thread. The parent says nothing before it was asked."""
        if self._loop is not None and self._race is not None:
            self._loop.call_soon_threadsafe(self._race.hear, line)

    def work(self, line: dict[str, Any], say: child.Say) -> None:
        """The errand, whole."""
        errand = Errand.read(line)
        try:
            prepare(errand)
        except (ImportError, ValueError):  # av says ValueError of a codec that it was built without
            _tell(say, Report(failure=IMPOSSIBLE), last=True)
            return
        with asyncio.Runner(loop_factory=lambda: LinkLoop(errand.as_link())) as runner:
            runner.run(self._call(errand, say))
            os._exit(0)  # what is left are decoder threads and closing sockets

    async def _call(self, errand: Errand, say: child.Say) -> None:
        from probes.call.race import Race

        scene, sound = Scene(), phrase()
        self._race, self._loop = race, _ = Race(errand, say), asyncio.get_running_loop()
        won = await race.run(scene, sound)
        if won is None:
            why, furthest = race.why(), max(race.attempts.values(), key=lambda a: len(a.times), default=None)
            facts = {"media_path": "none"} if why[0] in NO_WAY else {}
            _tell(say, Report(values=furthest.took() if furthest else {}, facts=facts, failure=why), last=True)
        else:
            say({"step": "media"})
            await Media(won, race.joined, errand, say).run()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await asyncio.gather(*(a.close() for a in race.attempts.values()), return_exceptions=True)


def prepare(errand: Errand) -> None:
    """Let aiortc use the link's address only, and no more bits than allowed. ImportError, ValueError: not possible."""
    import aioice.ice
    import av
    import numpy  # noqa: F401 - the picture and the sound are made with it

    from probes.call import encoder

    for codec in ("libvpx", "libopus"):
        av.CodecContext.create(codec, "w")
    aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: [errand.address]  # noqa: ARG005
    encoder.install(errand.video_bits)


if __name__ == "__main__":
    desk = Desk()
    child.run(desk.work, desk.hear)

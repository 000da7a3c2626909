"""Which way connects first: directly, or by a relay, each begun a little later than the better one.

Only the child process imports this module.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from probes.call.attempt import Attempt, LostError
from probes.call.picture import Scene
from probes.call.wire import ANSWER_S, CONNECT_S, WAYS, Errand, Way
from probes.ice_servers import IceServer
from processes.child import Say
from processes.tasks import end

Said = tuple[str, str, str]  # code, detail, step


class Race:
    """`attempts`: all that were begun; `won`: the one that carries the call; `joined`: when it began."""

    def __init__(self, errand: Errand, say: Say) -> None:
        self._errand, self._say = errand, say
        self._answers: dict[str, asyncio.Future[str]] = {}
        self._lost: dict[Way, LostError] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self.attempts: dict[Way, Attempt] = {}
        self.won: Attempt | None = None
        self.joined = time.monotonic()

    def hear(self, line: dict[str, Any]) -> None:
        """The parent's answer to an offer."""
        waiting = self._answers.get(line["attempt"])
        if waiting is None or waiting.done():
            return
        if "answer" in line:
            waiting.set_result(line["answer"])
        else:
            waiting.set_exception(LostError(line["refused"], line.get("detail", ""), "signalling"))

    async def run(self, scene: Scene, sound: Any) -> Attempt | None:
        """Until one way is connected, all are lost, or the time is over. The others are hung up."""
        self.joined = time.monotonic()
        tasks = [asyncio.create_task(self._try(way, by, scene, sound)) for way, by in self._errand.ways().items()]
        pending, deadline = set(tasks), self.joined + CONNECT_S
        while pending and self.won is None and not self._refused():
            left = max(0.0, deadline - time.monotonic())
            done, pending = await asyncio.wait(pending, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if not done:
                break
            for task in done:
                task.result()
        await end(*tasks)
        for way, attempt in self.attempts.items():
            if attempt is not self.won and way not in self._lost:
                self._give_up(way)
        return self.won

    def _refused(self) -> bool:
        """Does the room not want this call, whichever way?"""
        answered = any("answered" in a.times for a in self.attempts.values())
        return not answered and any(lost.step == "signalling" for lost in self._lost.values())

    async def _try(self, way: Way, server: IceServer | None, scene: Scene, sound: Any) -> None:
        await asyncio.sleep(self.joined + WAYS[way] - time.monotonic())
        attempt = self.attempts[way] = Attempt(way, server, scene, sound)
        try:
            await attempt.connect(self._exchange, lambda step: self._say({"step": step}))
        except LostError as lost:
            self._lost[way] = lost
            self._give_up(way)
        else:
            self.won = self.won or attempt

    async def _exchange(self, way: Way, offer: str) -> str:
        self._answers[way] = asyncio.get_running_loop().create_future()
        self._say({"attempt": way, "offer": offer})
        try:
            return await asyncio.wait_for(self._answers[way], ANSWER_S)
        except TimeoutError:
            raise LostError("room_unreachable", "no answer to the offer", "signalling") from None

    def _give_up(self, way: Way) -> None:
        """Hang up, beside whatever else goes on."""
        self._say({"lost": way})
        task = asyncio.ensure_future(self.attempts[way].close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def why(self) -> Said:
        """Of all ways that were lost, what tells most; those that were still being tried count as far as they got."""
        said: dict[Way, Said] = {way: (e.code, e.detail, e.step) for way, e in self._lost.items()}
        said = {way: _so_far(attempt) for way, attempt in self.attempts.items()} | said
        detail = "; ".join(f"{way}: {said[way][1] or said[way][0]}" for way in WAYS if way in said)
        codes = {code for code, _, _ in said.values()}
        if "dtls_failed" in codes:
            return "dtls_failed", detail, "dtls"
        refusal = next((lost for lost in said.values() if lost[2] == "signalling"), None)
        if refusal is not None:  # that way was not tried, so that nothing is known of it
            return refusal
        return "link_not_bound" if "link_not_bound" in codes else "ice_failed", detail, "ice"


def _so_far(attempt: Attempt) -> Said:
    if "found" in attempt.times:
        return "dtls_failed", "nothing answers", "dtls"
    if "gathered" in attempt.times and "answered" not in attempt.times:
        return "room_unreachable", "no answer to the offer", "signalling"
    return "ice_failed", "nothing answers", "ice"

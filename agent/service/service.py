"""`motesklar agent`: wait until a self-test is due, have it done, have it sent, and answer on loopback meanwhile.

This process lives for months and so imports little: whatever needs packages is an errand for a child process.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agent.service import meeting, state
from agent.service.errand import errand, of
from agent.service.http import Server, address
from agent.service.schedule import Schedule
from agent.service.watching import Figures, pages
from agent.settings import Settings, SettingsError, load, plain
from processes.tasks import end

SLICE_S = 60.0  # a sleeping computer's clock jumps: look at it now and then
WATCH_S = 3.0  # how soon a meeting that begins during a test is noticed
PREPARE_S, SEND_S = 60.0, 150.0
TEST_S = 300.0  # beside the time to send
OVERDUE_S = 86400.0
END_S = 4.0  # for a child that is told to stop, and ended if it does not
LEAST_SEND_S, MOST_SEND_S = 1.0, 3600.0


class Agent:
    """One for a state folder."""

    def __init__(self, settings: Settings, path: Path | None, folder: Path, version: str) -> None:
        self.settings, self.folder = settings, folder
        self.stop, self.reload = asyncio.Event(), asyncio.Event()
        self.figures = Figures(version, time.time())
        self._path, self._dice = path, random.Random()
        self._one = asyncio.Lock()  # sending would disturb what is measured
        self._changed, self._send_now = asyncio.Event(), asyncio.Event()
        self._send_at: float | None = None
        self._hushed = ""
        self._server = Server(pages(folder, self.figures))

    async def run(self) -> None:
        """Until `stop` is set. Raises SettingsError when it cannot begin."""
        said = await self._prepared(self.settings)
        if (wrong := of(said, "wrong")) is not None:
            raise SettingsError(wrong)
        if self.stop.is_set():
            return
        await self._listen()
        self._plan()
        works = [asyncio.create_task(work()) for work in (self._test_on, self._send_on, self._reload_on)]
        stopping = asyncio.create_task(self.stop.wait())
        try:
            await asyncio.wait([stopping, *works], return_when=asyncio.FIRST_COMPLETED)
        finally:
            await self._server.close()
            self.stop.set()  # what a child is at ends by itself
            await asyncio.wait(works, timeout=END_S)
            broken = [r for r in await end(stopping, *works) if isinstance(r, Exception)]
        if broken:
            raise broken[0]

    # ---- self-tests

    async def _test_on(self) -> None:
        while await self._until(lambda: self.figures.next_run_at, self._changed):
            now = time.time()
            self.figures.next_run_at = await self._attempt(now)

    async def _attempt(self, now: float) -> float:
        """When to try next."""
        schedule, noticed = Schedule(self.settings.agent.every_minutes * 60), asyncio.Event()
        seconds = TEST_S + 3 * (self.settings.check.seconds or 0.0)
        async with self._one:
            watch = asyncio.create_task(self._watch(noticed))
            said = await self._child("test", (noticed,), seconds, waited_s=self._waited(now))
            await end(watch)
        reason = self.figures.put_off if noticed.is_set() else of(said, "put_off")
        if run := of(said, "run"):
            self._done(run, of(said, "level"))
            return schedule.next(now, self._dice)
        if self.stop.is_set() or of(said, "stopped"):
            self.figures.outcomes["stopped"] += 1
        if reason:
            self._put_off(reason, now)
        elif not self.stop.is_set():
            self._failed(of(said, "wrong"))
        return schedule.again(time.time(), reason or "", self._dice)

    def _done(self, run: str, level: str) -> None:
        self.figures.outcomes["done"] += 1
        self.figures.put_off, self.figures.put_off_since, self.figures.trouble, self._hushed = "", None, "", ""
        say(f"self-test {run}: {level}")
        if self.settings.collector.url or self.settings.push.remote_write:
            self._send_now.set()

    def _put_off(self, reason: str, now: float) -> None:
        """Said once, and again when it has taken a day."""
        self.figures.postponed[reason] += 1
        self.figures.put_off = reason
        if self.figures.put_off_since is None:
            self.figures.put_off_since = now
        late = self._waited(now) > OVERDUE_S
        words = f"a self-test has been put off for a day: {reason}" if late else f"a self-test is put off: {reason}"
        if words != self._hushed:
            self._hushed = words
            say(words)

    def _failed(self, wrong: str | None) -> None:
        self.figures.outcomes["failed"] += 1
        self.figures.trouble = wrong or "a self-test came to no answer: a defect, please report it"
        say(self.figures.trouble)

    def _waited(self, now: float) -> float:
        since = self.figures.put_off_since
        return 0.0 if since is None else max(0.0, now - since)

    async def _watch(self, noticed: asyncio.Event) -> None:
        """A meeting that begins during a test ends the test, and so does a person who comes to test."""
        reason = ""
        while not reason:
            await asyncio.sleep(WATCH_S)
            reason = await self._in_the_way()
        self.figures.put_off = reason
        noticed.set()

    async def _in_the_way(self) -> str:
        """A test that opens devices itself cannot tell whether they are in use."""
        if somebody := state.who_tests(self.folder):
            return somebody
        if self.settings.agent.devices:
            return ""
        found = await meeting.in_use()
        return "camera" if found.camera else "microphone" if found.microphone else ""

    # ---- sending

    async def _send_on(self) -> None:
        while await self._until(lambda: self._send_at, self._send_now, at_once=True):
            async with self._one:
                self._learn(await self._child("send", (), SEND_S))

    def _learn(self, said: list[dict[str, Any]]) -> None:
        """How the spool is, and when to send next."""
        found, wait = of(said, "spool"), of(said, "wait")
        if found is None:
            wait = MOST_SEND_S
            if (wrong := of(said, "wrong")) is not None:
                say(wrong)
        else:
            self._tell(found)
            self.figures.spool = found
        self._send_at = None if wait is None else time.time() + min(max(wait, LEAST_SEND_S), MOST_SEND_S)

    def _tell(self, found: dict[str, Any]) -> None:
        """What stands in the way is said once, and when it is over."""
        for name, counts in found.items():
            before = self.figures.spool.get(name, {}).get("reason", "")
            if counts["reason"] != before:
                say(f"{name}: {counts['reason'] or 'reports arrive again'}")

    # ---- settings

    async def _reload_on(self) -> None:
        while not self.stop.is_set():
            await _first(SLICE_S, self.reload, self.stop)
            if self.reload.is_set() and not self.stop.is_set():
                self.reload.clear()
                await self._reloaded()

    async def _reloaded(self) -> None:
        """New settings, or the old ones when they are wrong."""
        try:
            settings = load(self._path)
            address(settings.agent.listen)
        except SettingsError as error:
            return say(f"the settings stay as they were: {error}")
        said = await self._prepared(settings, hurry=True)
        if (wrong := of(said, "wrong")) is not None:
            return say(f"the settings stay as they were: {wrong}")
        before, self.settings = self.settings, settings
        if before.agent.listen != settings.agent.listen:
            await self._server.close()
            await self._listen()
        if before.agent.every_minutes != settings.agent.every_minutes:
            self._plan()
        say("the settings have been read again")
        self._send_now.set()
        return None

    async def _prepared(self, settings: Settings, *, hurry: bool = False) -> list[dict[str, Any]]:
        address(settings.agent.listen)
        said = await self._child("prepare", (), PREPARE_S, settings, hurry=hurry)
        if not said and not self.stop.is_set():
            return [{"wrong": "a process of this program's own did not start or ended at once"}]
        if of(said, "wrong") is None:
            self._learn(said)
        return said

    def _plan(self) -> None:
        last = state.last_run(self.folder)
        schedule = Schedule(self.settings.agent.every_minutes * 60)
        self.figures.next_run_at = schedule.first(time.time(), last["started_at"] if last else None, self._dice)
        self._changed.set()

    async def _listen(self) -> None:
        where = address(self.settings.agent.listen)
        if where is None:
            return
        try:
            await self._server.start(*where)
        except OSError as error:
            say(f"cannot listen on {self.settings.agent.listen}: {os.strerror(error.errno or 0)}; going on without")
        else:
            say(f"listening on {self._server.url}/metrics")

    # ---- common

    async def _child(
        self, job: str, stops: tuple[asyncio.Event, ...], seconds: float, settings: Settings | None = None, **more: Any
    ) -> list[dict[str, Any]]:
        tables = plain(settings or self.settings)
        first = {"job": job, "settings": tables, "state": str(self.folder), "ours": os.getpid(), **more}
        self.figures.doing = job
        try:
            said = await errand(first, (self.stop, *stops), seconds)
        finally:
            self.figures.doing = ""
        for line in said:
            if "say" in line:
                say(line["say"])
        return said

    async def _until(self, at: Callable[[], float | None], event: asyncio.Event, *, at_once: bool = False) -> bool:
        """Until that moment, or (`at_once`) the event. False: it is time to stop."""
        schedule = Schedule(self.settings.agent.every_minutes * 60)
        while not self.stop.is_set():
            moment, now = at(), time.time()
            if (moment is not None and moment <= now) or (at_once and event.is_set()):
                event.clear()
                return True
            if not at_once and moment is not None:
                self.figures.next_run_at = moment = schedule.sane(moment, now, self._dice)
            left = SLICE_S if moment is None else min(moment - now, SLICE_S)
            await _first(left, event, self.stop)
            if not at_once:
                event.clear()
        return False


async def _first(seconds: float, *events: asyncio.Event) -> None:
    """Until one of them is set, or the time is up."""
    tasks = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(tasks, timeout=max(0.0, seconds), return_when=asyncio.FIRST_COMPLETED)
    await end(*tasks)


def say(text: str) -> None:
    """To the log: standard error, which the service's manager keeps."""
    print(f"motesklar agent: {text}", file=sys.stderr, flush=True)

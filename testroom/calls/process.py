"""A call process as the room sees it: started, asked, watched; killed and started anew when it dies or hangs."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Any

from processes import child
from testroom.calls.rules import BEAT_S

COMMAND = child.command("testroom.calls.worker")
_START_S = 20.0
_MOST_SILENT_S = 4 * BEAT_S
_LONGEST_LINE = 1 << 20
_LEAST_PAUSE_S, _MOST_PAUSE_S = 0.1, 5.0
_GOODBYE_S = 0.5


class WorkerGoneError(Exception):
    """The process died, hung or did not answer in time."""


class CallProcess:
    """`lost` is called when the process is gone with all its calls, `told` with each line that answers nothing."""

    def __init__(self, lost: Callable[[], None], told: Callable[[dict[str, Any]], None]) -> None:
        self._lost, self._told = lost, told
        self.restarts = 0
        self.totals: dict[str, int] = {}  # frames returned, of this process and those before it
        self._before: dict[str, int] = {}
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._asked = 0
        self._process: asyncio.subprocess.Process | None = None
        self._ready = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, and keep it running from now on."""
        if self._task is None:
            self._task = asyncio.create_task(self._keep())

    @property
    def pid(self) -> int | None:
        """Of the process that runs now."""
        return self._process.pid if self._process else None

    async def close(self) -> None:
        """End the process: by closing its input, else by force."""
        if self._task is None:
            return
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_GOODBYE_S):
                    await self._process.wait()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def ask(self, seconds: float, **order: Any) -> dict[str, Any]:
        """Its answer to an order. Raises WorkerGoneError, also when none came in that time."""
        self.start()
        try:
            async with asyncio.timeout(seconds):
                await self._ready.wait()
                return await self._put(order)
        except (TimeoutError, ConnectionError):
            raise WorkerGoneError from None

    async def _put(self, order: dict[str, Any]) -> dict[str, Any]:
        assert self._process is not None
        self._asked += 1
        number = self._asked
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        try:
            await child.tell(self._process, {"ask": number, **order})
            return await answer
        finally:
            self._answers.pop(number, None)

    async def _keep(self) -> None:
        pause = _LEAST_PAUSE_S
        while True:
            try:
                if await self._once():
                    pause = _LEAST_PAUSE_S
            except OSError:  # it could not be started
                pass
            self.restarts += 1
            await asyncio.sleep(pause)
            pause = min(2 * pause, _MOST_PAUSE_S)

    async def _once(self) -> bool:
        """One life of the process; False: it never began to work."""
        async with child.started(COMMAND, limit=_LONGEST_LINE) as process:
            self._process = process
            try:
                with contextlib.suppress(TimeoutError, ValueError):
                    await self._listen(process)
                    process.stdin.close() if process.stdin else None
                return self._ready.is_set()
            finally:
                self._ready.clear()
                self._forget()
                await _goodbye(process)

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        """Every line until the last. TimeoutError: it was silent for too long."""
        assert process.stdout is not None
        patience = _START_S
        while True:
            async with asyncio.timeout(patience):
                line = await process.stdout.readline()
            if not line:
                return
            self._ready.set()
            patience = _MOST_SILENT_S
            self._heard(json.loads(line))

    def _heard(self, line: dict[str, Any]) -> None:
        if "answer" in line:
            answer = self._answers.get(line["answer"])
            if answer is not None and not answer.done():
                answer.set_result(line)
        elif "beat" in line:
            self.totals = {kind: n + self._before.get(kind, 0) for kind, n in line["beat"].items()}
        else:
            self._told(line)

    def _forget(self) -> None:
        self._before = self.totals
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(ConnectionError())
        self._lost()


async def _goodbye(process: asyncio.subprocess.Process) -> None:
    """Time to end by itself, if its input is closed: to kill one that just ends confuses asyncio's waiting for it."""
    if process.stdin is not None and process.stdin.is_closing():
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GOODBYE_S):
                await process.wait()

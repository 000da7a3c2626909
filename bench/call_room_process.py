"""A test room that takes calls, in a process of its own: {"most": N|null} -> {"url", "workers": [pid]}; then it serves.

{"counts": true} -> frames that were sent back so far, and restarts of call processes.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

from bench.processes import answer, questions
from testroom.calls import CallSettings
from testroom.event_loop import loop_factory
from testroom.limits import Limits
from testroom.server import RoomSettings, TestRoom


async def _serve(orders: Iterator[dict[str, Any]]) -> None:
    loop = asyncio.get_running_loop()
    settings = RoomSettings(calls=CallSettings(most=next(orders)["most"]), limits=Limits(sessions_per_address=5000))
    async with TestRoom(settings) as room:
        while not (pids := [process.pid for process in room.calls.processes if process.pid]):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        answer({"url": room.url, "workers": pids})
        threading.Thread(target=_listen, args=(loop, room, orders), daemon=True).start()
        await asyncio.Event().wait()


def _listen(loop: asyncio.AbstractEventLoop, room: TestRoom, orders: Iterator[dict[str, Any]]) -> None:
    for _ in orders:
        counts = {**room.calls.returned(), "restarts": room.calls.restarts}
        loop.call_soon_threadsafe(answer, counts)


def main() -> None:
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_serve(questions()))


if __name__ == "__main__":
    main()

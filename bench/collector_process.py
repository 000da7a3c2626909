"""A room with a store in a process of its own; one JSON line in, one out, then it runs until its input ends."""

from __future__ import annotations

import asyncio
import json
import sys

from agent.roomservice import loop_factory
from bench.processes import answer
from testroom.limits import Limits
from testroom.server import RoomSettings, TestRoom
from testroom.tokens import Tokens

LIMITS = Limits(requests_per_minute=1e9, self_tests_per_minute=1e9)


async def serve() -> None:
    order = json.loads(await asyncio.to_thread(sys.stdin.readline))
    tokens = Tokens({"bench": order["token"]})
    settings = RoomSettings(store=order["store"], tokens=tokens, limits=LIMITS, throughput=False, keep_days=1e4)
    async with TestRoom(settings) as room:
        answer({"url": room.url, "pid": 0})
        await asyncio.to_thread(sys.stdin.readline)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(serve())

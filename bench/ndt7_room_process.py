"""A test room in a process of its own: {} -> {"port", "plain_port"}; it then serves until it is ended."""

from __future__ import annotations

import asyncio

from bench.processes import answer, questions
from testroom.event_loop import loop_factory
from testroom.server import RoomSettings, TestRoom


async def _serve() -> None:
    async with TestRoom(RoomSettings(open_ndt7=True, plain_ndt7_port=0)) as room:
        answer({"port": room.port, "plain_port": room.plain_port, "fingerprint": room.fingerprint.hex()})
        await asyncio.Event().wait()


def main() -> None:
    next(questions())
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_serve())


if __name__ == "__main__":
    main()

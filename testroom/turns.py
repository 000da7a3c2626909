"""One at a time, first come first served: transfers that ran together would measure each other."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque

from probes.ndt7 import LONGEST_S

MOST_WAITING = 200


class Turns:
    """Whose turn it is. Of one event loop."""

    def __init__(self) -> None:
        self._queue: deque[asyncio.Future[bool]] = deque()
        self._taken = self._closed = False
        self._since = 0.0

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        return len(self._queue)

    @property
    def running(self) -> bool:
        """Has somebody the turn?"""
        return self._taken

    def retry_after_s(self) -> int:
        """When it is likely to be free, if all of those before take their whole time."""
        left = max(0.0, self._since + LONGEST_S - time.monotonic()) if self._taken else 0.0
        return max(1, math.ceil(left + LONGEST_S * len(self._queue)))

    async def take(self, seconds: float) -> bool:
        """Wait that long for the turn. True: it is ours until `give_back`."""
        if self._closed:
            return False
        if not self._taken:
            self._begin()
            return True
        if seconds <= 0 or len(self._queue) >= MOST_WAITING:
            return False
        return await self._wait(seconds)

    async def _wait(self, seconds: float) -> bool:
        turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        try:
            await asyncio.wait({turn}, timeout=seconds)
        except BaseException:
            if turn.done() and turn.result():
                self.give_back()
            raise
        finally:
            if turn in self._queue:
                self._queue.remove(turn)
        return turn.done() and turn.result()

    def give_back(self) -> None:
        """The turn goes to whoever has waited longest."""
        if self._queue:
            self._begin()
            self._queue.popleft().set_result(True)
        else:
            self._taken = False

    def close(self) -> None:
        """Nobody gets a turn any more; those who wait are told."""
        self._closed = True
        while self._queue:
            self._queue.popleft().set_result(False)

    def _begin(self) -> None:
        self._taken, self._since = True, time.monotonic()

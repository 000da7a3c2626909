"""Threads that nobody waits for when the program ends, for calls of the system's that may block for long.

The event loop's own threads are waited for at its end: a name server that is silent would hold the program for half a
minute after its answer.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


class Unwaited(ThreadPoolExecutor):
    """A thread for each call, as many as there are calls."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Begin the call."""
        future: Future[T] = Future()

        def work() -> None:
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:  # noqa: BLE001 - raised where the future is awaited
                future.set_exception(error)
            else:
                future.set_result(result)

        future.set_running_or_notify_cancel()
        threading.Thread(target=work, daemon=True, name="aside").start()
        return future


async def aside(call: Callable[[], T], seconds: float | None) -> T:
    """What `call` returns or raises. TimeoutError after `seconds` (None: never); the thread is left to itself then."""
    async with asyncio.timeout(seconds):
        return await asyncio.get_running_loop().run_in_executor(Unwaited(), call)


def run(main: Coroutine[Any, Any, T]) -> T:
    """asyncio.run(), but what the loop does in threads of its own (name lookups, say) does not delay the end."""
    with asyncio.Runner() as runner:
        runner.get_loop().set_default_executor(Unwaited())
        return runner.run(main)

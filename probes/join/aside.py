"""A call of the system's that may block for long, in a thread that nobody waits for when the program ends.

The event loop's own threads are waited for at its end: a name server that is silent would hold the program for half a
minute after its answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def aside(call: Callable[[], T], seconds: float) -> T:
    """What `call` returns or raises. TimeoutError after `seconds`; the thread is left to itself then."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def tell(result: T | None, error: Exception | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]  # None only when T is

    def work() -> None:
        result, problem = None, None
        try:
            result = call()
        except Exception as error:  # noqa: BLE001 - it is raised where it is awaited
            problem = error
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(tell, result, problem)

    threading.Thread(target=work, daemon=True, name="aside").start()
    async with asyncio.timeout(seconds):
        return await future

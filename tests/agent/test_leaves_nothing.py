"""A self-test closes what it opened, also when it is stopped."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from agent.options import EMBEDDED, Options, UsageError, room_of
from agent.selftest import Run, run
from agent.settings import Settings
from reports.policy import load_policy
from reports.record import SelfTest
from tests.testroom.leftovers import added, left


def options(**more: Any) -> Options:
    policy = load_policy(None)
    base: dict[str, Any] = {"room": None, "seconds": 1.0, "language": "en", "probes": ("echo",)}
    return Options(**({"policy": policy} | base | more))


async def whole(asked: Options) -> SelfTest | None:
    return await run(Run(asked))


async def stopped(asked: Options) -> SelfTest | None:
    run_ = Run(asked)
    asyncio.get_running_loop().call_later(0.9, run_.stop.set)
    found = await run(run_)
    assert found.interrupted
    return found


async def cancelled(asked: Options) -> SelfTest | None:
    task = asyncio.create_task(run(Run(asked)))
    await asyncio.sleep(0.9)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    return None


async def refused(asked: Options) -> SelfTest | None:
    with pytest.raises(UsageError):
        await run(Run(asked))
    return None


@pytest.mark.parametrize(
    ("how", "asked"),
    [
        (whole, options(room=room_of(EMBEDDED, Settings()))),
        (whole, options(room=room_of("https://127.0.0.1:1", Settings()))),
        (stopped, options(seconds=30.0)),
        (cancelled, options(seconds=30.0)),
        (refused, options(links=("no-such-link",))),
    ],
    ids=["embedded", "refused connection", "stopped", "cancelled", "no such link"],
)
def test_nothing_stays(how: Callable[[Options], Any], asked: Options) -> None:
    found = []
    for _ in range(2):
        asyncio.run(how(asked))
        found.append(left())
    assert added(*found) == []
    assert not {"sender", "reflector"} & set(found[1][0])

"""Work that ends, is stopped, or takes too long; it never goes on by itself."""

from __future__ import annotations

import asyncio

import pytest

from processes import tasks


async def work(seconds: float, ended: list[str], answer: str | None = "done") -> str:
    try:
        await asyncio.sleep(seconds)
        if answer is None:
            raise LookupError
        return answer
    finally:
        ended.append("ended")


@pytest.mark.parametrize(
    ("works_s", "stops_s", "most_s", "expected"),
    [(0.0, 9, 9, "done"), (9, 0.01, 9, None), (9, 9, 0.01, None), (9, 9, -1, None)],
    ids=["it ends", "stopped", "too long", "no time at all"],
)
async def test_unless(works_s: float, stops_s: float, most_s: float, expected: str | None) -> None:
    stop, ended = asyncio.Event(), list[str]()
    setting = asyncio.get_running_loop().call_later(stops_s, stop.set)
    assert await asyncio.wait_for(tasks.unless(stop, work(works_s, ended), most_s), 5) == expected
    assert ended == ["ended"] or most_s < 0  # without time it has not begun
    assert len(asyncio.all_tasks()) == 1
    setting.cancel()


async def test_what_it_raises_is_raised() -> None:
    with pytest.raises(LookupError):
        await tasks.unless(asyncio.Event(), work(0, [], None), 5)


async def test_end_gives_what_came() -> None:
    done, running = asyncio.create_task(work(0, [])), asyncio.create_task(work(9, []))
    await asyncio.sleep(0.05)
    came = await tasks.end(done, running)
    assert came[0] == "done"
    assert isinstance(came[1], asyncio.CancelledError)

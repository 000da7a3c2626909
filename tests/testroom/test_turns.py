import asyncio
import time

import pytest

from testroom.turns import MOST_WAITING, Turns


async def test_first_come_first_served() -> None:
    turns, order = Turns(), []
    assert await turns.take(0)

    async def visit(name: int) -> None:
        assert await turns.take(5)
        order.append(name)
        await asyncio.sleep(0)
        turns.give_back()

    tasks = []
    for name in range(5):
        tasks.append(asyncio.create_task(visit(name)))
        await asyncio.sleep(0)
    assert (turns.waiting, turns.running, order) == (5, True, [])
    turns.give_back()
    await asyncio.gather(*tasks)
    assert (order, turns.waiting, turns.running) == ([0, 1, 2, 3, 4], 0, False)


async def test_whoever_waits_too_long_or_goes_is_passed_over() -> None:
    turns = Turns()
    assert await turns.take(1)
    began = time.monotonic()
    assert not await turns.take(0.05)
    assert 0.04 < time.monotonic() - began < 1
    assert not await turns.take(0)
    gone = asyncio.create_task(turns.take(5))
    stays = asyncio.create_task(turns.take(5))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    assert turns.waiting == 1
    turns.give_back()
    assert await stays


async def test_a_turn_that_comes_while_its_owner_goes_is_not_lost() -> None:
    turns = Turns()
    assert await turns.take(1)
    gone, stays = asyncio.create_task(turns.take(5)), asyncio.create_task(turns.take(5))
    await asyncio.sleep(0)
    turns.give_back()
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert await asyncio.wait_for(stays, 1)


async def test_nobody_gets_a_turn_after_the_end() -> None:
    turns = Turns()
    assert await turns.take(1)
    waiting = asyncio.create_task(turns.take(5))
    await asyncio.sleep(0)
    turns.close()
    turns.give_back()
    assert (await waiting, await turns.take(1), turns.running) == (False, False, False)


async def test_the_queue_has_an_end_and_tells_how_long_it_is() -> None:
    turns = Turns()
    assert turns.retry_after_s() == 1
    assert await turns.take(1)
    assert 9 <= turns.retry_after_s() <= 10
    tasks = [asyncio.create_task(turns.take(30)) for _ in range(MOST_WAITING)]
    await asyncio.sleep(0)
    assert not await turns.take(30)
    assert turns.retry_after_s() > 10 * MOST_WAITING
    turns.close()
    await asyncio.gather(*tasks)

"""Threads that nobody waits for."""

from __future__ import annotations

import asyncio
import time

import pytest

from processes.aside import aside, run


async def test_what_it_returns_and_raises() -> None:
    assert await aside(lambda: 7, 5) == 7
    with pytest.raises(KeyError):
        await aside(lambda: {}["nothing"], 5)


async def test_it_is_left_to_itself_when_its_time_is_over() -> None:
    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        await aside(lambda: time.sleep(1), 0.05)
    assert time.monotonic() - begun < 0.5


def test_the_loop_ends_without_its_threads() -> None:
    async def main() -> int:
        lookup = asyncio.get_running_loop().run_in_executor(None, time.sleep, 1)
        await asyncio.wait([lookup], timeout=0.05)
        return 7

    begun = time.monotonic()
    assert run(main()) == 7
    assert time.monotonic() - begun < 0.5


def test_one_that_ends_after_the_loop_harms_nobody(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(TimeoutError):
        run(aside(lambda: time.sleep(0.3), 0.05))
    time.sleep(0.4)
    assert capfd.readouterr() == ("", "")

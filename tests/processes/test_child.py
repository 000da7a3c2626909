"""Child processes: killed without a word on standard error, and what they say when they die in the middle of it."""

from __future__ import annotations

import asyncio
import logging
import sys
import time

import pytest

from processes import child

SAYS = "import sys, time; sys.stdout.write({!r}); sys.stdout.flush(); time.sleep({})"


def saying(text: str, seconds: int = 0) -> tuple[str, ...]:
    """A child that says this and lives on for so long."""
    return sys.executable, "-S", "-c", SAYS.format(text, seconds)


async def test_to_kill_many_is_quiet(caplog: pytest.LogCaptureFixture) -> None:
    codes = set()
    with caplog.at_level(logging.WARNING, "asyncio"):
        for _ in range(20):
            async with child.started(("sleep", "9")) as process:
                pass
            codes.add(process.returncode)
    assert caplog.messages == []
    assert codes == {-9}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no exit status that is read only once")
async def test_to_kill_what_has_just_died_is_quiet(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is dead, and asyncio, here in a thread that is slow, has not asked for its exit status yet."""
    if threaded := getattr(asyncio.unix_events, "ThreadedChildWatcher", None):
        ask = threaded._do_waitpid

        def late(*given: object) -> None:
            time.sleep(0.1)
            ask(*given)

        monkeypatch.setattr(threaded, "_do_waitpid", late)
    async with child.started(("false",)) as process:
        time.sleep(0.05)  # noqa: ASYNC251 - the event loop shall not see it
    assert (process.returncode, caplog.messages) == (1, [])


async def test_one_that_has_ended_keeps_its_exit_code(caplog: pytest.LogCaptureFixture) -> None:
    async with child.started(("false",)) as process:
        assert [line async for line in child.lines(process)] == []
    assert (process.returncode, caplog.messages) == (1, [])


@pytest.mark.parametrize("end", ['{"report": {"val', "Segmentation fault\n", "5\n", "\0\xff\n", "x" * 100_000])
async def test_what_is_no_line_ends_the_reading(end: str) -> None:
    async with child.started(saying('{"step": "ice"}\n' + end)) as process:
        assert [line async for line in child.lines(process)] == [{"step": "ice"}]

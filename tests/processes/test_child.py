"""Child processes: killed without a word on standard error, and what they say when they die in the middle of it."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

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


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX limits")
@pytest.mark.parametrize(("more", "limits"), [("", [0, 0]), (", cores=True", [1024, 1024])])
async def test_one_that_crashes_leaves_no_core_unless_it_may(more: str, limits: list[int]) -> None:
    import resource

    if resource.getrlimit(resource.RLIMIT_CORE)[1] in range(1024):
        pytest.skip("whoever runs this may have no core files at all")
    says = "say({'core': resource.getrlimit(resource.RLIMIT_CORE)})"
    code = f"""
import resource
resource.setrlimit(resource.RLIMIT_CORE, (1024, 1024))
from processes import child
child.run(lambda first, say: {says}{more})
"""
    async with child.started((sys.executable, "-P", "-c", code)) as process:
        await child.tell(process, {})
        assert [line async for line in child.lines(process)] == [{"core": limits}]


async def test_one_whose_parent_dies_in_the_middle_of_a_line_ends_too() -> None:
    code = "import time; from processes import child; child.run(lambda *_: time.sleep(60), lambda line: None)"
    async with child.started((sys.executable, "-P", "-c", code)) as process:
        assert process.stdin is not None
        process.stdin.write(b'{"handles": []}\n{"play": "pul')
        process.stdin.close()
        async with asyncio.timeout(5):
            assert await process.wait() == 1


ASLEEP = ("unshare", "-rm", sys.executable, "-P", "-m", "tests.processes.asleep")


def no_sleep() -> bool:
    """Can this computer make a process that sleeps through every signal?"""
    if shutil.which("unshare") is None or not os.access("/dev/fuse", os.W_OK):
        return True
    return subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode != 0


@pytest.mark.skipif(no_sleep(), reason="needs FUSE and user namespaces")
async def test_one_that_sleeps_in_the_kernel_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(child, "END_S", 0.3)
    async with asyncio.timeout(20), child.started((*ASLEEP, str(tmp_path))) as process:
        server = (await anext(aiter(child.lines(process))))["server"]
        left = time.monotonic()
    try:
        assert time.monotonic() - left < 1
        assert state(process.pid) == "D", "killed, and not dead"
    finally:
        os.kill(server, signal.SIGKILL)
    async with asyncio.timeout(5):
        assert await process.wait() == -9, "the loop has its exit status when it ends"
    assert caplog.messages == []


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]

"""Child processes with deadlines, and what they cost: CPU seconds and resident memory."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
Spawn = Callable[..., "subprocess.Popen[bytes]"]


class BenchError(Exception):
    """Ends the benchmark with one line."""


def run(main: Callable[[], None]) -> None:
    """Call main; a BenchError or Ctrl-C becomes one line on stderr and exit status 1 or 130."""
    try:
        main()
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        print("bench: interrupted", file=sys.stderr)
        raise SystemExit(130) from None


def cpu_seconds(pid: int) -> float:
    """User and system time of a live process with all its threads, to the nanosecond.

    It is the sum of utime and stime in /proc/PID/stat, without the rounding to 10 ms: the process's CPU clock,
    by the identifier that clock_getcpuclockid(3) makes on Linux.
    """
    try:
        return time.clock_gettime(~pid << 3 | 2)
    except OSError:
        raise BenchError(f"process {pid} ended early") from None


def cpu_shares(pids: Sequence[int], seconds: float) -> list[float]:
    """Share of one core that each process uses in the middle 60 % of the coming `seconds`."""
    time.sleep(0.2 * seconds)
    began, before = time.monotonic(), [cpu_seconds(p) for p in pids]
    time.sleep(0.6 * seconds)
    after, took = [cpu_seconds(p) for p in pids], time.monotonic() - began
    return [(b - a) / took for a, b in zip(before, after, strict=True)]


def resident_bytes(pid: int) -> int:
    """VmRSS of a live process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise BenchError(f"process {pid} ended early")


def popen(command: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
    """A program in this network namespace."""
    return subprocess.Popen(list(command), **options)


@contextmanager
def ended(child: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """The child is gone afterwards."""
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(2)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait(2)
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """This process, and the children that it starts meanwhile, run on one core."""
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {core})
    except OSError:
        raise BenchError(f"there is no core {core}: two cores are needed") from None
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Helper:
    """A Python module of this folder in a process of its own that answers one JSON line for each."""

    def __init__(self, spawn: Spawn, module: str) -> None:
        pipe = subprocess.PIPE
        self.process = spawn([sys.executable, "-m", f"bench.{module}"], stdin=pipe, stdout=pipe, bufsize=0, cwd=ROOT)
        self._rest = b""

    def ask(self, question: dict[str, Any], timeout: float = 10.0) -> dict[str, Any]:
        """Its answer. BenchError: none within `timeout` seconds."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(question).encode() + b"\n")
        except OSError:
            raise BenchError("a helper process ended early") from None
        answer: dict[str, Any] = json.loads(self._line(time.monotonic() + timeout))
        return answer

    def _line(self, deadline: float) -> bytes:
        assert self.process.stdout is not None
        fd, parts = self.process.stdout.fileno(), [self._rest]
        while b"\n" not in parts[-1]:
            if not select.select([fd], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise BenchError("a helper process did not answer in time")
            parts.append(os.read(fd, 1 << 16))
            if not parts[-1]:
                raise BenchError("a helper process ended early")
        line, _, self._rest = b"".join(parts).partition(b"\n")
        return line


@contextmanager
def helper(spawn: Spawn, module: str) -> Iterator[Helper]:
    """A Helper that is gone afterwards."""
    made = Helper(spawn, module)
    with ended(made.process):
        yield made


def questions() -> Iterator[dict[str, Any]]:
    """The helper's side: one question a line, until the other closes or ends. Ctrl-C is the other's to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for line in sys.stdin:
        yield json.loads(line)


def answer(reply: dict[str, Any]) -> None:
    """The helper's side: answer the last question."""
    print(json.dumps(reply), flush=True)

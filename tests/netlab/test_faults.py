"""Faults made on purpose on a path over two routers: the program names each, with the one who can mend it.

One run of most; `MOTESKLAR_FAULT_RUNS=20` makes twenty of each, of which nineteen must be right. What a run said is
kept in the test's folder.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.netlab.namespaces import end
from tests.netlab.program import Result, check, room_on
from tests.netlab.router import RoutedPath, RouterFactory

RUNS = int(os.environ.get("MOTESKLAR_FAULT_RUNS", "1"))
RIGHT = 0.95  # of the runs
RUN_S = 200  # what one run may take at the most, on a computer that is starved
PATIENCE = 90  # of that, until the computer is calm
CALM = 0.3  # of its CPU in use

pytestmark = [pytest.mark.netlab, pytest.mark.slow, pytest.mark.timeout(60 + RUNS * RUN_S)]

ACCESS_MBIT, ACCESS_QUEUE = 50, 250_000  # bytes: 40 ms
SLOW_MBIT, SLOW_QUEUE = 10, 375_000  # 300 ms
SETTLED_S = 3.0  # how long streams take to fill a queue
LOSS = 0.04
SMALL_MTU = 1300
DNS_DELAY_S = 0.8
FIRST = -15  # the niceness of what stands for a computer of its own
ALONE = ("nice", "-n", str(FIRST))
HOG = ("nice", "-n", "-5", "timeout", "90", "sh", "-c", "while :; do :; done")

Injection = Callable[[RoutedPath], AbstractContextManager[None]]


# ---- the faults --------------------------------------------------------------------------------------------------


@contextmanager
def nothing(path: RoutedPath) -> Iterator[None]:
    yield


@contextmanager
def loss_on_the_first_hop(path: RoutedPath) -> Iterator[None]:
    path.lose("first", "both", LOSS)
    yield


@contextmanager
def loss_beyond_the_gateway(path: RoutedPath) -> Iterator[None]:
    path.lose("beyond", "both", LOSS)
    yield


def upload_by(who: str) -> Injection:
    @contextmanager
    def inject(path: RoutedPath) -> Iterator[None]:
        path.shape("gateway", "up", SLOW_MBIT, SLOW_QUEUE)
        with path.iperf(who, "room", streams=4, seconds=600):
            time.sleep(SETTLED_S)
            yield

    return inject


def download_by(who: str) -> Injection:
    @contextmanager
    def inject(path: RoutedPath) -> Iterator[None]:
        path.shape("operator", "down", SLOW_MBIT, SLOW_QUEUE)
        with path.iperf("room", who, streams=4, seconds=600):
            time.sleep(SETTLED_S)
            yield

    return inject


@contextmanager
def other_work(path: RoutedPath) -> Iterator[None]:
    """More important work on every core."""
    with ExitStack() as stack:
        for _ in range(os.cpu_count() or 1):
            stack.callback(end, path.laptop.popen(HOG, sysfs=False))
        yield


@contextmanager
def small_mtu_in_silence(path: RoutedPath) -> Iterator[None]:
    path.mtu(SMALL_MTU, icmp=False)
    yield


@contextmanager
def slow_names(path: RoutedPath) -> Iterator[None]:
    path.resolver(DNS_DELAY_S)
    yield


@dataclass(frozen=True, slots=True)
class Case:
    """A fault, and what the diagnosis must say of it, on this wired link: nothing more and nothing else."""

    name: str
    inject: Injection
    said: tuple[tuple[str, str], ...]  # rule, owner
    seldom: bool = False  # only when more runs are asked for
    alone: bool = True  # on its computer, as far as that can be had: the whole path is on this one


CASES = (
    Case("clean", nothing, ()),
    Case("loss on the first hop", loss_on_the_first_hop, (("first_hop_loss", "municipal_it"),)),
    Case("loss beyond the gateway", loss_beyond_the_gateway, (("beyond_loss", "operator"),)),
    Case("the neighbour's upload", upload_by("neighbour"), (("upload_queue", "municipal_it"),), seldom=True),
    Case("the neighbour's download", download_by("neighbour"), (("download_queue", "municipal_it"),)),
    Case("this computer's upload", upload_by("laptop"), (("own_upload", "you"),)),
    Case("this computer's download", download_by("laptop"), (("own_download", "you"),), seldom=True),
    Case("this computer is busy", other_work, (("cpu_starved", "you"),), alone=False),
    Case("a small MTU in silence", small_mtu_in_silence, (("mtu_black_hole", "municipal_it"),), seldom=True),
    Case("slow names", slow_names, (("slow_dns", "municipal_it"),), seldom=True),
)


# ---- the runs ----------------------------------------------------------------------------------------------------


def diagnosed(result: Result) -> tuple[tuple[str, str], ...]:
    """Rule and owner of each finding that a diagnosis made."""
    findings = result.document["verdict"]["findings"]
    return tuple(sorted((f["rule"], f["owner"]) for f in findings if f["source"] == "diagnosis"))


def run(routed_path: RouterFactory, case: Case, folder: Path) -> tuple[tuple[str, str], ...]:
    folder.mkdir()
    with routed_path() as path:
        path.shape("gateway", "up", ACCESS_MBIT, ACCESS_QUEUE)
        path.shape("operator", "down", ACCESS_MBIT, ACCESS_QUEUE)
        path.resolver()
        with room_on(path, folder) as room:
            _favour(room.process.pid)
            calm_computer()
            with case.inject(path), favoured_session() if case.alone else nullcontext():
                result = check(path, room, folder, "--skip", "call", through=ALONE if case.alone else ())
    (folder / "result.json").write_text(json.dumps(result.document, indent=1))
    return diagnosed(result)


def calm_computer() -> None:
    """Wait for what else is done here to end: a computer that is busy is found busy, whatever the test does to it."""
    deadline = time.monotonic() + PATIENCE
    while psutil.cpu_percent(1.0) > 100 * CALM and time.monotonic() < deadline:
        pass


@contextmanager
def favoured_session() -> Iterator[None]:
    """Where the kernel shares its time among sessions first (sched(7), autogroup), niceness counts within one only."""
    own = Path("/proc/self/autogroup")
    with suppress(OSError):  # no such kernel, or no privileges
        own.write_text(str(FIRST))
    try:
        yield
    finally:
        with suppress(OSError):
            own.write_text("0")


def _favour(pid: int) -> None:
    """What else is done on this computer must not slow it. On Linux each thread has a niceness of its own."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with suppress(PermissionError):  # root of a user namespace only
            os.setpriority(os.PRIO_PROCESS, int(thread.name), FIRST)


@pytest.mark.parametrize("case", [case for case in CASES if RUNS > 1 or not case.seldom], ids=lambda case: case.name)
def test_the_fault_is_named_with_its_owner(routed_path: RouterFactory, tmp_path: Path, case: Case) -> None:
    said = Counter(run(routed_path, case, tmp_path / str(number)) for number in range(RUNS))
    assert said[case.said] >= RIGHT * RUNS, f"{case.said} expected in {RUNS} runs, said: {dict(said)}; see {tmp_path}"

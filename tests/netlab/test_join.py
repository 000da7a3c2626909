"""Each fault between a laptop and its meeting, made for real: the right step, code and owner, within eight seconds.

All rows that are asked for are begun at once, a few at a time, each with a path and servers of its own; the tests then
look at what came. `MOTESKLAR_JOIN_RUNS=20`: so many runs on a clean path.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue

import pytest

from tests.netlab.fixtures import why_no_routers
from tests.netlab.service import Service, service
from tests.netlab.service_faults import CLEAN, FAKETIME, WITH_CALL, WITHOUT_ROOM, WRONG_CLOCK, Fault
from tests.netlab.service_host import certificates
from tests.netlab.service_outcome import Joined
from tests.turn_server import PROGRAM

pytestmark = [pytest.mark.netlab, pytest.mark.timeout(300)]

AT_ONCE, CALLS_AT_ONCE = 4, 2
WHOLE_S = 8.0
CLEAN_RUNS = int(os.environ.get("MOTESKLAR_JOIN_RUNS", "1"))

Outcomes = dict[str, list["Future[Joined]"]]


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcomes]:
    """What comes of the faults that a test of this run asks for, by their names."""
    if reason := why_no_routers():
        pytest.skip(reason)
    if PROGRAM is None:
        pytest.skip("turnserver is not installed (Debian: coturn)")
    asked = [item.callspec.params["fault"] for item in request.session.items if item.path == Path(__file__)]
    folder = tmp_path_factory.mktemp("service")
    trusted, free = certificates(folder), SimpleQueue[Service]()
    with ExitStack() as stack, ThreadPoolExecutor(AT_ONCE) as pool, ThreadPoolExecutor(CALLS_AT_ONCE) as calls:
        made = (service(folder / str(i), trusted) for i in range(min(AT_ONCE, len(asked))))
        for it in pool.map(stack.enter_context, made):
            free.put(it)
        cheap = {f.name: [pool.submit(_once, free, f)] for f in asked if f in WITHOUT_ROOM}
        before = [future for futures in cheap.values() for future in futures]
        yield cheap | {
            f.name: [calls.submit(_once, free, f, before) for _ in range(CLEAN_RUNS if f is CLEAN else 1)]
            for f in asked
            if f in WITH_CALL
        }
        for executor in (pool, calls):  # after a failure that ends the run
            executor.shutdown(wait=False, cancel_futures=True)


def _once(free: SimpleQueue[Service], fault: Fault, before: Sequence[Future[Joined]] = ()) -> Joined:
    """One run, when those before it have ended: a call takes a core."""
    wait(before)
    it = free.get()
    try:
        it.heal()
        fault.make(it)
        return it.join(room=fault in WITH_CALL, **fault.variables)
    finally:
        free.put(it)


@pytest.mark.parametrize("fault", [*WITHOUT_ROOM, *WITH_CALL], ids=lambda fault: fault.name)
def test_each_fault_is_named(outcomes: Outcomes, fault: Fault) -> None:
    if fault.variables is WRONG_CLOCK and FAKETIME is None:
        pytest.skip("libfaketime is not installed (Debian: faketime)")
    wanted = dict.fromkeys(fault.well.split(), "ready")
    for future in outcomes[fault.name]:
        seen = future.result()
        assert (seen.first, seen.level) == (fault.first, fault.level), seen.document
        assert {name: seen.steps[name]["level"] for name in wanted} == wanted
        assert not fault.path or seen.path == fault.path
        assert seen.seconds <= WHOLE_S

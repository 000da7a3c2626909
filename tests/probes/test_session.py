"""The common start of several probes, and what a draft may hold."""

from __future__ import annotations

import asyncio
import time

import pytest

from probes.session import Draft, ProbeFailure, Start, measuring
from reports.record import Failure
from tests.probes.rooms import errand


async def test_all_begin_at_one_moment() -> None:
    start = Start(3)
    first = asyncio.create_task(start.together())
    second = asyncio.create_task(start.together())
    await asyncio.sleep(0.02)
    assert not first.done()
    before = time.monotonic_ns()
    third = await start.together()
    assert await first == await second == third
    assert 0 < third - before < 2 * Start.LEAD_NS


async def test_one_that_leaves_is_not_waited_for() -> None:
    start = Start(2, patience=30)
    waiting = asyncio.create_task(start.together())
    await asyncio.sleep(0.01)
    start.leave()
    assert await asyncio.wait_for(waiting, 0.5) > 0


async def test_patience_ends_and_who_comes_late_begins_on_its_own() -> None:
    start = Start(2, patience=0.05)
    begun = time.monotonic_ns()
    first = await start.together()
    assert 0.04e9 < first - begun - Start.LEAD_NS < 1e9
    await asyncio.sleep(0.1)  # the first has begun
    before = time.monotonic_ns()
    assert await start.together() > before  # not in the past, or it would send all at once


def test_measuring_turns_only_what_is_listed_into_data() -> None:
    async def errand_() -> None:
        session = errand("stamp://127.0.0.1")
        with measuring("echo", session, {TimeoutError: "timeout"}) as m:
            raise TimeoutError
        assert m.failure == Failure("echo", "timeout")
        with measuring("echo", session, {OSError: "timeout"}) as m:
            raise ProbeFailure("no_reply", "why")
        assert m.failure == Failure("echo", "no_reply", "why")
        with pytest.raises(ValueError, match="a defect"), measuring("echo", session, {OSError: "timeout"}):
            raise ValueError("a defect")

    asyncio.run(errand_())


@pytest.mark.parametrize(
    ("draft", "message"),
    [
        (Draft("echo", "eth0", 0.0, values={"rtt_p51_seconds": 1.0}), "rtt_p51_seconds"),
        (Draft("echo", "eth0", 0.0, unknown={"jitter": "why"}), "jitter"),
        (Draft("echo", "eth0", 0.0, failure=Failure("echo", "bad_luck")), "bad_luck"),
    ],
)
def test_a_draft_with_a_name_of_its_own_is_a_defect(draft: Draft, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        draft.measurement()

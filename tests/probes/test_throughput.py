from __future__ import annotations

import asyncio
import time

import pytest

from probes import loading, ndt7, throughput, transfer
from probes.room import parse_room
from probes.session import Draft, Progress
from testroom.server import RoomSettings, TestRoom
from tests.probes.echoing import sound
from tests.probes.rooms import errand, link

NAMES = {*throughput.names("up"), *throughput.names("down")}


def anything(_name: str, _low: float, _high: float) -> bool:
    return True


async def measured(far: TestRoom | str, **changes: object) -> Draft:
    """On loopback there is no plateau within the budget: what is looked at is the course, not the figure."""
    wanted: dict[str, object] = {"deadline": time.monotonic() + 15, "budget_bytes": 3e6, "settled": anything}
    url = far if isinstance(far, str) else far.url
    draft = sound(await asyncio.wait_for(throughput.probe(errand(url, **(wanted | changes))), 20))
    named = {n.removesuffix("_ci95_low").removesuffix("_ci95_high") for n in draft.values}
    assert named | draft.unknown.keys() == NAMES  # each is told, or told why not
    return draft


def code(draft: Draft) -> str | None:
    return draft.failure.code if draft.failure else None


async def test_both_ways(far: TestRoom) -> None:
    said: list[Progress] = []
    draft = await measured(far, budget_bytes=4e7, progress=said.append)
    assert draft.failure is None
    assert draft.values["throughput_down_bytes_per_second"] > 1e7
    assert draft.values["throughput_up_bytes_per_second"] > 1e7
    assert 1e6 < draft.facts["moved_bytes"] < 4.4e7
    assert draft.facts["saturated_up"] is False
    assert "UDP" in str(draft.facts["responsiveness_by"])
    assert len(far.sessions) == 0
    assert all(0 <= p.fraction <= 1 for p in said)


async def test_it_stays_within_a_small_budget_and_says_so(far: TestRoom) -> None:
    draft = await measured(far, budget_bytes=300_000.0)
    assert draft.failure is None
    assert draft.facts["moved_bytes"] < 300_000
    assert draft.facts["stopped_early"] == "the data budget was used"


@pytest.mark.parametrize("budget", [0.0, 99_999.0])
async def test_a_budget_that_is_none(far: TestRoom, budget: float) -> None:
    draft = await measured(far, budget_bytes=budget)
    assert code(draft) == "budget_spent"
    assert far.sessions.issued == 0


async def test_nothing_is_moved_on_a_metered_link_unless_asked_for(far: TestRoom) -> None:
    draft = await measured(far, frugal=True)
    assert draft.failure is None
    assert set(draft.unknown.values()) == {throughput.METERED}
    assert far.sessions.issued == 0
    assert (await measured(far, frugal=True, named=True)).facts["moved_bytes"] > 1e6


async def test_where_there_is_no_such_test() -> None:
    async with TestRoom(RoomSettings(throughput=False)) as far:
        assert code(await measured(far)) == "room_test_not_offered"
        assert len(far.sessions) == 0
    assert code(await measured("stamp://127.0.0.1:9")) == "room_test_not_offered"


@pytest.mark.parametrize(
    ("room", "changes", "expected"),
    [
        ("https://127.0.0.1:9", {}, "room_refused_connection"),
        ("https://127.0.0.1:9", {"link": link(addresses=())}, "link_no_address"),
    ],
)
async def test_no_room_or_no_way_to_it(room: str, changes: dict[str, object], expected: str) -> None:
    assert code(await measured(room, **changes)) == expected


async def test_the_download_stands_when_the_upload_is_refused(far: TestRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ndt7, "UPLOAD_PATH", "/there/is/none")
    draft = await measured(far, budget_bytes=4e7)
    assert code(draft) == "room_test_not_offered"
    assert draft.values["throughput_down_bytes_per_second"] > 1e7
    assert "throughput_up_bytes_per_second" in draft.unknown


async def test_the_upload_is_tried_though_the_download_stalls(far: TestRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    def stalls(*_: object) -> None:
        raise transfer.ProbeFailure("transfer_stalled")

    monkeypatch.setattr(transfer.Download, "_flow", stalls)
    draft = await measured(far, budget_bytes=4e7)
    assert code(draft) == "transfer_stalled"
    assert draft.values["throughput_up_bytes_per_second"] > 1e7
    assert draft.unknown["throughput_down_bytes_per_second"] == "the transfer began and then stopped"


async def test_it_ends_at_once_when_it_is_stopped(far: TestRoom) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(0.6, stop.set)
    begun = time.monotonic()
    draft = await measured(far, stop=stop, budget_bytes=1e12, settled=lambda *_: False)
    assert code(draft) == "interrupted"
    assert time.monotonic() - begun < 1.8


async def test_the_deadline_is_shared_by_both_ways(far: TestRoom) -> None:
    begun = time.monotonic()
    draft = await measured(far, deadline=begun + 3.0, budget_bytes=1e12, settled=lambda *_: False)
    assert time.monotonic() - begun < 4.0
    assert {"throughput_down_bytes_per_second", "throughput_up_bytes_per_second"} <= draft.values.keys()


async def test_a_room_that_is_taken_is_waited_for_and_then_named(
    far: TestRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "TURN_S", 0.3)
    session = far.sessions.issue("habo", "127.0.0.1", 30, 50)
    target = transfer.Target(
        ("127.0.0.1", far.port), "127.0.0.1", fingerprint=far.fingerprint, token=session.identifier
    )
    other = transfer.Download(target, transfer.Plan(most_s=8))
    other.start()
    other.release()
    draft = await measured(far)
    other.stop()
    await asyncio.to_thread(other.join, 2)
    assert code(draft) == "room_busy"


async def test_the_longest_course_fits_its_session() -> None:
    for deep in (False, True):
        cost = loading.Cost.of(errand(parse_room("https://x"), deep=deep, budget_bytes=5e7))
        assert cost.longest_s > 2 * (cost.most_s + cost.turn_s)
        assert cost.most_s == (10 if deep else 4)

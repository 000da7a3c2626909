"""The capacity probe against a real room on loopback, and against rooms that will not: every end it can come to."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import time
from collections.abc import AsyncIterator

import pytest

from probes import capacity, train_line, trains
from probes.session import Draft
from testroom import trains as granted
from testroom.server import RoomSettings, TestRoom
from tests.probes.echoing import sound
from tests.probes.rooms import errand, link

UP, DOWN = "capacity_up_bytes_per_second", "capacity_down_bytes_per_second"


@pytest.fixture
async def far() -> AsyncIterator[TestRoom]:
    async with TestRoom(RoomSettings(open_stamp=(ipaddress.ip_network("127.0.0.0/8"),))) as made:
        yield made


async def probed(room: str, **changes: object) -> Draft:
    """Loopback has no narrow link: what counts is what was sent, and that there is an answer of some kind."""
    draft = sound(await asyncio.wait_for(capacity.probe(errand(room, **changes)), 8))
    if draft.failure is None:
        for name in (UP, DOWN):
            assert (name in draft.values) != (name in draft.unknown)
    return draft


def code(draft: Draft) -> str:
    assert draft.failure is not None
    return draft.failure.code


async def test_it_keeps_to_its_time_and_octets(far: TestRoom) -> None:
    begun = time.monotonic()
    draft = await probed(far.url)
    assert time.monotonic() - begun < 2
    assert draft.failure is None
    assert 300_000 < int(str(draft.facts["moved_bytes"])) < 1_000_000
    assert (draft.facts["trains"], draft.facts["room"]) == (2, "test room")
    assert len(far.sessions) == 0
    assert far.reflector.counts.refused["train"] == 0


@pytest.mark.parametrize("budget", [100_000, 250_000])
async def test_it_keeps_to_a_budget(far: TestRoom, budget: int) -> None:
    draft = await probed(far.url, budget_bytes=budget)
    assert 0.3 * budget < int(str(draft.facts["moved_bytes"])) <= budget


@pytest.mark.parametrize("budget", [0, 99_999])
async def test_a_budget_for_nothing(far: TestRoom, budget: int) -> None:
    assert code(await probed(far.url, budget_bytes=budget)) == "budget_spent"
    assert far.sessions.issued == 0


async def test_a_plain_reflector_sends_no_trains(far: TestRoom) -> None:
    draft = await probed(f"stamp://127.0.0.1:{far.stamp_port}")
    assert draft.unknown[DOWN] == "this reflector sends no trains of its own"
    assert draft.unknown.get(UP) != draft.unknown[DOWN]
    assert draft.facts["room"] == "plain STAMP"


async def test_a_room_that_refuses_says_so(far: TestRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(granted, "MOST_OCTETS", 5_000)
    draft = await probed(far.url)
    assert draft.unknown[DOWN] == "the test room refused to send so much to this address"
    assert draft.facts["trains"] == 2


async def test_a_room_that_does_not_know_the_tlv(far: TestRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("testroom.reflector.TLV_CONTROL", 250)
    draft = await probed(far.url)
    assert draft.unknown[DOWN] == "this reflector sends no trains of its own"
    assert draft.facts["trains"] == 1


@pytest.mark.parametrize("closed", [True, False], ids=["a closed port", "a silent one"])
async def test_nobody_answers(far: TestRoom, monkeypatch: pytest.MonkeyPatch, closed: bool) -> None:
    monkeypatch.setattr(trains, "HELLO_S", 0.2)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        far.stamp_port = silent.getsockname()[1]
        if closed:
            silent.close()
        draft = await probed(far.url)
    assert code(draft) == "no_reply"
    assert draft.failure is not None
    assert draft.failure.detail == ("its port is closed" if closed else "")


async def test_no_room_at_all() -> None:
    assert code(await probed("https://127.0.0.1:1")) == "room_refused_connection"


async def test_a_link_without_an_address(far: TestRoom) -> None:
    assert code(await probed(far.url, link=link(addresses=()))) == "link_no_address"


async def test_stopped_at_once(far: TestRoom) -> None:
    session = errand(far.url)
    session.stop.set()
    begun = time.monotonic()
    draft = sound(await capacity.probe(session))
    assert time.monotonic() - begun < 1
    assert draft.failure is None or draft.failure.code == "interrupted"
    assert len(far.sessions) == 0


async def test_a_deadline_that_has_passed(far: TestRoom) -> None:
    draft = sound(await asyncio.wait_for(capacity.probe(errand(far.url, deadline=time.monotonic())), 2))
    assert draft.failure is None or draft.failure.code in ("no_reply", "timeout")


async def test_answers_that_are_forged_do_not_count(far: TestRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the thread took for packets of the train is left out when their signatures do not hold."""
    monkeypatch.setattr(train_line, "_signed", lambda packet, _: len(packet) < 1000)
    draft = await probed(far.url)
    assert draft.unknown[DOWN] == "none of the long packets arrived"
    assert int(str(draft.facts["invalid_answers"])) > 10

"""The guided flow as it goes on, and its steps done again; what comes, goes and changes meanwhile."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from agent.options import Options
from media_check.devices import Found
from reports.record import Failure
from tests.ui.flows import CAMERA, DEVICES, ETH, MIC, ROOM, WIFI, Person, World, draft, options, told


def in_a_room() -> Options:
    return options(room=ROOM)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World().put(monkeypatch)


REDONE = [
    (["microphone"], ["equipment", "microphone pulse:mic", "equipment"]),
    (["computer"], ["equipment", "equipment", "computer", "equipment"]),
    (["joining"], ["equipment", "join eth0", "call eth0", "equipment"]),
    (["connection"], ["equipment", "echo eth0", "throughput eth0", "equipment"]),
    (["joining", "connection"], ["equipment", "echo eth0", "join eth0", "call eth0", "throughput eth0", "equipment"]),
]


@pytest.mark.parametrize(("steps", "ran"), REDONE, ids=lambda v: " ".join(v[:2]))
async def test_only_what_is_asked_for_is_done_again(steps: Any, ran: list[str], world: World) -> None:
    flow = Person().of(in_a_room())
    await flow.start("alone")
    first = flow.self_test
    world.ran.clear()
    world.says["microphone"] = draft("microphone", "Headset", {"microphone_sound": "hum"})
    await flow.start("alone", only=steps)
    second = flow.self_test
    assert world.ran == ran
    assert first is not None
    assert second is not None
    assert first.run_id != second.run_id
    assert sorted(m.name for m in first.measurements) == sorted(m.name for m in second.measurements)
    assert second.verdict.level == ("degraded" if steps == ["microphone"] else "ready")
    assert flow.state.step("picture").level == "ready"


async def test_the_cable_is_plugged_in_and_the_join_path_tried_again(world: World) -> None:
    """What is known of the connection speaks about another link: it is measured as well."""
    world.links = (replace(WIFI, is_default=True),)
    world.says |= {name: replace(world.says[name], subject="wlan0") for name in ("echo", "join", "call", "throughput")}
    flow = Person().of(in_a_room())
    await flow.start("alone")
    world.links, world.ran = (ETH, WIFI), []
    await flow.start("alone", only=["joining"])
    assert "echo eth0" in world.ran
    assert flow.self_test is not None
    assert flow.self_test.verdict.level == "ready"


async def test_alone_and_then_several(world: World) -> None:
    flow = Person().of(in_a_room())
    await flow.start("alone")
    world.says["equipment"].facts["equipment"] = "needs_conference_unit"
    await flow.start("several", only=["speaker"])
    assert flow.self_test is not None
    assert flow.self_test.verdict.level == "degraded"
    assert flow.state.step("computer").level == "degraded"


async def test_another_device_chosen_in_the_middle_is_what_the_equipment_is_judged_by(world: World) -> None:
    flow = Person().of(in_a_room())
    await flow.start("alone")

    async def chosen() -> None:
        world.says["equipment"].facts["equipment"] = "needs_headset"

    world.before["speaker"] = chosen
    await flow.start("alone", only=["speaker"])
    assert flow.self_test is not None
    assert flow.self_test.verdict.level == "degraded"
    assert flow.state.step("computer").level == "degraded"


async def test_the_links_are_compared_when_somebody_asks(world: World) -> None:
    flow = Person().of(in_a_room())
    await flow.start("alone")
    world.ran.clear()
    task = asyncio.create_task(flow.compare())
    await asyncio.sleep(0)
    assert (flow.state.comparing, flow.state.phase) == (True, "running")
    await task
    assert {"echo eth0", "echo wlan0", "call wlan0"} <= {*world.ran}
    assert not any(what.startswith(("speaker", "camera")) for what in world.ran)
    assert [link.tested for link in flow.state.links] == [True, True]
    world.ran.clear()
    await flow.start("alone", only=["connection"])
    assert "echo wlan0" not in world.ran
    assert not flow.state.comparing


async def test_a_device_that_vanishes_and_comes_back(world: World) -> None:
    """Its step says so in words, the next one begins, and it can be done again."""
    world.says["microphone"] = draft("microphone", "Headset", {}, "microphone_vanished")
    world.before["microphone"] = lambda: unplugged(world)
    flow = Person().of(in_a_room())
    await flow.start("alone")
    assert told(flow, "microphone")[0].startswith("Mikrofonen kopplades ur under testet.")
    assert flow.state.step("picture").level == "ready"
    del world.before["microphone"]
    world.found, world.says["microphone"] = Found(DEVICES), draft("microphone", "Headset", {"microphone_sound": "good"})
    await flow.start("alone", only=["microphone"])
    assert flow.state.step("microphone").level == "ready"


async def unplugged(world: World) -> None:
    world.found = Found(tuple(d for d in DEVICES if d != MIC))


async def test_a_link_that_vanishes_before_the_verdict(world: World) -> None:
    async def pulled() -> None:
        world.links = (replace(ETH, carrier=False),)

    world.before["computer"] = pulled
    flow = Person().of(in_a_room())
    await flow.start("alone")
    assert flow.self_test is not None
    echo = next(m for m in flow.self_test.measurements if m.name == "echo")
    assert echo.failure == Failure("echo", "link_vanished", "it was connected when the test began")


async def test_a_camera_that_fails_asks_nothing(world: World) -> None:
    world.says["camera"] = draft("camera", "Camera", {}, "camera_busy")
    person = Person()
    flow = person.of(in_a_room())
    await flow.start("alone")
    assert "picture" not in person.asked
    assert told(flow, "picture")[0].startswith("Kameran används av ett annat program.")
    assert CAMERA.name in {device.name for device in flow.state.devices}


# ---- as it goes on


async def test_the_join_path_is_done_before_the_connection_is(world: World) -> None:
    seen: list[tuple[str, str]] = []

    async def look() -> None:
        seen.append((flow.state.step("joining").doing, flow.state.step("connection").doing))

    world.before["throughput"] = look
    flow = Person().of(options(room=ROOM))
    await flow.start("alone")
    assert seen == [("done", "running")]


async def test_the_room_answers_is_said_before_its_measurement_is_whole(world: World) -> None:
    seen: list[list[str]] = []

    async def look() -> None:
        seen.append(told(flow, "connection"))

    world.before["echo"] = look
    flow = Person().of(options(room=ROOM))
    await flow.start("alone")
    assert len(seen[0]) == 1
    assert told(flow, "connection") != seen[0]


async def test_the_fraction_moves(world: World) -> None:
    async def takes_time() -> None:
        await asyncio.sleep(1.2)

    world.before["echo"] = takes_time
    person = Person()
    await person.of(options(room=ROOM)).start("alone")
    doing = [state["connection"] for state in person.states]
    fractions = [fraction for what, _, fraction in doing if what == "running" and fraction is not None]
    assert len({*fractions}) >= 4
    assert fractions == sorted(fractions)
    assert fractions[-1] < 1


async def test_the_revision_counts(world: World) -> None:
    person = Person()
    flow = person.of(options(room=ROOM))
    await flow.start("alone")
    assert flow.state.revision == len(person.states)

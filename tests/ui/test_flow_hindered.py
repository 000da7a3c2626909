"""The guided flow when something is in its way: odd answers, another device, what breaks and what hangs."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from agent import checks
from agent.options import UsageError
from agent.ui import step_network
from agent.ui.state import Question
from media_check.devices import Found
from reports.draft import Draft
from tests.ui.flows import ROOM, STEP, Person, World, codes, levels, options, told


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World().put(monkeypatch)


# ---- answers that come late or are none


async def test_what_is_no_answer(world: World) -> None:
    tried: list[bool] = []

    def when(question: Question) -> bool:
        if question.kind == "heard":
            tried.extend([
                flow.answer(question.number, "maybe"),
                flow.answer(question.number, "go"),
                flow.answer(question.number + 1, "yes"),
                flow.answer(question.number - 1, "yes"),
                flow.answer(question.number, "no"),
                flow.answer(question.number, "yes"),
            ])  # fmt: skip
        return question.kind == "heard"

    flow = Person(when).of(options(room=ROOM))
    await flow.start("alone")
    assert tried == [False, False, False, False, True, False]
    assert not flow.answer(1, "no")
    assert flow.state.step("speaker").level == "degraded"


# ---- another device


def number(flow: Any, name: str) -> int:
    return int(next(device.number for device in flow.state.devices if device.name == name))


async def test_another_speaker_while_the_microphone_is_tested(world: World) -> None:
    """The speaker's step begins again, then the microphone's; the number stays what it was."""

    def when(question: Question) -> bool:
        if question.kind == "speak" and len(person.asked) == 2:
            asyncio.get_running_loop().call_soon(flow.choose, "speaker", number(flow, "Högtalare"))
            return True
        return False

    person = Person(when)
    flow = person.of(options(room=ROOM))
    await flow.start("alone")
    assert person.asked == ["heard", "speak", "heard", "speak", "own_voice", "picture"]
    assert [what for what in world.ran if "speaker" in what] == ["speaker pulse:headset", "speaker pulse:box"]
    assert {d.name for d in flow.state.devices if d.chosen and d.kind == "speaker"} == {"Högtalare"}
    assert flow.state.phase == "done"


async def test_another_camera_while_the_picture_is_shown(world: World) -> None:
    def when(question: Question) -> bool:
        if question.kind == "picture" and person.asked.count("picture") == 1:
            flow.choose("camera", number(flow, "Inbyggd"))
            assert not flow.choose("camera", 999)
            assert not flow.choose("microphone", number(flow, "Inbyggd"))
            return True
        return False

    person = Person(when)
    flow = person.of(options(room=ROOM))
    await flow.start("alone")
    assert [w for w in world.ran if w.startswith("camera")] == ["camera /dev/video0", "camera /dev/video2"]
    assert levels(flow)["picture"] == "ready"


async def test_another_microphone_while_the_network_is_measured(world: World) -> None:
    """The measurement is not disturbed; the step comes after it."""

    async def choose() -> None:
        if world.ran.count("microphone pulse:puck") == 0:
            flow.choose("microphone", number(flow, "Puck"))
            await asyncio.sleep(0.05)

    world.before["echo"] = choose
    flow = Person().of(options(room=ROOM))
    await flow.start("alone")
    after = world.ran[world.ran.index("echo eth0") :]
    assert after == [
        "echo eth0", "join eth0", "call eth0", "throughput eth0", "microphone pulse:puck", "equipment", "computer",
        "equipment",
    ]  # fmt: skip


async def test_another_microphone_while_the_verdict_is_made(world: World) -> None:
    async def choose() -> None:
        if world.ran.count("equipment") == 3:
            flow.choose("microphone", number(flow, "Puck"))

    world.before["equipment"] = choose
    flow = Person().of(options(room=ROOM))
    await flow.start("alone")
    assert world.ran[-3:] == ["equipment", "microphone pulse:puck", "equipment"]
    assert (flow.state.phase, flow.state.trouble) == ("done", "")


async def test_a_device_chosen_after_the_run_is_remembered(world: World) -> None:
    flow = Person().of(options(room=ROOM))
    assert not flow.choose("microphone", 1)
    await flow.start("alone")
    before = {device.name: device.number for device in flow.state.devices}
    world.ran.clear()
    assert flow.choose("microphone", number(flow, "Puck"))
    assert flow.state.phase == "done"
    world.found = Found(tuple(reversed(world.found.devices)))
    await flow.start("alone", only=["microphone"])
    assert "microphone pulse:puck" in world.ran
    assert {device.name: device.number for device in flow.state.devices} == before


# ---- what breaks and what hangs


async def breaks() -> None:
    raise KeyError("/home/anna/secret")


async def hangs() -> None:
    await asyncio.sleep(60)


@pytest.mark.parametrize(("code", "hindrance"), [("probe_broken", breaks), ("timeout", hangs)])
@pytest.mark.parametrize("name", ["speaker", "microphone", "camera", "computer", "echo"])
async def test_what_breaks_or_hangs_costs_its_own_step_only(
    name: str, code: str, hindrance: Callable[[], Awaitable[None]], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.before[name] = hindrance
    if hindrance is hangs:
        monkeypatch.setattr(checks, "GRACE_S", -5.7)
        monkeypatch.setattr("agent.ui.step_shared.GRACE_S", -5.5 if name != "microphone" else -7.5)
        monkeypatch.setattr(step_network.Network, "_patience", lambda _: 0.3)
    flow = Person().of(options(room=ROOM))
    begun = time.monotonic()
    await flow.start("alone")
    assert time.monotonic() - begun < 4
    assert flow.state.phase == "done"
    assert flow.state.step(STEP[name]).level == "unknown"
    others = {step: level for step, level in levels(flow).items() if step not in (STEP[name], "joining")}
    assert set(others.values()) == {"ready"}
    assert flow.self_test is not None
    assert codes(flow.self_test.measurements)[name] == code
    assert "anna" not in str(flow.self_test)


async def test_a_defect_of_a_step_itself(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_: Any) -> dict[str, Draft]:
        raise KeyError("secret")

    monkeypatch.setitem(sys.modules["agent.ui.flow"].WORK, "picture", broken)
    flow = Person().of(options(room=ROOM))
    await flow.start("alone")
    assert told(flow, "picture") == ["Testet gick inte att göra: fel i programmet."]
    assert (flow.state.phase, flow.state.trouble) == ("done", "")
    assert flow.state.answer is not None
    assert flow.self_test is not None
    assert codes(flow.self_test.measurements)["camera"] == "probe_broken"


async def test_a_defect_of_the_verdict(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.ui.handover.answer_of", lambda *_: 1 / 0)
    flow = Person().of(options(room=ROOM))
    await flow.start("alone")
    assert (flow.state.phase, flow.state.trouble, flow.state.answer) == ("done", "broken", None)
    assert levels(flow)["speaker"] == "ready"


async def test_links_that_cannot_be_listed_are_a_defect_and_no_verdict(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken() -> Any:
        raise KeyError("secret")

    monkeypatch.setattr("probes.links.discover", broken)
    monkeypatch.setattr("agent.selftest.network", lambda _: broken())
    flow = Person().of(options(room=ROOM))
    await flow.start("alone")
    assert (flow.state.phase, flow.state.trouble) == ("done", "broken")
    assert (levels(flow)["connection"], levels(flow)["computer"]) == ("unknown", "ready")


async def test_a_link_that_is_not_there_is_wrong_usage(world: World) -> None:
    flow = Person().of(options(room=ROOM, links=("eth9",)))
    with pytest.raises(UsageError, match="eth9"):
        await flow.start("alone")
    assert flow.state.phase == "start"

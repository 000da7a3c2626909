"""The guided flow with nothing put in the place of this computer: its own sound, its own network, or none of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest

from agent.options import EMBEDDED, Options, probes_of, room_of
from agent.settings import Settings
from agent.ui.flow import Flow
from agent.ui.state import Question
from media_check.devices import Found
from tests.media_check.camera_double import cameras, put_in
from tests.media_check.pulse import PROGRAM, Pulse, running
from tests.media_check.test_microphone import needs_voice, speech
from tests.testroom.leftovers import added, left
from tests.ui.flows import ROOM, Person, World, options, told


def asked(**more: Any) -> Options:
    return options(room=room_of(EMBEDDED, Settings()), probes=probes_of((), ()), **more)


@pytest.fixture
def pulse() -> Iterator[Pulse]:
    if PROGRAM is None:
        pytest.skip("pulseaudio is not installed")
    with running() as server:
        yield server


def kept(before: tuple[list[str], list[str]]) -> list[str]:
    """What has come since, but for the event loop's own thread, which ends with the loop."""
    return [name for name in added(before, left()) if not name.startswith("asyncio_")]


async def test_no_devices_and_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """All but the encoder's time is real. Each step says what is not there, nobody is asked, there is a verdict."""

    async def nothing() -> Found:
        return Found(())

    async def unconnected() -> tuple[()]:
        return ()

    monkeypatch.setattr("media_check.devices.look", nothing)
    monkeypatch.setattr("probes.links.discover", unconnected)
    monkeypatch.setattr("media_check.computer.check", World().check("computer"))
    person, before = Person(), left()
    flow = person.of(asked())
    await flow.start("alone")
    assert person.asked == []
    assert flow.state.phase == "done"
    assert any("kamera" in line for line in told(flow, "picture"))
    assert any("inte ansluten" in line for line in told(flow, "connection"))
    assert "inte ansluten" in told(flow, "joining")[0]
    assert flow.self_test is not None
    assert {"link", "room"} <= {finding.rule for finding in flow.self_test.verdict.findings}
    assert flow.state.answer is not None
    assert kept(before) == []


@needs_voice
async def test_the_whole_flow(pulse: Pulse, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first result within 3 s, whatever the computer has; all of it within 45 s without the person's pauses."""
    pulse.speaker("room")
    pulse.microphone("mic", "room")
    pulse.speaker("phones", device_form_factor="headset")
    pulse.defaults(source="mic", sink="phones")
    first: list[float] = []
    person = Person()
    flow = person.of(asked())
    person.noticed = lambda: first.append(time.monotonic() - begun) if _useful(flow) else None
    with pulse.playing("room", speech()), cameras("USB-kamera") as held:
        put_in(monkeypatch, held)
        begun = time.monotonic()
        await flow.start("alone")
    assert first[0] <= 3.0
    assert time.monotonic() - begun - flow.questions.waited <= 45
    assert flow.state.step("speaker").level == "ready"
    assert flow.state.step("microphone").level == "ready"
    assert flow.state.step("picture").level == "ready"
    assert max(person.levels) > 0.4
    assert person.frames[0].startswith(b"\xff\xd8")
    assert flow.self_test is not None
    assert flow.self_test.verdict.level == "unknown"


def _useful(flow: Flow) -> bool:
    return bool(flow.state.links or any(step.results for step in flow.state.steps))


async def test_a_camera_that_is_unplugged_while_it_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    """The step says so, and the next one begins."""

    def unplug(question: Question) -> bool:
        if question.kind == "picture" and person.asked.count("picture") == 1:
            held[0].vanishes()
            return True
        return False

    World().put(monkeypatch, real_camera=True)
    person = Person(unplug, speak="skip")
    flow = person.of(options(room=ROOM))
    with cameras("USB-kamera") as held:
        put_in(monkeypatch, held)
        await flow.start("alone")
        assert told(flow, "picture")[0].startswith("Kameran kopplades ur under testet.")
        assert flow.state.phase == "done"


@pytest.mark.parametrize("after", [0.3, 2.0])
async def test_stopped_after_a_while_nothing_is_left(after: float, pulse: Pulse) -> None:
    pulse.speaker("room")
    pulse.microphone("mic", "room")
    before = left()
    flow = Person().of(asked())
    run = asyncio.create_task(flow.start("alone"))
    await asyncio.sleep(after)
    begun = time.monotonic()
    await flow.close()
    assert time.monotonic() - begun < 3
    await run
    assert flow.state.trouble == "stopped"
    assert kept(before) == []

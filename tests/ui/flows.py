"""A guided flow with stand-ins at the devices' and the network's boundary, and a person who answers its questions."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from agent import selftest
from agent.options import Options
from agent.selftest import Networked, Run, measurements_of
from agent.ui.flow import Flow
from agent.ui.state import Question, State, StepName
from media_check.devices import Found
from media_check.errand import Errand
from probes.room import parse_room
from probes.session import Progress
from reports.draft import Draft, ProbeFailure
from reports.policy import load_policy
from reports.record import Device, Failure, Link

ROOM = parse_room("https://room.example:8443")
NAMES = ("speaker", "microphone", "camera", "computer", "echo", "call")
STEP: dict[str, StepName] = {
    "speaker": "speaker", "microphone": "microphone", "camera": "picture", "computer": "computer",
    "echo": "connection", "call": "joining",
}  # fmt: skip
POLICY = load_policy(None)
ETH = Link("eth0", "wired", 1.0, (), carrier=True, addresses=("192.0.2.7",), is_default=True)
WIFI = Link("wlan0", "wifi", 1.0, (), carrier=True, addresses=("192.0.2.8",))
HEADSET = Device("speaker", "Annas headset", "Headset", "headset", 0.9, (), True, "pulse:headset")
BOX = Device("speaker", "Högtalare", "Loudspeaker", "built_in", 0.9, (), False, "pulse:box")
MIC = Device("microphone", "Annas headset", "Headset", "headset", 0.9, (), True, "pulse:mic")
PUCK = Device("microphone", "Puck", "Puck", "conference", 0.9, (), False, "pulse:puck")
CAMERA = Device("camera", "Webbkamera", "Camera", "usb", 0.9, (), None, "/dev/video0")
INSIDE = Device("camera", "Inbyggd", "Built-in", "built_in", 0.9, (), None, "/dev/video2")
DEVICES = (HEADSET, BOX, MIC, PUCK, CAMERA, INSIDE)
ANSWERS: Mapping[str, str] = {"heard": "yes", "speak": "go", "own_voice": "next", "picture": "good"}


def draft(name: str, subject: str, facts: Mapping[str, Any], code: str | None = None, **values: float) -> Draft:
    failed = Failure(name, code) if code else None
    return Draft(name, subject, time.time(), 0.1, dict(values), dict(facts), failure=failed)


ECHO = {
    "rtt_p95_seconds": 0.03, "jitter_up_seconds": 0.002, "jitter_down_seconds": 0.002, "loss_up_ratio": 0.0,
    "loss_down_ratio": 0.0, "rtt_floor_seconds": 0.0001,
}  # fmt: skip
CALL = {"call_setup_seconds": 0.4, "first_media_seconds": 0.6, "call_frames_per_second": 30.0}


def good() -> dict[str, Draft]:
    """Of every check and probe."""
    return {
        "speaker": draft("speaker", "Headset", {"speaker_sound": "headset"}),
        "microphone": draft("microphone", "Headset", {"microphone_sound": "good"}, speech_level_dbfs=-24.0),
        "camera": draft("camera", "Camera", {"camera_picture": "good"}, camera_frames_per_second=30.0),
        "equipment": draft("equipment", "computer", {"equipment": "fits"}),
        "computer": draft("computer", "computer", {"browser": "good", "power": "mains"}, encode_speed_ratio=4.0),
        "echo": draft("echo", "eth0", {}, **ECHO),
        "join": draft("join", "eth0", {}, portal_seconds=0.4),
        "call": draft("call", "eth0", {"media_path": "direct", "call_carries": "video"}, **CALL),
        "throughput": draft("throughput", "eth0", {}, throughput_up_bytes_per_second=2e6),
    }


@dataclass
class World:
    """What the checks and the network say. `ran`: what was done, in order, with the device's handle.

    `play`: how playing one's own voice fails, `kept`: seconds of it that are there then, `muted`: the speaker's switch
    is off. `before`: awaited when a check or probe begins, by its name.
    """

    says: dict[str, Draft] = field(default_factory=good)
    found: Found = field(default_factory=lambda: Found(DEVICES))
    links: tuple[Link, ...] = (ETH, WIFI)
    ran: list[str] = field(default_factory=list)
    errands: dict[str, Errand] = field(default_factory=dict)
    before: dict[str, Callable[[], Awaitable[None]]] = field(default_factory=dict)
    play: ProbeFailure | None = None
    kept: float = 4.0
    muted: bool | None = None

    async def one(self, name: str, handle: str = "") -> Draft:
        self.ran.append(f"{name} {handle}".strip())
        if name in self.before:
            await self.before[name]()
        said = self.says[name]
        return replace(said, facts=dict(said.facts), values=dict(said.values))

    def check(self, name: str) -> Callable[[Errand], Awaitable[Draft]]:
        async def check(errand: Errand) -> Draft:
            self.errands[name] = errand
            device = errand.device(name) if name in ("speaker", "microphone", "camera") else None  # type: ignore[arg-type]
            return await self.one(name, device.handle if device else "")

        return check

    async def voice(self, errand: Errand, then: Callable[[Any], Awaitable[None]] | None = None) -> Draft:
        found = await self.check("microphone")(errand)
        if found.failure is None and then is not None:
            await then(Playback(self, found))
        return found

    async def view(
        self, errand: Errand, frame: Callable[[bytes], None], seen: Callable[[Draft], None], until: asyncio.Event
    ) -> Draft:
        found = await self.check("camera")(errand)
        if found.failure is None:
            frame(b"jpeg")
            seen(found)
            waits = [asyncio.create_task(event.wait()) for event in (until, errand.stop)]
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()
        return found

    async def network(self, run: Run) -> Networked:
        """As agent.selftest.network, from `says`."""
        chosen = [link for link in self.links if link.is_default or run.options.all_links]
        run.found(self.links, chosen)
        drafts = []
        for name in run.options.probes if chosen else ():
            if name in self.says and not run.stop.is_set():
                run.began(name)
                run.progress(Progress(name, "eth0", 0.5, 100, 99))
                for link in chosen:
                    drafts.append(replace(await self.one(name, link.name), subject=link.name))
                    run.measured(drafts[-1])
        return Networked(self.links, tuple(chosen), measurements_of(drafts))

    async def look(self) -> Found:
        return self.found

    async def discover(self) -> tuple[Link, ...]:
        return self.links

    def put(self, monkeypatch: pytest.MonkeyPatch, *, real_camera: bool = False) -> World:
        """In the place of this computer; `real_camera`: but for its cameras, and for its list of devices."""
        for name in ("speaker", "equipment", "computer", "microphone", "camera"):
            monkeypatch.setattr(f"media_check.{name}.check", self.check(name))
        monkeypatch.setattr("media_check.voice.check", self.voice)
        if not real_camera:
            monkeypatch.setattr("media_check.viewing.view", self.view)
            monkeypatch.setattr("media_check.devices.look", self.look)
        monkeypatch.setattr("probes.links.discover", self.discover)
        monkeypatch.setattr(selftest, "network", self.network)
        return self


class Playback:
    """Stands in for media_check.voice.Playback."""

    def __init__(self, world: World, found: Draft) -> None:
        self._world, self.draft, self.seconds = world, found, 4.0
        self.muted: bool | None = None

    async def play(self, speaker: Device) -> ProbeFailure | None:
        self._world.ran.append(f"play {speaker.handle}")
        self.seconds, self.muted = self._world.kept, self._world.muted
        return self._world.play


class Person:
    """Answers by `answers`, a word or a list of them for each kind of question; `asked`: the kinds, in order.

    `when`: called with each question; True: it sees to the answer.
    """

    def __init__(self, when: Callable[[Question], bool] | None = None, **answers: str | list[str]) -> None:
        self.asked: list[str] = []
        self.states: list[dict[StepName, tuple[str, str, float | None]]] = []
        self.levels: list[float] = []
        self.frames: list[bytes] = []
        self._answers = {kind: [a] if isinstance(a, str) else list(a) for kind, a in ({**ANSWERS} | answers).items()}
        self._when, self._number = when, 0
        self.flow: Flow | None = None
        self.noticed: Callable[[], None] = lambda: None  # called at each change

    def of(self, options: Options) -> Flow:
        """A flow that this person goes through."""
        self.flow = Flow(options, self.changed, self.levels.append, self.frames.append)
        return self.flow

    def changed(self) -> None:
        assert self.flow is not None
        state: State = self.flow.state
        self.states.append({step.name: (step.doing, step.what, step.fraction) for step in state.steps})
        self.noticed()
        question = state.question
        if question is not None and question.number > self._number:
            self._number = question.number
            self.asked.append(question.kind)
            if self._when is None or not self._when(question):
                left = self._answers[question.kind]
                answer = left.pop(0) if len(left) > 1 else left[0]
                asyncio.get_running_loop().call_soon(self.flow.answer, question.number, answer)


def options(**more: Any) -> Options:
    probes = ("echo", "join", "call", "throughput")
    base: dict[str, Any] = {"policy": POLICY, "room": None, "seconds": 1.0, "language": "sv", "probes": probes}
    return Options(**(base | more))


def told(flow: Flow, step: StepName) -> list[str]:
    """The step's results in Swedish."""
    return [result.says["sv"] for result in flow.state.step(step).results]


def levels(flow: Flow) -> dict[str, str | None]:
    return {step.name: step.level for step in flow.state.steps}


def codes(measurements: Iterable[Any]) -> dict[str, str | None]:
    """Of each measurement, by its name, the failure's code."""
    return {m.name: m.failure.code if m.failure else None for m in measurements}

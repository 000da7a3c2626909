"""Whoever dies, and when: no process is left, nobody waits for ever, and the other ones say what happened."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

import psutil
import pytest

from media_check import voice
from media_check.errand import Errand, Step
from media_check.voice import Playback
from processes import child
from tests.media_check import pulse as server_of
from tests.media_check import test_microphone, test_speaker
from tests.media_check.pulse import Pulse
from tests.media_check.test_microphone import errand, needs_voice, outcome, source
from tests.media_check.test_voice import why

PHASES = ("speak_now", "holding", "playing")
ENDS_WITHIN_S = 6.0  # three of them at once, each with Python and numpy to start
GONE_WITHIN_S = 3.0


@dataclass(slots=True)
class Speaking:
    """The program tests.media_check.speaking, and the child that it has."""

    process: asyncio.subprocess.Process
    child: psutil.Process | None = None

    async def until(self, word: str) -> None:
        """It is at this phase."""
        assert self.process.stdout is not None
        assert self.process.stdin is not None
        async with asyncio.timeout(15):
            while (line := (await self.process.stdout.readline()).decode().strip()) != word:
                assert line, f"it ended before {word}"
                if line == "holding":
                    self.play()
        (self.child,) = psutil.Process(self.process.pid).children(recursive=True)

    def play(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"play\n")

    async def rest(self) -> list[str]:
        """What it says from now on, until it ends."""
        assert self.process.stdout is not None
        async with asyncio.timeout(ENDS_WITHIN_S):
            return (await self.process.stdout.read()).decode().splitlines()

    async def gone(self) -> float:
        """Seconds until neither of the two is there any more."""
        begun = time.monotonic()
        assert self.child is not None
        async with asyncio.timeout(GONE_WITHIN_S):
            while self.child.is_running() and self.child.status() != psutil.STATUS_ZOMBIE:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            await self.process.wait()
        return time.monotonic() - begun


async def spoken(phase: str, kill: Callable[[Speaking], None]) -> tuple[str, ...]:
    """What it says when that happened in this phase: why it does not play, and what was measured."""
    words = [*child.command("tests.media_check.speaking"), "mic", "out", "1.5"]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*words, stdin=pipe, stdout=pipe, env=child.environment())
    try:
        speaking = Speaking(process)
        await speaking.until(phase)
        kill(speaking)
        if phase == "holding":
            speaking.play()
        said = await speaking.rest()
        await speaking.gone()
        return tuple(_in_short(line) for line in said if line.startswith(("played", "{")))
    finally:
        child.kill(process)
        await process.wait()


def _in_short(line: str) -> str:
    if not line.startswith("{"):
        return line
    found = json.loads(line)
    return str(found["failure"]["code"] if found["failure"] else found["facts"]["microphone_sound"])


def room(server: Pulse) -> None:
    server.speaker("room")
    server.speaker("out")
    server.microphone("mic", "room")


async def in_each_phase(kill: Callable[[Speaking], None]) -> dict[str, tuple[str, ...]]:
    said = await asyncio.gather(*(spoken(phase, kill) for phase in PHASES))
    return dict(zip(PHASES, said, strict=True))


@needs_voice
async def test_the_parent_is_killed(pulse: Pulse) -> None:
    room(pulse)
    with pulse.playing("room", test_microphone.speech()):
        said = await in_each_phase(lambda speaking: speaking.process.kill())
    assert said == dict.fromkeys(PHASES, ())


@needs_voice
async def test_the_child_is_killed(pulse: Pulse) -> None:
    def kill(speaking: Speaking) -> None:
        assert speaking.child is not None
        speaking.child.kill()

    room(pulse)
    with pulse.playing("room", test_microphone.speech()):
        said = await in_each_phase(kill)
    assert said == {
        "speak_now": ("probe_broken",),
        "holding": ("played probe_broken", "good"),
        "playing": ("played probe_broken", "good"),
    }


@needs_voice
@pytest.mark.skipif(server_of.PROGRAM is None, reason="pulseaudio is not installed")
async def test_the_sound_server_is_killed() -> None:
    async def with_its_own(phase: str, stack: ExitStack) -> tuple[str, ...]:
        server = stack.enter_context(server_of.running())
        room(server)
        stack.enter_context(server.playing("room", test_microphone.speech()))
        return await spoken(phase, lambda _: server.process.kill())

    with ExitStack() as stack:  # each begins its program before the next one's server changes the environment
        said = await asyncio.gather(*(with_its_own(phase, stack) for phase in PHASES))
    assert dict(zip(PHASES, said, strict=True)) == {
        "speak_now": ("sound_system_missing",),
        "holding": ("played sound_system_missing", "good"),
        "playing": ("played sound_system_missing", "good"),
    }


# A child that heard somebody, and plays as the speaker's name says.
STRANGE = """
import json, os, sys, time
def say(**line):
    print(json.dumps(line), flush=True)
handle = json.loads(sys.stdin.readline())["handles"][0]
say(handle=handle, heard={"values": {}, "facts": {"speech_heard": True}, "unknown": {}}, faults=[])
if handle == "pulse:shy":
    os._exit(0)
say(kept=0.2)
stopped = playing = 0
for line in sys.stdin:
    order = json.loads(line)
    stopped = max(stopped, order.get("stop", 0))
    if order.get("play") == "pulse:long":
        playing = order["number"]
        if playing > stopped:
            say(playing=0.2, number=playing)
    if 0 < playing <= stopped:
        say(played=playing, failed=None, detail="", muted=False)
        playing = 0
    if order.get("play") == "pulse:crashes":
        os.kill(os.getpid(), 11)
    if order.get("play") == "pulse:hangs" or (handle == "pulse:stays" and "end" in order):
        time.sleep(60)
    if order.get("play") == "pulse:plays":
        say(played=order["number"] - 1, failed="speaker_busy", detail="an older one", muted=None)
        say(playing=0.2, number=order["number"])
        say(played=order["number"], failed=None, detail="", muted=True)
    if "end" in order:
        break
"""


@pytest.fixture
def strange(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voice, "COMMAND", (sys.executable, "-S", "-c", STRANGE))
    monkeypatch.setattr(voice, "OPENS_S", 0.3)


def strange_errand(name: str = "hears") -> Errand:
    return errand(source(name), seconds=2.0)


async def test_a_child_that_hangs_or_dies_when_it_is_to_play(strange: None) -> None:
    async def one(name: str) -> list[str | None]:
        found: list[str | None] = []

        async def then(playback: Playback) -> None:
            found.extend([why(await playback.play(test_speaker.output(each))) for each in (name, "plays")])

        assert outcome(await voice.check(strange_errand(), then)) == "good"
        return found

    found = await asyncio.gather(*map(one, ("plays", "crashes", "hangs")))
    assert found == [[None, None], ["probe_broken", "interrupted"], ["timeout", "interrupted"]]


async def until(done: Callable[[], bool]) -> None:
    while not done():  # noqa: ASYNC110
        await asyncio.sleep(0.005)


async def test_only_the_last_of_those_who_wait_is_played(strange: None) -> None:
    steps: list[Step] = []
    done: list[int] = []

    async def then(playback: Playback) -> None:
        async def play(number: int) -> None:
            assert await playback.play(test_speaker.output("long")) is None
            done.append(number)

        async with asyncio.timeout(2), asyncio.TaskGroup() as group:
            group.create_task(play(0))
            await until(lambda: playing() == 1)
            for number in (1, 2):
                group.create_task(play(number))
            await until(lambda: playing() == 2)
            assert done == [0, 1]
            await playback.stop()

    def playing() -> int:
        return sum(step.what == "playing" for step in steps)

    asked = strange_errand()
    asked.progress = steps.append
    assert outcome(await voice.check(asked, then)) == "good"
    assert done == [0, 1, 2]
    assert [step.what for step in steps] == ["opening", "playing", "playing"]


async def test_one_that_keeps_nothing_or_will_not_end(strange: None) -> None:
    called: list[float] = []

    async def then(playback: Playback) -> None:
        called.append(playback.seconds)

    begun = time.monotonic()
    for name in ("shy", "stays"):
        assert outcome(await voice.check(strange_errand(name), then)) == "good"
    assert called == [0.2]
    assert time.monotonic() - begun < voice.ENDS_S + 1.0


async def test_a_long_thought_is_ended(strange: None, monkeypatch: pytest.MonkeyPatch) -> None:
    async def then(playback: Playback) -> None:
        await asyncio.sleep(60)

    stopped = strange_errand()
    asyncio.get_running_loop().call_later(0.5, stopped.stop.set)
    begun = time.monotonic()
    assert outcome(await voice.check(stopped, then)) == "good"
    assert 0.4 < time.monotonic() - begun < 1.2
    monkeypatch.setattr(voice, "HOLDS_S", 0.3)
    assert outcome(await voice.check(strange_errand(), then)) == "good"
    assert time.monotonic() - begun < 2.2


async def test_a_defect_of_the_flow_is_told_and_ends_the_child(strange: None) -> None:
    processes: list[asyncio.subprocess.Process | None] = []

    async def then(playback: Playback) -> None:
        processes.append(playback._listener.process)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await voice.check(strange_errand(), then)
    (process,) = processes
    assert process is not None
    assert process.returncode == 0

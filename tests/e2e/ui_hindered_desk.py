"""What a person has before the staff page, as a test plugs it in and out; and how a run ends that was hindered."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.e2e.ui_hindered import Followed
from tests.media_check.camera_double import FOLDER, Camera, cameras
from tests.media_check.pulse import PROGRAM, Pulse, running
from tests.media_check.test_microphone import speech

ALL = os.environ.get("MOTESKLAR_UI_SCENARIOS") == "all"
when_all = pytest.mark.skipif(not ALL, reason="MOTESKLAR_UI_SCENARIOS=all")
on_linux = [
    pytest.mark.skipif(sys.platform != "linux", reason="PulseAudio, and cameras that are files beneath /dev"),
    pytest.mark.skipif(PROGRAM is None, reason="pulseaudio is not installed"),
    pytest.mark.slow,
]
DEVICES = ("speaker", "microphone", "picture")
TIMEOUT = "Testet hann inte bli klart i tid. Testa igen."


@dataclass
class Desk:
    """Somebody who reads aloud, with a headset and a camera: `plugged` into a private sound server."""

    pulse: Pulse
    camera: Camera
    plugged: dict[str, int]

    @property
    def environment(self) -> dict[str, str]:
        return {"PULSE_SERVER": self.pulse.server, FOLDER: str(self.camera.node.parent)}

    def plug_in(self, *names: str) -> None:
        for name in names:
            if name == "picture":
                self.camera.shows()
            elif name == "speaker":
                self.plugged[name] = self.pulse.speaker("phones", device_form_factor="headset")
            else:
                self.plugged[name] = self.pulse.microphone("mic", "room", device_form_factor="headset")
        self._stays()

    def _stays(self) -> None:
        """Whoever speaks in the room; the server would take their voice along to the speaker that came back."""
        for line in self.pulse.pactl("list", "short", "sink-inputs").splitlines():
            self.pulse.pactl("move-sink-input", line.split()[0], "room")

    def unplug(self, name: str) -> None:
        if name == "picture":
            self.camera.vanishes()
        else:
            self.pulse.unload(self.plugged.pop(name))


@contextmanager
def desk_of_one() -> Iterator[Desk]:
    with running() as pulse, cameras("USB-kamera") as held:
        pulse.speaker("room")
        found = Desk(pulse, held[0], {})
        found.plug_in(*DEVICES)
        pulse.defaults(source="mic", sink="phones")  # for good: also when they have been away
        with pulse.playing("room", speech()):
            yield found


@contextmanager
def alone_with_a_camera() -> Iterator[dict[str, str]]:
    """No sound at all: the steps before the picture's are over at once."""
    with cameras("USB-kamera") as held:
        yield {FOLDER: str(held[0].node.parent), "PULSE_SERVER": "unix:/nowhere"}


async def ended(it: Followed) -> None:
    """The run went on to its verdict, which says what to do; and nothing of it is left."""
    await it.to("end")
    assert (it.state["phase"], it.state["trouble"]) == ("done", "")
    assert it.state["answer"]["action"]["sv"]
    await it.alone()


async def again_without(it: Followed, *steps: str) -> None:
    """They are done again, and what stood in their way is not told any more. How busy this computer is may be."""
    before = {step: it.told(step) for step in steps}
    await it.redo(*steps)
    await ended(it)
    after = {step: it.told(step) for step in steps}
    assert [step for step in steps if after[step][0] == before[step][0]] == [], after
    assert "unknown" not in it.levels(*steps), after

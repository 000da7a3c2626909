"""The whole discovery, with its real child: in time whatever a driver does, partial answers kept, hot plug seen."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time

import pytest

from media_check import devices
from media_check.devices import child, discover, look
from media_check.devices.seen import Seen, to_line
from processes import child as processes
from tests.media_check.pulse import Pulse

CAMERA = Seen("camera", "C920", "/dev/video0", bus="usb")
FIRST = json.dumps({"sources": ["cameras", "sound_server"]})
CAMERAS = json.dumps({"source": "cameras", "seen": [to_line(CAMERA)]})
DEADLINE_S = 0.8


def a_child(monkeypatch: pytest.MonkeyPatch, *lines: str, seconds: float = 30) -> None:
    """Instead of ours, one that says this and then hangs."""
    program = f"import time; print({chr(10).join(lines)!r}, flush=True); time.sleep({seconds})"
    monkeypatch.setattr(processes, "command", lambda _: (sys.executable, "-S", "-c", program))


async def timed() -> tuple[devices.Found, float]:
    before = time.monotonic()
    return await look(DEADLINE_S), time.monotonic() - before


async def test_what_was_said_before_a_driver_hung_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    a_child(monkeypatch, FIRST, CAMERAS)
    found, seconds = await timed()
    assert [d.handle for d in found.devices] == ["/dev/video0"]
    assert found.unanswered == ("sound_server",)
    assert seconds < DEADLINE_S + 0.5


@pytest.mark.parametrize("said", ["", "Segmentation fault", "[]", "{}", '{"source": "cameras", "seen": 5}'])
async def test_a_child_that_says_nothing_useful_leaves_all_unknown(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    a_child(monkeypatch, said, seconds=0)
    found, _ = await timed()
    assert found == devices.Found((), ("everything",))


async def test_without_a_child_all_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "command", lambda _: ("/nowhere/python",))
    assert await look() == devices.Found((), ("everything",))


async def test_a_line_that_is_no_device_costs_its_source_only(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = json.dumps({"source": "sound_server", "seen": [{"kind": "fax"}]})
    a_child(monkeypatch, FIRST, bad, CAMERAS, seconds=0)
    found, _ = await timed()
    assert (len(found.devices), found.unanswered) == (1, ("sound_server",))


def test_a_source_that_breaks_or_sleeps_costs_its_own_devices_only(monkeypatch: pytest.MonkeyPatch) -> None:
    from media_check.devices import linux

    def broken() -> list[Seen]:
        raise OSError("libpulse.so.0: cannot open shared object file")

    sources = {"slow": lambda: time.sleep(3) or [], "broken": broken, "cameras": lambda: [CAMERA]}
    monkeypatch.setattr(linux, "SOURCES", sources)
    monkeypatch.setattr(child, "PATIENCE_S", 0.3)
    monkeypatch.setattr(child, "platform_module", lambda: "linux")
    said: list[processes.Line] = []
    child.work({}, said.append)
    assert said[0] == {"sources": ["slow", "broken", "cameras"]}
    assert {"source": "broken", "trouble": "OSError"} in said
    assert {"source": "cameras", "seen": [to_line(CAMERA)]} in said
    assert len(said) == 3


def test_an_unknown_platform_is_said_plainly() -> None:
    with pytest.raises(NotImplementedError, match="plan9"):
        devices.platform_module("plan9")


def microphones() -> dict[str, str]:
    found = asyncio.run(discover())
    return {d.handle: d.name for d in found if d.kind == "microphone" and d.handle.startswith("pulse:")}


def test_the_sound_server_says_what_the_user_knows_and_hot_plug_is_seen(pulse: Pulse) -> None:
    assert microphones() == {}
    pulse.speaker("room", "Annas högtalare", device_bus="bluetooth", device_form_factor="headset")
    pulse.speaker("other", "Another")
    microphone = pulse.microphone("puck", "room", "Jabra SPEAK 510", device_bus="usb")
    pulse.microphone("second", "room", "Built-in Audio", device_bus="pci")
    pulse.load("module-null-sink", "sink_name=plain")
    pulse.defaults(source="puck", sink="other")
    found = {d.handle: d for d in asyncio.run(discover()) if d.handle.startswith("pulse:")}
    assert set(found) == {"pulse:room", "pulse:other", "pulse:plain", "pulse:puck", "pulse:second"}, "no monitors"
    assert [h for h, d in found.items() if d.is_default] == ["pulse:puck", "pulse:other"]
    assert {h: d.form for h, d in found.items()} == {
        "pulse:puck": "conference", "pulse:second": "built_in", "pulse:room": "headset", "pulse:other": "unknown",
        "pulse:plain": "virtual",
    }  # fmt: skip
    assert (found["pulse:room"].name, found["pulse:room"].label) == ("Annas högtalare", "Bluetooth headset")
    pulse.unload(microphone)
    assert microphones() == {"pulse:second": "Built-in Audio"}


def test_what_a_server_shows_when_there_is_nothing_is_nothing(pulse: Pulse) -> None:
    pulse.load("module-always-sink")
    assert "auto_null" in pulse.pactl("list", "short", "sinks")
    assert not [d for d in asyncio.run(discover()) if d.handle.startswith("pulse:")]


def test_a_sound_server_that_is_stopped_holds_up_nothing_else(pulse: Pulse) -> None:
    pulse.process.send_signal(signal.SIGSTOP)
    try:
        before = time.monotonic()
        found = asyncio.run(look())
    finally:
        pulse.process.send_signal(signal.SIGCONT)
    assert found.unanswered == ("sound_server",)
    assert time.monotonic() - before <= devices.DEADLINE_S + 0.5

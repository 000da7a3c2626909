"""`motesklar devices` as a program: names on the screen, none in a document, and no device is no error."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.agent.program import ROOT, run
from tests.media_check import pulse


@pytest.mark.skipif(pulse.PROGRAM is None, reason="pulseaudio is not installed")
def test_names_are_for_this_screen(tmp_path: Path) -> None:
    with pulse.running() as server:
        server.speaker("a", "[bold]Annas AirPods", device_bus="bluetooth", device_form_factor="headset")
        ours = {"PULSE_SERVER": server.server}
        table = run(tmp_path, "devices", "--lang", "sv", **ours)
        document = run(tmp_path, "devices", "--json", **ours).stdout
        named = json.loads(run(tmp_path, "devices", "--json", "--names", **ours).stdout)
    assert table.returncode == 0
    assert "[bold]Annas" in table.stdout
    assert "Kamera" in table.stdout
    assert "Annas" not in document
    found = json.loads(document)
    assert found["schema"] == "motesklar.devices/1"
    (speaker,) = [d for d in found["devices"] if d["kind"] == "speaker" and d["label"] == "Bluetooth headset"]
    assert {"form", "confidence", "evidence", "is_default"} <= set(speaker)
    assert speaker.keys().isdisjoint({"name", "handle"})
    assert "pulse:a" in [d["handle"] for d in named["devices"]]


def test_without_the_sound_servers_library(tmp_path: Path) -> None:
    """Something is unknown, and that is said; the rest is listed."""
    (tmp_path / "pulsectl.py").write_text("raise OSError('libpulse.so.0')", "utf-8")
    broken = {"PYTHONPATH": f"{ROOT}:{tmp_path}"}
    done = run(tmp_path, "devices", "--json", **broken)
    found = json.loads(done.stdout)
    assert (done.returncode, found["unanswered"]) == (0, ["sound_server"])
    assert found["unknown"] == dict.fromkeys(("microphone", "speaker"), "device_library_missing")
    said = run(tmp_path, "devices", "--lang", "en", **broken)
    assert (said.returncode, "sound server" in said.stderr) == (0, True)

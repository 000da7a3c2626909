"""Linux: cameras and sound cards from /sys and /proc as the kernel writes them. Real drivers: tests/lab."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from media_check.devices import alsa, sysfs, v4l2
from media_check.devices.names import settle
from media_check.devices.v4l2 import Node
from tests.media_check.devices import trees

PICTURE = Node(answered=True, captures=True, formats=(b"MJPG", b"YUYV"))
METADATA = Node(answered=True, captures=False)


def look(root: Path, monkeypatch: pytest.MonkeyPatch, answers: dict[int, Node]) -> list[str]:
    """The handles found when the drivers answer so."""
    monkeypatch.setattr(v4l2, "ask", lambda path: answers.get(int(path.name.removeprefix("video")), Node()))
    return [Path(s.handle).name for s in v4l2.cameras(root / "sys", root / "dev")]


def webcam(root: Path, place: str = "1-1", removable: str = "removable") -> Path:
    return trees.usb(root, place, "HD Pro Webcam C920", removable=removable)


def test_one_camera_with_many_nodes_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device = webcam(tmp_path)
    for number in range(4):
        trees.video(tmp_path, number, "HD Pro Webcam C920", device / "1-1:1.0", number)
    trees.video(tmp_path, 10, "HD Pro Webcam C920", webcam(tmp_path, "1-2") / "1-2:1.0")
    one, other = replace(PICTURE, bus_info="usb-1"), replace(PICTURE, bus_info="usb-2")
    assert look(tmp_path, monkeypatch, {0: one, 1: METADATA, 2: one, 3: METADATA, 10: other}) == ["video0", "video10"]


def test_an_infrared_eye_is_no_camera_beside_a_real_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device = webcam(tmp_path)
    trees.video(tmp_path, 0, "Integrated IR Camera", device / "1-1:1.2")
    trees.video(tmp_path, 2, "Integrated Camera", device / "1-1:1.0")
    infrared = replace(PICTURE, formats=(b"GREY",))
    assert look(tmp_path, monkeypatch, {0: infrared, 2: PICTURE}) == ["video2"]
    assert look(tmp_path, monkeypatch, {0: infrared, 2: METADATA}) == ["video0"], "better than nothing"


def test_two_cameras_of_one_driver_are_told_apart_by_their_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent = tmp_path / "sys/devices/platform/vivid.0"
    for number in (0, 1):
        trees.video(tmp_path, number, "vivid", parent)
    answers = {n: replace(PICTURE, card="vivid", driver="vivid", bus_info=f"platform:vivid-00{n}") for n in (0, 1)}
    assert look(tmp_path, monkeypatch, answers) == ["video0", "video1"]
    devices = settle(v4l2.cameras(tmp_path / "sys", tmp_path / "dev"))
    assert [d.name for d in devices] == ["vivid", "vivid 2"]
    assert [d.label for d in devices] == ["vivid", "vivid 2"]


def test_a_driver_that_says_nothing_is_taken_at_the_systems_word(tmp_path: Path) -> None:
    device = webcam(tmp_path, removable="fixed")
    for number in (0, 1):
        trees.video(tmp_path, number, "Integrated Camera: Integrated C", device / "1-1:1.0", number)
    (seen,) = v4l2.cameras(tmp_path / "sys", tmp_path / "dev")
    assert (seen.name, seen.bus, seen.fixed, seen.model) == ("Integrated Camera", "usb", True, "HD Pro Webcam C920")
    assert settle([seen])[0].form == "built_in"


def test_a_driver_that_sleeps_keeps_nobody_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in (0, 1):
        trees.video(tmp_path, number, f"Camera {number}", None)
    monkeypatch.setattr(v4l2, "PATIENCE_S", 0.2)
    monkeypatch.setattr(v4l2, "ask", lambda path: time.sleep(3) or PICTURE if path.name == "video0" else PICTURE)
    before = time.monotonic()
    assert len(v4l2.cameras(tmp_path / "sys", tmp_path / "dev")) == 2
    assert time.monotonic() - before < 1.5


def test_a_node_that_is_not_in_dev_is_another_computers(tmp_path: Path) -> None:
    trees.video(tmp_path, 0, "Camera", None)
    (tmp_path / "dev/video0").unlink()
    assert v4l2.cameras(tmp_path / "sys", tmp_path / "dev") == []


def test_what_is_no_camera_does_not_answer() -> None:
    assert not v4l2.ask(Path(os.devnull)).answered
    assert not v4l2.ask(Path("/nowhere")).answered


def test_without_any_device(tmp_path: Path) -> None:
    assert v4l2.cameras(tmp_path, tmp_path) == []
    assert alsa.cards(tmp_path, tmp_path) == []


CARDS = """ 0 [PCH            ]: HDA-Intel - HDA Intel PCH
                      HDA Intel PCH at 0xe1238000 irq 139
 1 [USB            ]: USB-Audio - Jabra SPEAK 510 USB
                      0b0e Jabra SPEAK 510 USB at usb-0000:00:14.0-2, full speed
 2 [Loopback       ]: Loopback - Loopback
                      Loopback 1
"""
PCMS = """00-00: ALC257 Analog : ALC257 Analog : playback 1 : capture 1
00-03: HDMI 0 : HDMI 0 : playback 1
00-07: HDMI 1 : HDMI 1 : playback 1
01-00: USB Audio : USB Audio : playback 1 : capture 1
02-00: Loopback PCM : Loopback PCM : playback 8 : capture 8
02-01: Loopback PCM : Loopback PCM : playback 8 : capture 8
09-00: Gone : Gone : playback 1
"""


def sound(root: Path) -> Path:
    trees.write(root / "proc/cards", CARDS)
    trees.write(root / "proc/pcm", PCMS)
    trees.card(root, 0, root / "sys/devices/pci0000:00/0000:00:1f.3", "pci", "snd_hda_intel")
    puck = trees.usb(root, "1-2", "Jabra SPEAK 510 USB", raw=trees.HEADSET)
    trees.card(root, 1, puck / "1-2:1.0", "usb", "snd-usb-audio")
    trees.card(root, 2, root / "sys/devices/platform/snd_aloop.0", "platform", "snd_aloop")
    return root


ALSA = {
    ("microphone", "alsa:hw:PCH,0"): "built_in",
    ("speaker", "alsa:hw:PCH,0"): "built_in",
    ("microphone", "alsa:hw:USB,0"): "conference",
    ("speaker", "alsa:hw:USB,0"): "conference",
    ("microphone", "alsa:hw:Loopback,0"): "virtual",
    ("speaker", "alsa:hw:Loopback,0"): "virtual",
    ("microphone", "alsa:hw:Loopback,1"): "virtual",
    ("speaker", "alsa:hw:Loopback,1"): "virtual",
}


def test_sound_cards_are_named_and_of_the_right_form(tmp_path: Path) -> None:
    root = sound(tmp_path)
    devices = settle(alsa.cards(root / "sys", root / "proc"))
    assert {(d.kind, d.handle): d.form for d in devices} == ALSA
    names = {d.handle: d.name for d in devices}
    assert names["alsa:hw:PCH,0"] == "HDA Intel PCH, ALC257 Analog"
    assert names["alsa:hw:USB,0"].startswith("Jabra SPEAK 510 USB")
    assert all(d.is_default is None for d in devices), "what ALSA's default is, is a matter of configuration"


def test_a_screens_sound_is_there_when_the_screen_is(tmp_path: Path) -> None:
    root = sound(tmp_path)
    trees.write(root / "proc/card0/eld#2.0", "monitor_present\t\t1\neld_valid\t\t1\n")
    found = {d.handle: d.form for d in settle(alsa.cards(root / "sys", root / "proc"))}
    assert found["alsa:hw:PCH,3"] == "unknown"


def test_usb_terminals_are_read_from_audio_control_only() -> None:
    assert sysfs.terminals(trees.HEADSET) == (0x0101, 0x0302, 0x0402)
    for cut in range(len(trees.HEADSET)):
        assert set(sysfs.terminals(trees.HEADSET[:cut])) <= {0x0101, 0x0302, 0x0402}
    assert sysfs.terminals(b"\0\0\0\0") == sysfs.terminals(b"") == ()

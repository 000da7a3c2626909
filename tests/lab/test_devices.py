"""Cameras and sound cards with the kernel's real drivers: named, told apart, gone when unplugged."""

from __future__ import annotations

import asyncio
import subprocess
from functools import cache
from pathlib import Path

import pytest

from media_check import devices
from media_check.devices import v4l2
from reports.record import Device, DeviceKind, Form
from tests.lab import patient

CARDS: list[tuple[str, DeviceKind, Form]] = [
    ("alsa:hw:Intel,0", "microphone", "built_in"),
    ("alsa:hw:Intel,0", "speaker", "built_in"),
    ("alsa:hw:Audio,0", "speaker", "usb"),
    ("alsa:hw:Loopback,0", "microphone", "virtual"),
    ("alsa:hw:Loopback,1", "speaker", "virtual"),
    ("alsa:hw:Dummy,0", "speaker", "virtual"),
]


def look() -> tuple[Device, ...]:
    with pytest.MonkeyPatch.context() as patience:
        patience.setattr(devices, "CHILD", patient.CHILD)
        return asyncio.run(devices.discover(patient.LOOK_S))


@cache
def first_look() -> tuple[Device, ...]:
    """One discovery for the tests that only read: the guest is slow."""
    return look()


def found(kind: DeviceKind) -> dict[str, Device]:
    return {d.handle: d for d in first_look() if d.kind == kind}


def test_two_cameras_are_told_apart() -> None:
    cameras = found("camera")
    assert {"/dev/video0", "/dev/video1"} <= set(cameras)
    assert "/dev/video10" not in cameras, "nobody shows anything there"
    assert len({c.name for c in cameras.values()}) == len({c.label for c in cameras.values()}) == len(cameras)
    assert all(c.form == "virtual" and c.confidence > 0.9 and c.is_default is None for c in cameras.values())


def test_the_driver_says_what_its_nodes_are_for() -> None:
    nodes = [v4l2.ask(Path(f"/dev/video{n}")) for n in (0, 1)]
    assert all(n.answered and n.captures and b"YUYV" in n.formats for n in nodes)
    assert nodes[0].bus_info != nodes[1].bus_info


@pytest.mark.parametrize(("handle", "kind", "form"), CARDS)
def test_sound_cards(handle: str, kind: DeviceKind, form: Form) -> None:
    assert found(kind)[handle].form == form


def test_usb_speakers_have_no_microphone() -> None:
    assert "alsa:hw:Audio,0" not in found("microphone")


def test_unplugged_is_gone_at_the_next_look() -> None:
    assert "alsa:hw:Dummy,0" in found("speaker")
    subprocess.run(["modprobe", "-r", "snd-dummy"], check=True, timeout=20)
    try:
        handles = {d.handle for d in look()}
    finally:
        subprocess.run(["modprobe", "snd-dummy"], check=True, timeout=20)
    assert "alsa:hw:Dummy,0" not in handles
    assert {"alsa:hw:Intel,0", "/dev/video0"} <= handles

"""`motesklar devices` and `motesklar check` with the kernel's real drivers, as programs of their own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from processes import child
from tests.lab import patient

pytestmark = pytest.mark.timeout(200)

CAMERAS = ("/dev/video0", "/dev/video1")
BLACK, BARS = 5, 0
PROGRAM = child.command(patient.CHILD)


def motesklar(home: Path, *arguments: str) -> dict[str, Any]:
    """The JSON that it prints. Nothing may be on standard error."""
    environment = child.environment() | {"HOME": str(home), "XDG_DATA_HOME": str(home)}
    done = subprocess.run(
        [*PROGRAM, *arguments], env=environment, capture_output=True, text=True, timeout=180, check=False
    )
    assert done.stderr == ""
    document: dict[str, Any] = json.loads(done.stdout)
    return document


@pytest.fixture
def covered() -> Iterator[None]:
    """The first camera is black, the second not."""
    for handle, pattern in zip(CAMERAS, (BLACK, BARS), strict=True):
        subprocess.run(
            ["v4l2-ctl", "-d", handle, "-c", f"test_pattern={pattern},osd_text_mode=2"], check=True, timeout=20
        )
    yield
    subprocess.run(["v4l2-ctl", "-d", CAMERAS[0], "-c", f"test_pattern={BARS}"], check=True, timeout=20)


def test_devices_are_listed_without_names(tmp_path: Path) -> None:
    document = motesklar(tmp_path, "devices", "--json")
    assert document["schema"] == "motesklar.devices/1"
    assert document["unanswered"] in ([], ["sound_server"])  # there is no libpulse to ask one with
    labels = [d["label"] for d in document["devices"] if d["kind"] == "camera"]
    assert len(labels) == len(set(labels)) == len(CAMERAS)
    forms = {(d["kind"], d["form"]) for d in document["devices"]}
    assert {("microphone", "built_in"), ("speaker", "usb"), ("camera", "virtual")} <= forms
    assert not any({"name", "handle"} & set(d) for d in document["devices"])


def test_a_whole_check_of_camera_and_microphone(covered: None, tmp_path: Path) -> None:
    document = motesklar(tmp_path, "check", "--room", "embedded", "--json", "--only", "camera,microphone")
    found = {m["name"]: m for m in document["measurements"]}
    print(found, document["verdict"])
    camera, microphone = found["camera"], found["microphone"]
    assert (camera["failure"], microphone["failure"]) == (None, None)
    assert camera["subject"] == next(d["label"] for d in document["devices"] if d["kind"] == "camera")
    assert camera["facts"]["camera_picture"] == "covered"
    assert microphone["facts"]["microphone_sound"] == "zeros"
    assert "camera_picture" in {f["rule"] for f in document["verdict"]["findings"]}
    assert document["verdict"]["level"] == "not_ready"

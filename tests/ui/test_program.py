"""motesklar with the cameras that a test holds: the real program finds those that are plugged in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.agent.program import ROOT
from tests.media_check import camera_double

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the double is a file beneath /dev")


def said(camera: camera_double.Camera, *arguments: str) -> Any:
    """What it prints as JSON."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.ui.program", *arguments, "--json"], cwd=ROOT, text=True, capture_output=True,
        env={**os.environ, camera_double.FOLDER: str(camera.node.parent)}, timeout=25,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout)


def test_the_program_finds_the_cameras_of_a_test():
    with camera_double.cameras("Annas kamera", "Rummets kamera") as (one, other):
        other.vanishes()
        names = [device["name"] for device in said(one, "devices", "--names")["devices"] if device["kind"] == "camera"]
        assert names == ["Annas kamera"]

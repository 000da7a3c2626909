"""The files that make a service of the agent: of the right form, hardened, and telling the same story."""

from __future__ import annotations

import configparser
import plistlib
import re
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

FOLDER = Path(__file__).parents[3] / "packaging"
UNITS = sorted((FOLDER / "systemd").glob("*.service"))
SYSTEMD = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze here")
MOST_EXPOSED = 2.0  # of 10, by systemd-analyze; without hardening it is 9.6


def runnable(unit: Path, folder: Path) -> Path:
    """The unit with a program that is there."""
    text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text("utf-8"), flags=re.MULTILINE)
    (made := folder / unit.name).write_text(text, "utf-8")
    return made


@SYSTEMD
@pytest.mark.parametrize("unit", UNITS, ids=lambda p: p.name)
def test_systemd_understands_every_line(unit: Path, tmp_path: Path):
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(runnable(unit, tmp_path))],
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert [line for line in done.stderr.splitlines() if unit.name in line] == []


@SYSTEMD
def test_the_system_service_is_hardened(tmp_path: Path):
    unit = runnable(FOLDER / "systemd/motesklar-agent.service", tmp_path)
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--no-pager", str(unit)],
        capture_output=True,
        text=True,
        timeout=20,
    )
    exposed = re.search(r"exposure level for \S+: ([\d.]+)", done.stdout)
    assert exposed, done.stderr
    assert float(exposed[1]) <= MOST_EXPOSED


def test_launchd():
    found = plistlib.loads((FOLDER / "launchd/se.motesklar.agent.plist").read_bytes())
    assert found["Label"] == "se.motesklar.agent"
    assert found["ProgramArguments"][1:3] == ["agent", "--settings"]
    assert found["Umask"] == 0o077
    assert found["ExitTimeOut"] > 5, "a graceful stop takes up to 5 s"


def test_windows():
    service = ET.parse(FOLDER / "windows/motesklar-agent.xml").getroot()  # our own file
    assert service.findtext("arguments", "").startswith("agent --settings ")
    task = ET.parse(FOLDER / "windows/motesklar-agent-task.xml").getroot()
    space = {"t": "http://schemas.microsoft.com/windows/2004/02/mit/task"}
    assert task.findtext(".//t:ExecutionTimeLimit", "", space) == "PT0S"
    assert "agent --settings " in task.findtext(".//t:Arguments", "", space)


@pytest.mark.parametrize("unit", UNITS, ids=lambda p: p.name)
def test_the_units_are_told_to_reload_and_have_time_to_stop(unit: Path):
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(unit, "utf-8")
    service = parser["Service"]
    assert "-HUP" in service["ExecReload"]
    assert int(service["TimeoutStopSec"]) > 5
    assert " agent " in service["ExecStart"]


def test_every_service_is_in_the_document():
    text = (FOLDER.parent / "docs/install.md").read_text("utf-8")
    services = [*FOLDER.glob("systemd/*"), *FOLDER.glob("launchd/*"), *FOLDER.glob("windows/*.xml")]
    files = [p.relative_to(FOLDER.parent) for p in services]
    assert len(files) == 5
    assert [str(p) for p in files if f"`{p}`" not in text] == []

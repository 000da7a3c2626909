"""Which kind of program has a camera: made-up trees of /proc, and a real program that has a real node open."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from media_check.devices import consent
from media_check.devices.consent import BEGAN, ENDED, Entry
from media_check.devices.holders import by_consent, held_by
from tests.media_check import camera_double

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux")
US, OUR_CHILD = 100, 101
CAMERA = "/dev/video0"


def tree(root: Path, programs: dict[int, tuple[str, str, str]]) -> Path:
    """Of each process: its name, its program's file, and what it has open."""
    for pid, (name, program, file) in programs.items():
        folder = root / str(pid)
        (folder / "fd").mkdir(parents=True)
        (folder / "fd/3").symlink_to(file)
        (folder / "exe").symlink_to(program)
        (folder / "comm").write_text(name + "\n")
        (folder / "cmdline").write_text(f"{program}\0--type=utility\0")
        (folder / "status").write_text(f"PPid:\t{US if pid == OUR_CHILD else 1}\n")
    return root


FIREFOX = ("GeckoMain", "/usr/lib/firefox/firefox-bin", CAMERA)
CHROME = ("chrome", "/opt/google/chrome/chrome", CAMERA)
ZOOM = ("zoom", "/opt/zoom/zoom", CAMERA)
TEAMS = ("teams-for-linux", "/opt/teams-for-linux/teams-for-linux", CAMERA)
CHEESE = ("cheese", "/usr/bin/cheese", CAMERA)
SERVER = ("pipewire", "/usr/bin/pipewire", CAMERA)
ROWS = [
    ({}, "unknown"),
    ({200: FIREFOX}, "browser"),
    ({200: CHROME}, "browser"),
    ({200: ZOOM}, "meeting"),
    ({200: TEAMS}, "meeting"),
    ({200: CHEESE}, "other"),
    ({200: CHEESE, 201: ZOOM, 202: CHROME}, "browser"),
    ({200: CHEESE, 201: ZOOM}, "meeting"),
    ({200: SERVER}, "unknown"),  # for whom it has it is not told
    ({200: SERVER, 201: CHEESE}, "other"),
    ({200: (*CHROME[:2], "/dev/video1")}, "unknown"),  # it has another camera
    ({200: (*CHROME[:2], "/dev/video00")}, "unknown"),
    ({US: CHROME, OUR_CHILD: CHROME}, "unknown"),
]


@pytest.mark.parametrize(("programs", "kind"), ROWS)
def test_kind(tmp_path: Path, programs: dict[int, tuple[str, str, str]], kind: str):
    assert held_by(CAMERA, US, tree(tmp_path, programs)) == kind


def test_by_another_name_of_the_node(tmp_path: Path):
    """udev gives nodes names that last; programs have the node itself open."""
    if not os.access("/dev/null", os.R_OK):
        pytest.skip("no /dev/null")
    proc = tree(tmp_path, {200: (*CHROME[:2], "/dev/null")})
    assert held_by("/dev/../dev/null", US, proc) == "browser"


@pytest.mark.parametrize("handle", ["msmf:0", "avfoundation:1"])
def test_where_the_system_does_not_tell(tmp_path: Path, handle: str):
    assert held_by(handle, US, tree(tmp_path, {200: CHROME})) == "unknown"


USES, USED = {BEGAN: 5, ENDED: 0}, {BEGAN: 5, ENDED: 7}
EDGE, STORE = r"C:#Program Files (x86)#Microsoft#Edge#Application#msedge.exe", "MSTeams_8wekyb3d8bbwe"


@pytest.mark.parametrize(
    ("entries", "kind"),
    [
        ([], None),
        ([(EDGE, USED), (STORE, USED)], None),
        ([("NonPackaged", {}), (EDGE, USES)], "browser"),
        ([(STORE, USES), (EDGE, USED)], "meeting"),
        ([("Mozilla.Firefox_n80bbvh6b1yt2", USES)], "browser"),
        ([("Microsoft.WindowsCamera_8wekyb3d8bbwe", USES)], "other"),
        ([(STORE, USES), (EDGE, USES)], "browser"),
        ([(r"C:#Motesklar#python.exe", USES)], None),  # ourselves
    ],
)
def test_windows_list_of_recent_use(entries: list[Entry], kind: str | None):
    assert by_consent(entries, consent.key("C:\\Motesklar\\python.exe")) == kind


def test_no_proc(tmp_path: Path):
    assert held_by(CAMERA, US, tmp_path / "none") == "unknown"


@pytest.mark.parametrize(("program", "kind"), [("firefox-esr", "browser"), ("zoom", "meeting"), ("cheese", "other")])
def test_a_real_program(program: str, kind: str):
    with camera_double.cameras("one") as (camera,), camera.held_by(program):
        assert held_by(camera.handle, 2**22) == kind

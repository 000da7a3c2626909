"""Is a meeting on? The looks of each platform on what it would see there, and the same shape from each."""

from __future__ import annotations

import asyncio
import inspect
import os
import socket
import sys
from pathlib import Path

import pytest

from agent.service import meeting, meeting_linux, meeting_macos, meeting_windows
from agent.service.meeting import Devices, Meeting, hears, microphone, steady
from media_check.devices.consent import BEGAN, ENDED

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="Linux")
US, OTHER, OUR_CHILD = 100, 200, 101


def tree(root: Path, files: dict[int, str], parents: dict[int, int] | None = None, names: dict[int, str] | None = None):
    """A /proc: what each process has open."""
    for pid in {US, OTHER, OUR_CHILD, *files}:
        folder = root / str(pid)
        (folder / "fd").mkdir(parents=True)
        (folder / "status").write_text(f"Tgid:\t{pid}\nPPid:\t{(parents or {}).get(pid, 1)}\n")
        (folder / "comm").write_text((names or {}).get(pid, "browser") + "\n")
        (folder / "cmdline").write_text("x\0")
        (folder / "fd/0").symlink_to("/dev/null")
        if pid in files:
            (folder / "fd/3").symlink_to(files[pid])
    return root


def capturing(root: Path, owner: int | None) -> None:
    folder = root / "asound/card0/pcm0c/sub0"
    folder.mkdir(parents=True)
    said = "closed\n" if owner is None else f"state: RUNNING\nowner_pid   : {owner}\ntrigger_time: 1.2\n"
    (folder / "status").write_text(said)


def driver(root: Path, refcnt: str | None) -> Path:
    folder = root / "video4linux/video0/device/driver/module"
    folder.mkdir(parents=True)
    if refcnt is not None:
        (folder / "refcnt").write_text(refcnt)
    return root / "video4linux"


CHILD = {OUR_CHILD: US}
ROWS = [
    ({}, {}, {}, Devices(False, False)),
    ({OTHER: "/dev/video0"}, {}, {}, Devices(True, False)),
    ({OTHER: "/dev/video12"}, {}, {}, Devices(True, False)),
    ({OTHER: "/dev/videology"}, {}, {}, Devices(False, False)),
    ({OTHER: "/dev/snd/pcmC0D0c"}, {}, {}, Devices(False, True)),
    ({OTHER: "/dev/snd/pcmC0D0p"}, {}, {}, Devices(False, False)),  # it plays
    ({OTHER: "/dev/snd/controlC0"}, {}, {}, Devices(False, False)),
    ({US: "/dev/video0"}, {}, {}, Devices(False, False)),
    ({OUR_CHILD: "/dev/video0"}, CHILD, {}, Devices(False, False)),
    ({OUR_CHILD: "/dev/video0"}, {}, {}, Devices(True, False)),
    ({OTHER: "/dev/snd/pcmC1D0c"}, {}, {OTHER: "pipewire"}, Devices(False, False, by_server=True)),
]


@LINUX
@pytest.mark.parametrize(("files", "parents", "names", "expected"), ROWS)
async def test_open_files(
    tmp_path: Path, files: dict[int, str], parents: dict[int, int], names: dict[int, str], expected: Devices
):
    proc = tree(tmp_path, files, parents, names)
    assert await meeting_linux.devices(US, proc, tmp_path / "none") == expected


@LINUX
@pytest.mark.parametrize(
    ("owner", "names", "expected"),
    [
        (None, {}, Devices(False, False)),
        (OTHER, {}, Devices(False, True)),
        (OUR_CHILD, {}, Devices(False, False)),
        (OTHER, {OTHER: "pulseaudio"}, Devices(False, False, by_server=True)),
    ],
)
async def test_alsa_says_who_records(tmp_path: Path, owner: int | None, names: dict[int, str], expected: Devices):
    proc = tree(tmp_path, {}, CHILD, names)
    capturing(proc, owner)
    assert await meeting_linux.devices(US, proc, tmp_path / "none") == expected


@LINUX
@pytest.mark.parametrize(
    ("refcnt", "expected"), [("0\n", False), ("1\n", True), (None, None), ("none", False)], ids=str
)
async def test_the_cameras_driver_tells_when_others_files_are_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refcnt: str | None, expected: bool | None
):
    """Root may look everywhere: for it a process's files are hidden by an error in place of the kernel's."""
    proc = tree(tmp_path, {OTHER: "/dev/video0"})
    cameras = tmp_path / "no cameras" if refcnt == "none" else driver(tmp_path, refcnt)
    scandir = os.scandir

    def hidden(path: Path) -> object:
        if path == proc / str(OTHER) / "fd":
            raise PermissionError
        return scandir(path)

    monkeypatch.setattr(os, "scandir", hidden)
    found = await meeting_linux.devices(US, proc, cameras)
    assert found.camera is expected
    assert found.microphone is None, "no ALSA, and somebody's files are hidden"


# ---- the sound server


@pytest.mark.parametrize(
    ("found", "listening", "expected"),
    [
        (Devices(None, True), None, True),
        (Devices(None, False), True, True),
        (Devices(None, False), False, False),
        (Devices(None, None), False, False),
        (Devices(None, None), None, None),
        (Devices(None, False, by_server=True), None, True),
        (Devices(None, False, by_server=True), False, False),  # it keeps the device open for nobody
    ],
)
def test_microphone(found: Devices, listening: bool | None, expected: bool | None):
    assert microphone(found, listening) is expected


@pytest.mark.parametrize(
    ("monitor", "corked", "resampling", "expected"),
    [
        (False, False, "speex-float-1", True),
        (False, False, None, True),
        (True, False, None, False),
        (False, True, None, False),
        (False, False, "peaks", False),
    ],
)
def test_who_hears(monitor: bool, corked: bool, resampling: str | None, expected: bool):
    assert hears(monitor, corked, resampling) is expected


# ---- flows


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([(12, 12)] * 8, True),  # sound alone
        ([(90, 40)] * 8, True),
        ([(400, 0)] * 8, False),  # a download that is hardly answered
        ([(0, 12)] * 8, False),
        ([(900, 300)] * 3 + [(0, 0)] + [(900, 300)] * 4, False),  # a film that is fetched in pieces
        ([(3, 3)] * 8, False),
    ],
)
def test_steady(steps: list[tuple[int, int]], expected: bool):
    seen = [(1000, 1000)]
    for received, sent in steps:
        seen.append((seen[-1][0] + received, seen[-1][1] + sent))
    assert steady(seen) is expected


@LINUX
async def test_packets_like_a_calls_are_noticed():
    """Real packets on loopback, 50 a second, which count as sent and as received."""
    stop = asyncio.Event()

    async def talk() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as near, socket.socket(type=socket.SOCK_DGRAM) as far:
            far.bind(("127.0.0.1", 0))
            while not stop.is_set():
                near.sendto(b"x" * 160, far.getsockname())
                far.recv(200)
                await asyncio.sleep(0.02)

    talking = asyncio.create_task(talk())
    try:
        assert await meeting.flow(meeting_linux) is True
    finally:
        stop.set()
        await talking


def test_datagrams_of_every_platform_have_one_shape():
    said = "udp:\n\t1200 datagrams received\n\t0 with incomplete header\n\t7 delivered\n\t900 datagrams output\n"
    assert meeting_macos.counted(said) == (1200, 900)
    assert meeting_macos.counted("netstat: no such thing") is None
    assert meeting_windows.datagrams() is None or sys.platform == "win32"
    assert meeting_linux.datagrams(Path("/nowhere")) is None


# ---- the others


@pytest.mark.parametrize("name", meeting.MODULES.values())
def test_each_platform_answers_to_the_same_questions(name: str):
    module = meeting.platform_module(next(p for p, n in meeting.MODULES.items() if n == name))
    assert module is not None
    assert inspect.iscoroutinefunction(module.devices)
    assert next(iter(inspect.signature(module.devices).parameters)) == "ours"
    assert "tuple[int, int] | None" in str(inspect.signature(module.datagrams))


def test_an_unknown_platform_is_unknown():
    assert meeting.platform_module("plan9") is None


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([], None),
        ([("a", {})], False),
        ([("a", {BEGAN: 5, ENDED: 7})], False),
        ([("a", {BEGAN: 5, ENDED: 0})], True),
        ([("a", {BEGAN: 0, ENDED: 0})], False),
        ([("NonPackaged", {}), ("C:#Teams.exe", {BEGAN: 5, ENDED: 0})], True),
        ([("C:#Program Files#py.exe", {BEGAN: 5, ENDED: 0}), ("a", {BEGAN: 1, ENDED: 2})], False),  # ourselves
    ],
)
def test_windows_list_of_recent_use(entries: list[tuple[str, dict[str, int]]], expected: bool | None):
    assert meeting_windows.used(entries, "c:#program files#py.exe") is expected


ASLEEP = "Assertion status system-wide:\n   UserIsActive                   1\nListed by owning process:\n"
HEARING = (
    ASLEEP
    + "   pid 215(coreaudiod): [0x0001] 00:01:02 PreventUserIdleSystemSleep named: "
    + '"com.apple.audio.BuiltInMicrophoneDevice.context.preventuseridlesleep"\n'
    + "\tCreated for PID: 512.\n\tResources: audio-in BuiltInMicrophoneDevice\n"
)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (None, None),
        ("", None),
        (ASLEEP, False),
        (HEARING, True),
        (HEARING.replace("audio-in BuiltInMic", "audio-out BuiltInSpeaker"), False),
    ],
)
def test_macos_microphone(said: str | None, expected: bool | None):
    assert meeting_macos.microphone_in_use(said) is expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (None, None),
        ("", None),
        ('  | "FrontCameraActive" = No\n  | "FrontCameraStreaming" = No', False),
        ('  | "FrontCameraActive" = Yes', True),
    ],
)
def test_macos_camera(said: str | None, expected: bool | None):
    assert meeting_macos.camera_in_use(said) is expected


async def test_this_computer_answers_in_the_same_shape():
    found = await meeting.in_use()
    assert isinstance(found, Meeting)
    assert found.flow is None

"""Linux: who has a camera or a microphone open, from /proc and /sys, which need no privileges of their own.

Other users' open files are not shown to an ordinary user. Then the count of users that the camera's driver keeps tells.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from agent.service.meeting import Devices
from processes import open_files
from processes.open_files import PROC, text

CAMERAS = Path("/sys/class/video4linux")
_CAMERA = re.compile(r"/dev/video\d+")
_MICROPHONE = re.compile(r"/dev/snd/pcmC\d+D\d+c")
_SERVERS = ("pulseaudio", "pipewire", "pipewire-pulse", "wireplumber")
_OWNER = re.compile(r"^owner_pid\s*:\s*(\d+)", re.MULTILINE)


@dataclass(slots=True)
class _Open:
    camera: bool = False
    microphones: list[int] = field(default_factory=list)  # processes
    hidden: bool = False  # somebody's files could not be looked at


async def devices(ours: int, proc: Path = PROC, cameras: Path = CAMERAS) -> Devices:
    """Some 10 ms of work on a desktop."""
    seen = _look(proc, ours)
    holders = {*seen.microphones, *_capturing(proc, ours)}
    servers = {pid for pid in holders if open_files.name(pid, proc) in _SERVERS}
    camera = True if seen.camera else _by_driver(cameras) if seen.hidden else False
    told = not seen.hidden or (proc / "asound").is_dir()
    return Devices(camera, bool(holders - servers) if told or holders else None, bool(servers))


def datagrams(proc: Path = PROC) -> tuple[int, int] | None:
    """IPv4 and IPv6 together; those on loopback are among them."""
    try:
        names, values = (
            line.split() for line in (proc / "net/snmp").read_text("ascii").splitlines() if line[:4] == "Udp:"
        )
        four = dict(zip(names, values, strict=False))
        six = dict(line.split() for line in text(proc / "net/snmp6").splitlines() if line.startswith("Udp6"))
        received = int(four["InDatagrams"]) + int(six.get("Udp6InDatagrams", 0))
        return received, int(four["OutDatagrams"]) + int(six.get("Udp6OutDatagrams", 0))
    except (OSError, ValueError, KeyError):
        return None


def _look(proc: Path, ours: int) -> _Open:
    seen = _Open()
    for pid in open_files.processes(proc):
        files = open_files.opened(pid, proc)
        if files is None:
            seen.hidden = seen.hidden or open_files.is_program(pid, proc)
            continue
        for path in files:
            if _CAMERA.fullmatch(path) and not open_files.is_ours(pid, ours, proc):
                seen.camera = True
            if _MICROPHONE.fullmatch(path) and not open_files.is_ours(pid, ours, proc):
                seen.microphones.append(pid)
    return seen


def _capturing(proc: Path, ours: int) -> Iterator[int]:
    """The processes for which ALSA records: everybody may read that (Documentation/sound/designs/procfile)."""
    for status in proc.glob("asound/card*/pcm*c/sub*/status"):
        said = text(status)
        owner = _OWNER.search(said)
        pid = _process_of(proc, int(owner[1])) if owner else 0
        if "state:" in said and not open_files.is_ours(pid, ours, proc):
            yield pid


def _process_of(proc: Path, thread: int) -> int:
    found = re.search(r"^Tgid:\s*(\d+)", text(proc / str(thread) / "status"), re.MULTILINE)
    return int(found[1]) if found else thread


def _by_driver(cameras: Path) -> bool | None:
    """A driver counts who has its devices open. None: there are cameras whose driver does not tell."""
    counts = [text(c / "device/driver/module/refcnt") for c in cameras.iterdir()] if cameras.is_dir() else []
    if any(count not in ("", "0") for count in counts):
        return True
    return None if "" in counts else False

"""Memory, disk, and whether a sound system is there at all."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from media_check.computer_part import Part, aside
from media_check.errand import Errand

PLATFORM: str = sys.platform  # a plain str, so that a type checker reads on
CARDS = Path("/proc/asound/cards")
ANSWER_S = 0.3


async def memory(_: Errand) -> Part:
    """Value: memory_free_bytes, caches that would be given up included."""
    import psutil

    return Part({"memory_free_bytes": float((await aside(psutil.virtual_memory)).available)})


async def disk(_: Errand) -> Part:
    """Value: disk_free_bytes where the user's files are, which is where a browser writes."""
    return Part({"disk_free_bytes": float((await aside(lambda: shutil.disk_usage(Path.home()))).free)})


async def sound(_: Errand) -> Part:
    """Fact sound_system: "pulse" (PulseAudio or PipeWire) | "alsa" | "windows" | "macos" | "none"."""
    return Part(facts={"sound_system": await aside(_sound_system)})


def _sound_system() -> str:
    if PLATFORM == "win32":
        return "windows" if _windows_audio_runs() else "none"
    if PLATFORM == "darwin":
        return "macos"  # Core Audio is a part of the system
    return on_linux(os.environ, CARDS)


def on_linux(environment: Mapping[str, str], cards: Path) -> str:
    """By a sound server that takes connections, else by the kernel's cards."""
    if any(_answers(path) for path in _servers(environment)):
        return "pulse"
    try:
        listed = cards.read_text()
    except OSError:
        return "none"
    return "alsa" if any(line.strip()[:1].isdigit() for line in listed.splitlines()) else "none"


def _servers(environment: Mapping[str, str]) -> tuple[str, ...]:
    named = environment.get("PULSE_SERVER", "").removeprefix("unix:")
    runtime = environment.get("PULSE_RUNTIME_PATH") or f"{environment.get('XDG_RUNTIME_DIR', '')}/pulse"
    return tuple(path for path in (named, f"{runtime}/native", "/run/pulse/native") if path.startswith("/"))


def _answers(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
        s.settimeout(ANSWER_S)
        try:
            s.connect(path)
        except OSError:
            return False
    return True


def _windows_audio_runs() -> bool:
    import psutil

    services = getattr(psutil, "win_service_iter")()  # noqa: B009 - there are none elsewhere
    return any(s.name() == "Audiosrv" and s.status() == "running" for s in services)

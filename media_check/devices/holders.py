"""Which kind of program has a camera, when another one has it. Never which one: its name says what somebody does.

Linux: by the files that processes have open, as far as they are shown to us (processes.open_files). Windows: by its
list of programs that use a camera, which does not say which camera (consent.py). macOS does not say.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Container, Iterable
from pathlib import Path
from typing import Literal

from media_check.devices import consent
from processes import open_files

Kind = Literal["browser", "meeting", "other", "unknown"]

KINDS: tuple[Kind, ...] = ("browser", "meeting", "other")  # the first that one of the holders is
# Programs' files without ".exe", and what the kernel leaves of them: 15 characters.
BROWSERS = frozenset({
    "chrome", "google-chrome", "chromium", "chromium-browser", "headless_shell", "msedge", "microsoft-edge",
    "firefox", "firefox-bin", "firefox-esr", "mozilla.firefox", "librewolf", "brave", "brave-browser", "opera",
    "vivaldi", "vivaldi-bin", "epiphany", "falkon", "webkitwebprocess",
})  # fmt: skip
MEETINGS = frozenset({
    "teams", "ms-teams", "msteams", "teams-for-linux", "zoom", "zoom.real", "skype", "skypeforlinux", "webex",
    "ciscocollabhost", "ciscojabber", "slack", "discord", "jitsi-meet", "jitsi meet", "signal-desktop",
    "element-desktop", "linphone", "pexip", "pexip-infinity-connect", "starleaf", "lifesize",
    "vidicue",
})  # fmt: skip
SERVERS = frozenset({"pipewire", "wireplumber"})  # they hold it for others, who are not told


def held_by(handle: str, ours: int, proc: Path = open_files.PROC) -> Kind:
    """Of the programs that have the camera open, but for process `ours` and what it started. Some 10 ms of work."""
    if sys.platform == "win32":
        return by_consent(consent.entries("webcam"), consent.key(sys.executable)) or "unknown"
    if sys.platform != "linux" or not handle.startswith("/dev/"):
        return "unknown"
    node = os.path.realpath(handle)
    try:
        found = {_kind(open_files.names(pid, proc)) for pid in _holders(node, ours, proc)}
    except OSError:
        return "unknown"
    return _first(found)


def by_consent(programs: Iterable[consent.Entry], own: str) -> Kind | None:
    """None: no program is said to use a camera, but for the one with the key `own`."""
    using = consent.using(programs, own)
    return _first({_kind(_names(key)) for key in using}) if using else None


def _names(key: str) -> Iterable[str]:
    """Of a program's file ("C:#Program Files#a.exe"), or of one of the store ("Maker.Name_8wekyb3d8bbwe")."""
    return key.rpartition("#")[2], key.partition("_")[0]


def _first(found: Container[Kind]) -> Kind:
    return next((kind for kind in KINDS if kind in found), "unknown")


def _holders(node: str, ours: int, proc: Path) -> Iterable[int]:
    for pid in open_files.processes(proc):
        if node in (open_files.opened(pid, proc) or ()) and not open_files.is_ours(pid, ours, proc):
            yield pid


def _kind(names: Iterable[str]) -> Kind:
    """Of one program, by any of its names."""
    known = {name.lower().removesuffix(".exe") for name in names}
    if known & SERVERS:
        return "unknown"
    return "browser" if known & BROWSERS else "meeting" if known & MEETINGS else "other"

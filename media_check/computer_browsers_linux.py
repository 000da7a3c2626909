"""Linux: browsers by the search path and by desktop entries; each is asked for its version."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from media_check.computer_browsers import Browser, version_in
from media_check.computer_part import aside, output

VERSION_S = 1.6
PROGRAMS = {
    "google-chrome": "chrome", "google-chrome-stable": "chrome",
    "chromium": "chromium", "chromium-browser": "chromium",
    "microsoft-edge": "edge", "microsoft-edge-stable": "edge",
    "firefox": "firefox", "firefox-esr": "firefox",
}  # fmt: skip
FLATPAKS = {
    "com.google.Chrome": "chrome", "org.chromium.Chromium": "chromium",
    "com.microsoft.Edge": "edge", "org.mozilla.firefox": "firefox",
}  # fmt: skip
FIELD_CODE = re.compile(r"%[a-zA-Z]")  # of the Desktop Entry Specification, "Exec"
FLATPAK_VERSION = re.compile(r"^\s*Version:\s*(\S+)", re.M)


async def discover() -> tuple[Browser, ...]:
    """Each of them asked at the same time. One that is not known by name is never started."""
    environment = dict(os.environ)
    commands = await aside(lambda: candidates(environment))
    return tuple(await asyncio.gather(*(_ask(name, command) for command, name in commands.items())))


async def _ask(name: str, command: tuple[str, ...]) -> Browser:
    if Path(command[0]).name == "flatpak":  # to start it would take seconds
        said = await output((command[0], "info", command[1]), VERSION_S)
        found = FLATPAK_VERSION.search(said or "")
        return Browser(name, version_in(found[1]) if found else None)
    return Browser(name, version_in(await output((*command, "--version"), VERSION_S) or ""))


def candidates(environment: Mapping[str, str]) -> dict[tuple[str, ...], str]:
    """Commands of browsers that are here, with their names. Links to one program count once."""
    found: dict[tuple[str, ...], str] = {}
    seen: set[Path] = set()
    for command, name in (*_by_path(environment), *_by_entries(environment)):
        program = Path(command[0]).resolve()
        if len(command) > 1 or program not in seen:
            seen.add(program)
            found.setdefault(command, name)
    return found


def _by_path(environment: Mapping[str, str]) -> Iterator[tuple[tuple[str, ...], str]]:
    for program, name in PROGRAMS.items():
        if where := shutil.which(program, path=environment.get("PATH", os.defpath)):
            yield (where,), name


def _by_entries(environment: Mapping[str, str]) -> Iterator[tuple[tuple[str, ...], str]]:
    for folder in _folders(environment):
        for entry in sorted(folder.glob("*.desktop")):
            try:
                text = entry.read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue
            if (command := browser_in(text)) is not None:
                yield command


def _folders(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Where the XDG Base Directory Specification has desktop entries."""
    own = environment.get("XDG_DATA_HOME") or str(Path(environment.get("HOME", "/")) / ".local/share")
    shared = environment.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    return tuple(Path(folder) / "applications" for folder in (own, *shared.split(":")) if folder)


def browser_in(text: str) -> tuple[tuple[str, ...], str] | None:
    """Of a desktop entry that opens web pages: (program,) or (flatpak, application id), and the browser's name."""
    keys = _main_keys(text.splitlines())
    if "x-scheme-handler/https" not in keys.get("MimeType", "") or keys.get("Hidden") == "true":
        return None
    try:
        words = shlex.split(FIELD_CODE.sub("", keys.get("Exec", "")))
    except ValueError:
        return None
    program = shutil.which(words[0]) if words else None
    if program is None:
        return None
    if Path(program).name == "flatpak":
        return next((((program, word), FLATPAKS[word]) for word in words if word in FLATPAKS), None)
    name = PROGRAMS.get(Path(program).name)
    return ((program,), name) if name else None


def _main_keys(lines: Sequence[str]) -> dict[str, str]:
    keys: dict[str, str] = {}
    group = ""
    for line in lines:
        if line.startswith("["):
            group = line.strip()
        elif group == "[Desktop Entry]" and "=" in line:
            key, _, value = line.partition("=")
            keys[key.strip()] = value.strip()
    return keys

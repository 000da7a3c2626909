"""Windows: browsers by what is installed and by the number that each keeps in the registry. Nothing is started."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from media_check.computer_browsers import Browser, version_in

UNINSTALL = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall"
UNINSTALL_32 = r"SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall"
BEACONS = {r"SOFTWARE\Google\Chrome\BLBeacon": "chrome", r"SOFTWARE\Microsoft\Edge\BLBeacon": "edge"}
FIREFOX = r"SOFTWARE\Mozilla\Mozilla Firefox"
TITLES = (
    (re.compile(r"^Google Chrome$"), "chrome"),
    (re.compile(r"^Chromium$"), "chromium"),
    (re.compile(r"^Microsoft Edge$"), "edge"),
    (re.compile(r"^Mozilla Firefox\b"), "firefox"),
)


def discover() -> tuple[Browser, ...]:
    """Of the whole computer and of this user."""
    return (*from_titles(installed()), *_by_own_keys())


def from_titles(entries: Iterable[tuple[str, str]]) -> tuple[Browser, ...]:
    """From (DisplayName, DisplayVersion) of installed programs. Names of products are not translated."""
    return tuple(
        Browser(name, version_in(version))
        for title, version in entries
        for pattern, name in TITLES
        if pattern.search(title) and "Maintenance Service" not in title
    )


def installed() -> Iterator[tuple[str, str]]:
    """(DisplayName, DisplayVersion) of every installed program."""
    registry = _winreg()
    for hive, path in (
        (registry.HKEY_LOCAL_MACHINE, UNINSTALL),
        (registry.HKEY_LOCAL_MACHINE, UNINSTALL_32),
        (registry.HKEY_CURRENT_USER, UNINSTALL),
    ):
        with suppress(OSError), registry.OpenKey(hive, path) as key:
            for index in range(registry.QueryInfoKey(key)[0]):
                under = f"{path}\\{registry.EnumKey(key, index)}"
                if title := _text(registry, hive, under, "DisplayName"):
                    yield title, _text(registry, hive, under, "DisplayVersion")


def _by_own_keys() -> Iterator[Browser]:
    registry = _winreg()
    for path, name in BEACONS.items():
        if text := _text(registry, registry.HKEY_CURRENT_USER, path, "version"):
            yield Browser(name, version_in(text))
    for hive in (registry.HKEY_LOCAL_MACHINE, registry.HKEY_CURRENT_USER):
        if text := _text(registry, hive, FIREFOX, "CurrentVersion"):
            yield Browser("firefox", version_in(text))


def _text(registry: Any, hive: Any, path: str, name: str) -> str:
    try:
        with registry.OpenKey(hive, path) as key:
            value = registry.QueryValueEx(key, name)[0]
    except OSError:
        return ""
    return value if isinstance(value, str) else ""


def _winreg() -> Any:
    from importlib import import_module

    return import_module("winreg")

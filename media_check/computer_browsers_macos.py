"""macOS: browsers by the property lists of applications. Nothing is started."""

from __future__ import annotations

import plistlib
from collections.abc import Sequence
from pathlib import Path
from xml.parsers.expat import ExpatError

from media_check.computer_browsers import Browser, version_in

IDENTIFIERS = {
    "com.google.Chrome": "chrome", "org.chromium.Chromium": "chromium", "com.microsoft.edgemac": "edge",
    "org.mozilla.firefox": "firefox", "com.apple.Safari": "safari",
}  # fmt: skip


def folders() -> tuple[Path, ...]:
    """Where applications are; since macOS 13 Safari is in a volume of its own."""
    safari = Path("/System/Cryptexes/App/System/Applications")
    return Path("/Applications"), Path.home() / "Applications", safari


def discover(where: Sequence[Path] | None = None) -> tuple[Browser, ...]:
    """All known browsers directly in these folders."""
    lists = [p for folder in where or folders() for p in sorted(folder.glob("*.app/Contents/Info.plist"))]
    return tuple(browser for path in lists if (browser := _browser(path)) is not None)


def _browser(path: Path) -> Browser | None:
    try:
        content = plistlib.loads(path.read_bytes())
    except (OSError, ValueError, ExpatError, plistlib.InvalidFileException):
        return None
    if not isinstance(content, dict) or (name := IDENTIFIERS.get(str(content.get("CFBundleIdentifier")))) is None:
        return None
    return Browser(name, version_in(str(content.get("CFBundleShortVersionString", ""))))

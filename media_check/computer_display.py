"""How many pixels high the largest display is: on a low one, a meeting's faces are small."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from media_check.computer_part import Part, UnknownError, aside
from media_check.errand import Errand

PLATFORM: str = sys.platform  # a plain str, so that a type checker reads on
GRAPHICS = Path("/sys/class/drm")
MODE = re.compile(r"(\d+)x(\d+)")
SCREEN_WIDTH, SCREEN_HEIGHT = 0, 1  # SM_CXSCREEN, SM_CYSCREEN (winuser.h)
NONE = "no display that the system tells of is connected"


async def ask(_: Errand) -> Part:
    """Value: display_height_pixels. Fact: display, such as "1920x1080"."""
    width, height = await aside(largest)
    return Part({"display_height_pixels": float(height)}, {"display": f"{width}x{height}"})


def largest() -> tuple[int, int]:
    """(width, height) in pixels. Raises UnknownError."""
    if PLATFORM == "win32":
        return _windows()
    if PLATFORM == "darwin":
        return _macos()
    return from_sysfs(GRAPHICS)


def from_sysfs(root: Path) -> tuple[int, int]:
    """Of the connectors with a display, the largest one's first mode, which is its own resolution."""
    sizes = list(_sizes(root))
    if not sizes:
        raise UnknownError(NONE)
    return max(sizes, key=lambda size: size[0] * size[1])


def _sizes(root: Path) -> Iterator[tuple[int, int]]:
    for connector in sorted(root.glob("card*-*")):
        try:
            connected = (connector / "status").read_text().strip() == "connected"
            first = (connector / "modes").read_text().partition("\n")[0]
        except OSError:
            continue
        if connected and (mode := MODE.match(first)):
            yield int(mode[1]), int(mode[2])


def _windows() -> tuple[int, int]:
    """The main display's, in real pixels also where the system magnifies."""
    import ctypes

    library = getattr(ctypes, "windll").user32  # noqa: B009 - there is none elsewhere
    library.SetProcessDPIAware()
    return _known(library.GetSystemMetrics(SCREEN_WIDTH), library.GetSystemMetrics(SCREEN_HEIGHT))


def _macos() -> tuple[int, int]:
    """The main display's mode. Units are points, of which a Retina display has two pixels each way."""
    import ctypes

    library: Any = ctypes.CDLL("/System/Library/Frameworks/CoreGraphics.framework/CoreGraphics")
    display = library.CGMainDisplayID
    display.restype = ctypes.c_uint32
    sizes = []
    for name in ("CGDisplayPixelsWide", "CGDisplayPixelsHigh"):
        function = getattr(library, name)
        function.restype, function.argtypes = ctypes.c_size_t, (ctypes.c_uint32,)
        sizes.append(function(display()))
    return _known(*sizes)


def _known(width: int, height: int) -> tuple[int, int]:
    if width <= 0 or height <= 0:
        raise UnknownError(NONE)
    return width, height

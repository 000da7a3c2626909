"""The page's address, given to the browser that is this computer's default.

By a child process, with the standard library's `webbrowser`: what a browser prints, one that takes over the terminal
(w3m), and one that never returns are no part of this program then, and the browser stays when this program ends.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from typing import Any

from processes import child

DEADLINE_S = 10.0


def can_be_shown(environment: Mapping[str, str] = os.environ) -> bool:
    """Is there a screen, or a browser named by the user? Without one, only browsers of the terminal are left."""
    if sys.platform in ("win32", "darwin"):
        return True
    return any(environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))


async def show(url: str) -> bool:
    """Did a browser take it? Within DEADLINE_S. One that has not returned by then has: some do when they are closed."""
    if not can_be_shown():
        return False
    try:
        async with asyncio.timeout(DEADLINE_S), child.started(child.command("agent.ui.browser")) as process:
            await child.tell(process, {"url": url})
            async for line in child.lines(process):
                return bool(line.get("shown"))
    except TimeoutError:
        return True
    except OSError:
        pass
    return False


def _show(first: dict[str, Any], say: child.Say) -> None:
    """In the child. The address comes by the pipe: other users see command lines, though the browser's own too."""
    import webbrowser

    say({"shown": webbrowser.open(first["url"])})


if __name__ == "__main__":
    child.run(_show, cores=True)

"""The child: asks each of the platform's sources in a thread of its own, and says what each saw as soon as it is known.

A source that a driver holds up says nothing; the others are not kept waiting for it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from media_check.devices import platform_module
from media_check.devices.seen import Seen, to_line
from processes import child

PATIENCE_S = 2.5  # from the start of `work`; the parent's deadline includes the start of this program

Source = Callable[[], Sequence[Seen]]


def work(errand: dict[str, Any], say: child.Say) -> None:  # noqa: ARG001 - there is nothing to choose
    """First {"sources": [names]}, then for each {"source": name, "seen": […]}, or "trouble": the exception's name."""
    sources: dict[str, Source] = import_module(f"media_check.devices.{platform_module()}").SOURCES
    say({"sources": list(sources)})
    threads = [threading.Thread(target=_ask, args=(n, s, say), daemon=True) for n, s in sources.items()]
    for thread in threads:
        thread.start()
    end = time.monotonic() + PATIENCE_S
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))


def _ask(name: str, source: Source, say: child.Say) -> None:
    try:
        say({"source": name, "seen": [to_line(seen) for seen in source()]})
    except Exception as error:  # noqa: BLE001 - a driver's or a library's oddities cost its own devices only
        say({"source": name, "trouble": type(error).__name__})


if __name__ == "__main__":
    child.run(work)

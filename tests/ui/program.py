"""`python -m tests.ui.program ARGUMENTS…`: motesklar itself, with hardware that a test holds in place of real ones.

Cameras are found by tests.media_check.camera_double.FOLDER in the environment. Of what kind the links are that this
computer really has, and what a radio says of itself, stands in LINKS_FILE of the folder LINKS, if that is set: JSON,
{"eth0": {"kind": "wifi", "wifi": {"signal_dbm": -82}}}. It is read each time the links are looked for.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from agent.cli import main
from reports.record import Link, Wifi
from tests.media_check import camera_double

LINKS, LINKS_FILE = "MOTESKLAR_TEST_LINKS", "links.json"


def as_told(links: tuple[Link, ...], folder: Path) -> tuple[Link, ...]:
    """Those that were found, of the kinds that the file says; it makes no link, and none better or worse."""
    said: dict[str, Any] = json.loads((folder / LINKS_FILE).read_text())
    return tuple(_as_told(link, said[link.name]) if link.name in said else link for link in links)


def _as_told(link: Link, said: dict[str, Any]) -> Link:
    radio = Wifi(**said["wifi"]) if "wifi" in said else None
    return replace(link, kind=said["kind"], confidence=1.0, evidence=("a test says so",), wifi=radio)


def install_links(folder: Path) -> None:
    """For good: what the platform finds is told as the file says."""
    from probes import links
    from probes.links import wifi_linux

    real = links.discover

    async def discover(deadline_s: float = links.DEADLINE_S) -> tuple[Link, ...]:
        return as_told(await real(deadline_s), folder)

    @asynccontextmanager
    async def station(index: int) -> AsyncIterator[Callable[[], Awaitable[Wifi | None]]]:
        name = socket.if_indextoname(index)

        async def ask() -> Wifi | None:
            return next((link.wifi for link in await discover() if link.name == name), None)

        yield ask

    links.discover = discover
    wifi_linux.station = station


if __name__ == "__main__":
    camera_double.install()
    if LINKS in os.environ:
        install_links(Path(os.environ[LINKS]))
    main()

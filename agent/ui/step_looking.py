"""What there is: the devices and the links, looked for side by side, each shown as soon as it is known."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from agent.options import pick_links
from agent.ui.step_network import show_links
from media_check.devices import Found

if TYPE_CHECKING:
    from agent.ui.step_shared import Talk
    from reports.record import Link


async def look(talk: Talk) -> tuple[Link, ...]:
    """The links, as they are now; the devices are in `talk.devices`. A search that breaks has found nothing.

    UsageError: the options name a link that is not there.
    """
    _, links = await asyncio.gather(_devices(talk), _links(talk))
    return links


async def _devices(talk: Talk) -> None:
    from media_check import devices

    try:
        talk.devices.found = await devices.look()
    except Exception:  # noqa: BLE001 - then nothing is known of them, which each step says
        talk.devices.found = Found((), ("everything",))
    talk.board.touch(devices=talk.devices.choices(talk.options.company))


async def _links(talk: Talk) -> tuple[Link, ...]:
    from probes.links import discover

    try:
        links = tuple(await discover())
    except Exception:  # noqa: BLE001 - the network's own part says what is wrong
        return ()
    show_links(talk, links, pick_links(talk.options, links))
    return links

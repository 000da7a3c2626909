"""The staff page on a link of its own, to a room of its own: the link or the room goes, the call is killed or hangs.

MOTESKLAR_UI_SCENARIOS=all, and network namespaces: the page, the program and whoever follows it are in one, the room in
the other.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.ui_hindered import Followed, followed
from tests.e2e.ui_hindered_desk import TIMEOUT, ended, on_linux, when_all
from tests.netlab.namespaces import OWN_SYSFS, Namespace, new_namespace, unavailable
from tests.probes.call.test_links import ROOM, TOKEN, serving

WHY_NOT = unavailable()
pytestmark = [*on_linux, when_all, pytest.mark.netlab, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "")]
Ends = tuple[Namespace, Namespace]
Hindrance = Callable[[Followed, Ends], Awaitable[None]]


def do(where: Namespace, command: str) -> None:
    where.run(["ip", *command.split()], check=True, sysfs=False)


@pytest.fixture
def ends() -> Iterator[Ends]:
    with new_namespace("home") as home, new_namespace("room") as room:
        do(home, f"link add cable type veth peer name cable netns /proc/{os.getpid()}/fd/{room.fd}")
        for space, last in ((home, 1), (room, 2)):
            do(space, f"address add 10.9.0.{last}/24 dev cable")
            do(space, "link set cable up")
        do(room, f"address add {ROOM}/32 dev lo")
        do(home, "route add default via 10.9.0.2 dev cable")
        yield home, room


async def _killed(it: Followed, _: Ends) -> None:
    await it.signal(signal.SIGKILL)


async def _hangs(it: Followed, _: Ends) -> None:
    await it.signal(signal.SIGSTOP)


async def _unplugged(_: Followed, ends: Ends) -> None:
    do(ends[0], "link del cable")


async def _room_gone(_: Followed, ends: Ends) -> None:
    do(ends[1], f"address del {ROOM}/32 dev lo")


ROWS = {
    "unplugged": ("connection", "connection", _unplugged, "Anslutningen försvann under testet."),
    "room gone": ("connection", "connection", _room_gone, "Testet gick inte att göra: testrummet svarar inte."),
    "unplugged in the call": ("joining", "joining", _unplugged, "Anslutningen försvann under testet."),
    "killed": ("joining", "joining", _killed, "Testet gick inte att göra: fel i programmet."),
    "hangs": ("joining", "joining", _hangs, TIMEOUT),
}


@pytest.mark.parametrize(("moment", "step", "hindrance", "says"), ROWS.values(), ids=ROWS.keys())
def test_the_network_goes(
    moment: str,
    step: str,
    hindrance: Hindrance,
    says: str,
    ends: Ends,
    tmp_path: Path,
) -> None:
    async def follow(url: str) -> None:
        asked, own = ("--room", url), {"MOTESKLAR_TOKEN": TOKEN, "PULSE_SERVER": "unix:/nowhere"}
        async with followed(tmp_path, own, *asked, prefix=OWN_SYSFS) as it:
            await it.start()
            await it.to(moment)
            await hindrance(it, ends)
            await ended(it)
            assert it.told(step)[0].startswith(says), it.told(step)
            assert it.levels(step) != ["ready"]
            if hindrance in (_killed, _hangs):
                await it.redo(step)
                await ended(it)
                assert it.levels(step) != ["unknown"], it.told(step)

    with serving(ends[1]) as url:
        ends[0].call(lambda: asyncio.run(follow(url)), timeout=100)

"""Two routers with a room behind them, and the path probe on the laptop: fixtures of the path probe's tests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from probes import path
from probes.links import discover
from probes.room import parse_room
from probes.session import Draft, Session
from reports.record import Link
from tests.netlab.fixtures import why_no_routers
from tests.netlab.program import TOKEN, room_on
from tests.netlab.router import RoutedPath, routed_path
from tests.probes.echoing import sound
from tests.probes.rooms import errand

SECONDS = 2.5


@dataclass
class Lab:
    """Two routers, and a room behind them."""

    way: RoutedPath
    url: str

    def probe(self, seconds: float = SECONDS, before: Callable[[], None] = lambda: None, **changes: object) -> Draft:
        """One run on the laptop, in a thread of its own; `before` is called in that thread."""

        async def run() -> Draft:
            return await path.probe(await self.errand(seconds, **changes))

        def work() -> Draft:
            before()
            return asyncio.run(run())

        return sound(self.way.laptop.call(work))

    async def errand(self, seconds: float, **changes: object) -> Session:
        wanted = {"link": await laptop_link(self.way), "deadline": time.monotonic() + 60, "budget_bytes": 3e5}
        return errand(parse_room(self.url, TOKEN), seconds=seconds, **(wanted | changes))

    def rule(self, router: str, hook: str, *rules: str) -> None:
        """A further filter, which heal() below takes away."""
        chain = "add table inet more; add chain inet more c { type filter hook %s priority 5; }" % hook  # noqa: UP031
        commands = [chain, *(f"add rule inet more c {rule}" for rule in rules)]
        done = self.way.of(router).run(["nft", "; ".join(commands)], sysfs=False)
        assert done.returncode == 0, done.stderr

    def heal(self) -> None:
        for router in ("gateway", "operator"):
            self.way.of(router).run(["nft", "delete table inet more"], sysfs=False)
        back = f"ip route replace {self.way.laptop_address[:-1]}0/24 via 10.98.2.1"
        self.way.operator.run(back.split(), sysfs=False)
        self.way.heal()


async def laptop_link(way: RoutedPath) -> Link:
    return next(link for link in await discover() if link.name == way.laptop_device)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    if reason := why_no_routers():
        pytest.skip(reason)
    with routed_path() as way, room_on(way, tmp_path_factory.mktemp("room")) as room:
        yield Lab(way, room.url)


@pytest.fixture
def lab(whole: Lab) -> Iterator[Lab]:
    """Without impairments, before and after."""
    yield whole
    whole.heal()

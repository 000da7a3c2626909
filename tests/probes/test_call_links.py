"""Three links at once: each call leaves by its own device, whatever the routes say."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from probes import call
from probes.links.binding import Passage
from probes.room import parse_room
from probes.session import Draft
from testroom.echo_call import CallSettings
from testroom.server import RoomSettings, TestRoom
from testroom.tokens import Tokens
from tests.netlab.namespaces import Namespace, new_namespace, unavailable
from tests.probes.rooms import errand, link

WHY_NOT = unavailable()
pytestmark = [pytest.mark.netlab, pytest.mark.slow, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "")]

LINKS = {name: link(name, addresses=(f"10.9.{i}.1",)) for i, name in enumerate(("cable", "wifi", "phone"))}
ROOM = "10.9.9.9"
TOKEN = "a token of the tests"


@pytest.fixture
def ends() -> Iterator[tuple[Namespace, Namespace]]:
    """A home with three links, and the room at the end of each; by default all goes by the first."""
    with new_namespace("home") as home, new_namespace("room") as room:

        def do(where: Namespace, command: str) -> None:
            where.run(["ip", *command.split()], check=True, sysfs=False)

        do(room, f"address add {ROOM}/32 dev lo")
        for i, name in enumerate(LINKS):
            do(home, f"link add {name} type veth peer name {name} netns /proc/{_holder(room)}")
            for end, last in ((home, 1), (room, 2)):
                do(end, f"address add 10.9.{i}.{last}/24 dev {name}")
                do(end, f"link set {name} up")
            do(home, f"route add {ROOM} via 10.9.{i}.2 dev {name} metric {i + 1}")
        yield home, room


def _holder(space: Namespace) -> str:
    """The namespace's own entry among this process's files."""
    import os

    return f"{os.getpid()}/fd/{space.fd}"


@contextmanager
def serving(space: Namespace) -> Iterator[str]:
    """A room in there; its URL."""
    said: list[str] = []
    ready = threading.Event()
    finish: list[Callable[[], object]] = []

    async def serve() -> None:
        over, loop = asyncio.Event(), asyncio.get_running_loop()
        finish.append(lambda: loop.call_soon_threadsafe(over.set))
        settings = RoomSettings(host="0.0.0.0", tokens=Tokens({"habo": TOKEN}), calls=CallSettings())
        async with TestRoom(settings) as room:
            said.append(room.url.replace("127.0.0.1", ROOM))
            ready.set()
            await over.wait()

    thread = threading.Thread(target=lambda: space.call(lambda: asyncio.run(serve())))
    thread.start()
    try:
        assert ready.wait(9)
        yield said[0]
    finally:
        finish[0]()
        thread.join()


def test_three_links_at_once(ends: tuple[Namespace, Namespace]) -> None:
    home, room = ends

    async def work(url: str) -> dict[str, tuple[Draft, int, int]]:
        async def one(name: str) -> tuple[Draft, int, int]:
            passage = Passage(LINKS[name])
            draft = await call.probe(
                errand(parse_room(url, TOKEN), link=LINKS[name], seconds=1.5, deadline=time.monotonic() + 14)
            )
            change = passage.delta()
            assert change is not None
            return draft, change.sent_bytes, change.received_bytes

        return dict(zip(LINKS, await asyncio.gather(*map(one, LINKS)), strict=True))

    with serving(room) as url:
        found = home.call(lambda: asyncio.run(work(url)))
    for draft, sent, received in found.values():
        assert draft.failure is None
        assert draft.facts["call_carries"] == "video"
        moved = int(draft.facts["moved_bytes"])  # type: ignore[arg-type]
        assert moved < sent + received < 1.5 * moved + 60_000  # its own, the session and the headers, and no other's

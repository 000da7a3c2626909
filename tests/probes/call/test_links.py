"""Links at once: each call leaves by its own device, whatever the routes say, and is told what its own link carries."""

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
from testroom.calls import CallSettings
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


def called(home: Namespace, url: str, seconds: float, **until: float) -> dict[str, tuple[Draft, int, int]]:
    """By these links at the same time, each with so many seconds; and the bytes that passed its device."""

    async def one(name: str) -> tuple[Draft, int, int]:
        passage, deadline = Passage(LINKS[name]), time.monotonic() + until[name]
        draft = await call.probe(errand(parse_room(url, TOKEN), link=LINKS[name], seconds=seconds, deadline=deadline))
        change = passage.delta()
        assert change is not None
        return draft, change.sent_bytes, change.received_bytes

    async def work() -> dict[str, tuple[Draft, int, int]]:
        return dict(zip(until, await asyncio.gather(*map(one, until)), strict=True))

    return home.call(lambda: asyncio.run(work()))


def test_three_links_at_once(ends: tuple[Namespace, Namespace]) -> None:
    home, room = ends
    with serving(room) as url:
        found = called(home, url, 1.0, cable=14, wifi=14, phone=14)
    for draft, sent, received in found.values():
        assert draft.failure is None
        assert draft.facts["call_carries"] == "video"
        moved = int(draft.facts["moved_bytes"])  # type: ignore[arg-type]
        assert moved < sent + received < 1.5 * moved + 60_000  # its own, the session and the headers, and no other's


def test_what_a_narrow_link_carries_without_pictures(ends: tuple[Namespace, Namespace]) -> None:
    """Sound takes some 120 kbit/s each way, and the least picture 250. The wifi has no time for another try."""
    for name, kbit in (("cable", 150), ("wifi", 150), ("phone", 70)):
        for end in ends:
            queue = ["tbf", "rate", f"{kbit}kbit", "limit", "10000", "burst", "3028"]
            end.run(["tc", "qdisc", "add", "dev", name, "root", *queue], check=True, sysfs=False)
    begun = time.monotonic()
    with serving(ends[1]) as url:
        found = {name: draft for name, (draft, *_) in called(ends[0], url, 2.0, cable=14, wifi=6, phone=14).items()}
    assert time.monotonic() - begun < 12
    for draft in found.values():
        assert draft.failure is None
        assert draft.values["call_audio_gap_ratio"] > 0.1  # with pictures
    alone = {name: (d.facts["call_carries"], d.facts.get("sound_alone_unknown")) for name, d in found.items()}
    assert alone == {"cable": ("sound_only", None), "wifi": ("nothing", "no time"), "phone": ("nothing", None)}
    assert float(found["cable"].facts["sound_alone_gap_ratio"]) < 0.05  # type: ignore[arg-type]
    assert float(found["phone"].facts["sound_alone_gap_ratio"]) > 0.1  # type: ignore[arg-type]

"""The path probe on ways that do not carry everything, whether somebody says so or not."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from probes.room import parse_room
from testroom.certificate import Pair
from testroom.server import RoomSettings, TestRoom
from testroom.tokens import Tokens
from tests.netlab.pathlab import Lab, lab, laptop_link, whole
from tests.netlab.program import TOKEN, room_on
from tests.netlab.router import RoutedPath
from tests.probes.rooms import issued, issuer

__all__ = ["lab", "whole"]
pytestmark = [pytest.mark.netlab, pytest.mark.timeout(120)]


def narrow(lab: Lab) -> None:
    lab.way.mtu(1340, icmp=True)


def narrow_and_silent(lab: Lab) -> None:
    lab.way.mtu(1340, icmp=False)


def silent_down(lab: Lab) -> None:
    lab.rule("operator", "forward", "oifname to_gateway meta l4proto udp meta length > 1340 drop")


def silent_both(lab: Lab) -> None:
    silent_down(lab)
    lab.rule("gateway", "forward", "oifname to_operator meta l4proto udp meta length > 1420 drop")


def narrow_down(lab: Lab) -> None:
    """A router honours the MTU of a route; it tells the room, whose answers then come in pieces."""
    back = f"ip route replace {lab.way.laptop_address[:-1]}0/24 via 10.98.2.1 mtu 1340"
    assert lab.way.operator.run(back.split(), sysfs=False).returncode == 0


SIZES = {  # what is done, then up, down, the hole, whether somebody said so
    "said": (narrow, 1340, 1340, "none", True),
    "not said": (narrow_and_silent, 1340, 1340, "up", False),
    "on the way back only": (silent_down, 1500, 1340, "down", False),
    "on both ways, not alike": (silent_both, 1420, 1340, "both", False),
    "on the way back, said": (narrow_down, 1500, 1340, "none", True),
}


@pytest.mark.parametrize(("narrowed", "up", "down", "hole", "said"), SIZES.values(), ids=SIZES)
def test_a_narrow_way(lab: Lab, narrowed: Callable[[Lab], None], up: int, down: int, hole: str, said: bool) -> None:
    lab.way.room.run(["ip", "route", "flush", "cache"], sysfs=False)
    narrowed(lab)
    draft = lab.probe(5.0)
    assert draft.failure is None
    assert "mtu_search" not in draft.facts
    assert up - 8 < draft.values["path_mtu_up_bytes"] <= up
    assert down - 8 < draft.values["path_mtu_down_bytes"] <= down
    assert (draft.facts["mtu_black_hole"], draft.facts["mtu_signalled"]) == (hole, said)
    assert draft.values["path_loss_ratio"] == 0
    assert draft.facts["moved_bytes"] < 3e5


@pytest.mark.slow
def test_over_ipv6(lab: Lab, tmp_path: Path) -> None:
    with room_on(lab.way, tmp_path, f"[{lab.way.room_address_v6}]") as room:
        six = Lab(lab.way, room.url)
        wide = six.probe(2.0)
        lab.way.mtu(1340, icmp=True)
        told = six.probe(2.0)
        lab.way.mtu(1340, icmp=False)
        hole = six.probe(4.0)
    assert wide.values["path_hops"] == told.values["path_hops"] == 2
    assert [d.values["path_mtu_up_bytes"] for d in (wide, told)] == [1500, 1340]
    assert 1332 < hole.values["path_mtu_up_bytes"] <= 1340
    assert [d.facts["mtu_black_hole"] for d in (wide, told, hole)] == ["none", "none", "up"]
    assert wide.facts["gateway_asked_by"] == "icmp"
    assert wide.values["gateway_loss_ratio"] == 0
    assert [line[:2] for line in wide.facts["hops"]] == ["1:", "2:"]


def test_much_loss_is_not_called_a_black_hole(lab: Lab) -> None:
    lab.way.lose("beyond", "both", 0.25)
    facts = lab.probe(4.0).facts
    assert facts.get("mtu_black_hole", "none") == "none"


@contextmanager
def room_with_a_long_certificate(way: RoutedPath) -> Iterator[str]:
    """Its first answer is several packets long."""
    authority = issuer()
    one = issued(authority, host=way.room_address)
    long = Pair(one.chain + authority.pem * 6, one.key, one.fingerprint)
    up, down, urls = threading.Event(), threading.Event(), []

    async def serve() -> None:
        async with TestRoom(
            RoomSettings(host=way.room_address, certificate=long, tokens=Tokens({"habo": TOKEN}))
        ) as room:
            urls.append(room.url)
            up.set()
            await asyncio.to_thread(down.wait, 30)

    thread = threading.Thread(target=lambda: way.room.call(lambda: asyncio.run(serve())), daemon=True)
    thread.start()
    assert up.wait(10)
    try:
        yield urls[0]
    finally:
        down.set()
        thread.join(10)


def test_a_session_is_had_across_a_black_hole(lab: Lab) -> None:
    """What the room has to say is longer than what the path carries, and nobody tells it so."""

    async def open_and_close(url: str) -> tuple[float, object]:
        link = await laptop_link(lab.way)
        begun = time.monotonic()
        session = await parse_room(url, TOKEN).open(link, 1, 50)
        took = time.monotonic() - begun
        return took, await session.close()

    lab.way.mtu(1300, icmp=False)
    with room_with_a_long_certificate(lab.way) as url:
        took, report = lab.way.laptop.call(lambda: asyncio.run(open_and_close(url)))
    assert report is not None
    assert took < 1

"""local beside a real echo on loopback, and what it says when it is stopped, alone, or a VPN is in the way."""

from __future__ import annotations

import asyncio
import time

import pytest

from probes import cpu, echo, local, own_traffic
from probes.session import Draft, Start
from reports.record import Link
from testroom.server import TestRoom
from tests.probes.echoing import sound
from tests.probes.rooms import errand, link

CPU = {"cpu_busy_ratio", "cpu_wait_ratio"}
BACKGROUND = {"background_up_bytes_per_second", "background_down_bytes_per_second"}
WIFI = {"wifi_signal_dbm", "wifi_rate_bytes_per_second", "wifi_retry_ratio"}


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu, "BURST_EVERY_S", 0.1)


def named(draft: Draft) -> set[str]:
    return set(draft.values) | set(draft.unknown)


async def test_within_the_computer_only_the_cpu_is_looked_at() -> None:
    begun = time.monotonic()
    draft = sound(await local.probe(errand("https://127.0.0.1", seconds=1.0)))
    assert draft.failure is None
    assert named(draft) == CPU
    assert 1.0 <= time.monotonic() - begun < 2.0
    assert "vpn" not in draft.facts


@pytest.mark.usefixtures("quick")
async def test_beside_the_echo(far: TestRoom) -> None:
    """Both ends of the echo are on this loopback: as much as we send, the reflector sends, and that is not ours."""
    start, lo, before = Start(2), link(), own_traffic.total("lo")
    wanted = {"link": lo, "start": start, "seconds": 1.5}
    own, draft = await asyncio.gather(
        echo.probe(errand(far.url, **wanted)), local.probe(errand(far.url, links=(lo,), **wanted))
    )
    sound(draft)
    assert own.failure is None
    assert draft.failure is None
    assert named(draft) >= CPU | BACKGROUND
    assert not named(draft) & WIFI
    assert draft.facts["vpn"] is False
    ours = own_traffic.total("lo").sent_bytes - before.sent_bytes
    assert ours > 50_000
    assert draft.values["background_up_bytes_per_second"] > 0.85 * ours / 1.5  # others may use loopback as well


async def test_asked_to_stop() -> None:
    session = errand("https://127.0.0.1", seconds=30.0, link=link())
    asyncio.get_running_loop().call_later(0.2, session.stop.set)
    draft = sound(await asyncio.wait_for(local.probe(session), 2))
    assert draft.failure is None
    assert draft.unknown.keys() == {"cpu_wait_ratio"} | BACKGROUND


async def test_a_link_that_is_not_there() -> None:
    gone = link("nothing-here", kind="wifi")
    draft = sound(await local.probe(errand("https://127.0.0.1", seconds=0.6, link=gone)))
    assert draft.unknown.keys() >= BACKGROUND | WIFI
    assert "cpu_busy_ratio" in draft.values


ETH = link("eth0", is_default=True)
CASES: list[tuple[Link, tuple[Link, ...], bool]] = [
    (ETH, (ETH,), False),
    (link("tun0", kind="vpn"), (), True),
    (ETH, (ETH, link("tun0", kind="vpn", is_default=True, beneath="wlan0")), True),
    (ETH, (ETH, link("tun0", kind="vpn", beneath="eth0")), True),
    (ETH, (ETH, link("tun0", kind="vpn", beneath="wlan0")), False),
    (ETH, (ETH, link("tun0", kind="vpn", beneath="eth0", addresses=())), False),  # configured, not connected
    (ETH, (link("wlan0", kind="wifi", is_default=True), ETH), False),
]


@pytest.mark.parametrize(("tested", "links", "there"), CASES)
def test_vpn_in_the_way(tested: Link, links: tuple[Link, ...], there: bool) -> None:
    assert local.vpn_in_the_way(tested, links) is there

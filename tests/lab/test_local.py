"""What `local` says of a real radio, and of devices whose counters are renewed late or count other framing.

Run in the lab after tests/lab/plug_in phone wifi; what is not plugged in is skipped.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable

import pytest

from probes import local, own_traffic
from probes.links import discover
from probes.links.binding import bound_socket
from probes.session import Draft
from reports.record import Link
from tests.probes.echoing import sound
from tests.probes.rooms import errand

Lab = Callable[..., str]
SECONDS = 6.0
SIZE = 1000
OURS, THEIRS = 150, 100  # packets a second


async def link_called(name: str) -> Link:
    if name not in {there for _, there in socket.if_nameindex()}:
        pytest.skip(f"{name} is not plugged in: tests/lab/plug_in")
    return next(link for link in await discover(3) if link.name == name)


async def send(link: Link, to: tuple[str, int], rate: int, account: own_traffic.Account) -> None:
    """Packets to an echo until cancelled; what goes and comes is put on the account."""
    with bound_socket(link) as sock:
        sock.setblocking(False)
        begun, sent = time.monotonic(), 0
        while True:
            while sent < (time.monotonic() - begun) * rate:
                sock.sendto(bytes(SIZE), to)
                account.sent(SIZE + 28)
                sent += 1
            await asyncio.sleep(0.01)
            try:
                while data := sock.recv(2000, socket.MSG_DONTWAIT):
                    account.received(len(data) + 28)
            except BlockingIOError:
                continue


async def watched(link: Link, to: tuple[str, int]) -> Draft:
    """`local`, beside our own traffic and another's."""
    with own_traffic.account(link) as ours:
        tasks = [
            asyncio.create_task(send(link, to, OURS, ours)),
            asyncio.create_task(send(link, to, THEIRS, own_traffic.Account())),
        ]
        try:
            return sound(await local.probe(errand("https://10.77.0.1", link=link, links=(link,), seconds=SECONDS)))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize("name", ["eth0", "wlan0", "usb0"])
async def test_background_is_what_others_move(name: str, far_echo: tuple[str, int]) -> None:
    draft = await watched(await link_called(name), far_echo)
    wanted = THEIRS * (SIZE + 42)
    assert draft.values["background_up_bytes_per_second"] == pytest.approx(wanted, rel=0.1)
    assert draft.values["background_down_bytes_per_second"] == pytest.approx(wanted, rel=0.1)
    assert ("wifi_signal_dbm" in draft.values) is (name == "wlan0")


@pytest.mark.parametrize("dbm", [-82, -45])
async def test_the_radio_while_it_works(lab: Lab, dbm: int, far_echo: tuple[str, int]) -> None:
    link = await link_called("wlan0")
    lab("wifi", "rssi", str(dbm))
    draft = await watched(link, far_echo)
    lab("wifi", "rssi", "-50")
    assert draft.values["wifi_signal_dbm"] == pytest.approx(dbm, abs=2)
    assert draft.facts["wifi_signal_worst_dbm"] <= draft.values["wifi_signal_dbm"]
    assert draft.values["wifi_rate_bytes_per_second"] > 100_000
    assert draft.values["wifi_retry_ratio"] < 0.5

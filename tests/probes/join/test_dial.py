"""dial: the order of addresses, which of them a link can use, and what a failed attempt is called."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import time
from pathlib import Path

import pytest

from probes.join import dial, reach
from probes.join.reach import DialError, in_turn, kind_of
from probes.session import ProbeFailure
from tests.probes.join.servers import HOST, at, closing, errand, refusing, serving, silent
from tests.probes.rooms import link

LO = link(addresses=("127.0.0.1", "::1"))


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ((), []),
        (("192.0.2.1", "192.0.2.2"), ["192.0.2.1", "192.0.2.2"]),
        (("::1", "::2", "::3", "192.0.2.1"), ["::1", "192.0.2.1", "::2", "::3"]),
        (("192.0.2.1", "::1", "192.0.2.2"), ["192.0.2.1", "::1", "192.0.2.2"]),
    ],
)
def test_the_families_by_turns(found: tuple[str, ...], expected: list[str]):
    assert in_turn(found) == expected


@pytest.mark.parametrize(
    ("own", "target", "expected"),
    [
        ("192.168.1.2", "203.0.113.1", True),  # by NAT
        ("192.168.1.2", "2606:4700::1111", False),
        ("2a00:801::2", "2606:4700::1111", True),
        ("fd00::2", "2606:4700::1111", False),  # RFC 6724: another label; IPv4 is preferred
        ("fe80::2", "2606:4700::1111", False),
        ("fd00::2", "fd00::1", True),
        ("2a00:801::2", "192.0.2.1", False),
    ],
)
def test_which_addresses_a_link_can_use(own: str, target: str, expected: bool, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reach, "_routed", lambda *_: True)
    assert reach.goes(link(addresses=(own,)), target) is expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ECONNREFUSED, "refused"),
        (errno.ECONNRESET, "refused"),
        (errno.EHOSTUNREACH, "unreachable"),
        (errno.ENETUNREACH, "unreachable"),
        (errno.EACCES, "unreachable"),
        (errno.ETIMEDOUT, "silent"),
    ],
)
def test_what_a_failed_attempt_is_called(number: int, expected: str):
    assert kind_of(OSError(number, os.strerror(number))) == expected


@pytest.mark.parametrize("found", [("::1", "127.0.0.1"), ("127.0.0.1", "::1")])
async def test_a_refused_address_is_not_waited_for(found: tuple[str, ...]):
    async with serving(closing) as port:
        begun = time.monotonic()
        sock = await reach.reach(LO, found, port, begun + 1)
        assert sock.getpeername()[0] == "127.0.0.1"
        assert not sock.getblocking()
        sock.close()
    assert time.monotonic() - begun < 0.2


async def test_a_silent_address_holds_the_next_one_up_for_a_quarter_of_a_second():
    async with serving(closing) as port:
        with silent("::1", port):
            begun = time.monotonic()
            (await reach.reach(LO, ("::1", "127.0.0.1"), port, begun + 1)).close()
    assert 0.24 < time.monotonic() - begun < 0.5


def open_files() -> set[str]:
    return {path.name for path in Path("/proc/self/fd").iterdir()}


async def test_nothing_is_left_open():
    before = open_files()
    with silent() as port, refusing() as refused:
        for number in (port, refused):
            with pytest.raises(DialError):
                await reach.reach(LO, ("127.0.0.1", "::1"), number, time.monotonic() + 0.1)
        task = asyncio.create_task(reach.reach(LO, ("127.0.0.1",), port, time.monotonic() + 9))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert open_files() == before


async def test_a_link_that_is_gone():
    with pytest.raises(ProbeFailure) as failure:
        await reach.reach(link("gone0"), ("127.0.0.1",), 443, time.monotonic() + 1)
    assert failure.value.code == "link_vanished"


async def test_it_leaves_by_the_device():
    async with serving(closing) as port:
        wanted = errand(at(port))
        sock = await dial.connect(wanted, HOST, port, wanted.deadline)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16).rstrip(b"\0") == b"lo"
        sock.close()


@pytest.mark.parametrize(
    ("host", "expected"), [("192.0.2.1", ("192.0.2.1",)), ("2001:DB8::1", ("2001:db8::1",)), (HOST, ("127.0.0.1",))]
)
async def test_addresses(host: str, expected: tuple[str, ...]):
    assert await dial.addresses(errand(at(443)), host) == expected

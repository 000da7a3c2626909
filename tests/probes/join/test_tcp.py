"""tcp: each family by itself, through a proxy, and whatever keeps a connection from being made."""

from __future__ import annotations

import socket
import time

import pytest

from probes.join import tcp
from probes.join.errand import NeedlessError, Proxy
from probes.profile import Profile
from tests.probes.join.servers import BOTH, HOST, at, closing, errand, outcome, proxy, refusing, serving, silent

SECONDS = 0.5


def named(port: int, *addresses: str, **found: object):
    return errand(at(port), SECONDS, addresses={HOST: addresses}, **found)


async def test_both_families():
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as both:
        wanted = named(both.getsockname()[1], *BOTH)
        begun = time.monotonic()
        assert await outcome(tcp.step, wanted) == ("ok", "")
    assert (wanted.m.facts["ipv4"], wanted.m.facts["ipv6"]) == ("ok", "ok")
    assert 0 < wanted.m.values["tcp_connect_seconds"] <= time.monotonic() - begun


async def test_a_family_that_the_name_does_not_have_is_no_fault():
    async with serving(closing) as port:
        wanted = named(port, "127.0.0.1")
        assert await outcome(tcp.step, wanted) == ("ok", "")
    assert (wanted.m.facts["ipv4"], wanted.m.facts["ipv6"]) == ("ok", "none")


async def test_a_family_that_the_link_does_not_have_is_no_fault():
    async with serving(closing) as port:
        wanted = named(port, "127.0.0.1", "2606:4700::1111")  # lo has no way to it
        assert await outcome(tcp.step, wanted) == ("ok", "")
    assert wanted.m.facts["ipv6"] == "none"


async def test_one_family_refused_is_a_remark():
    async with serving(closing) as port:
        wanted = named(port, *BOTH)
        assert await outcome(tcp.step, wanted) == ("tcp_family_broken", "ipv6: refused")
    assert "tcp_connect_seconds" in wanted.m.values


async def test_one_family_silent_is_a_remark():
    async with serving(closing) as port:
        with silent("::1", port):
            wanted = named(port, *BOTH)
            assert await outcome(tcp.step, wanted) == ("tcp_family_broken", "ipv6: silent")
    assert wanted.m.values["tcp_connect_seconds"] < 0.2


async def test_refused():
    with refusing() as port:
        wanted = named(port, *BOTH)
        assert await outcome(tcp.step, wanted) == ("tcp_refused", "")
    assert wanted.m.values == {}
    assert wanted.left > 0.3, "nothing was to be waited for"


async def test_silence():
    with silent() as port:
        wanted = named(port, "127.0.0.1")
        assert await outcome(tcp.step, wanted) == ("tcp_timeout", "")
    assert wanted.m.facts["ipv4"] == "silent"


async def test_refused_says_more_than_silence():
    with silent() as port:
        assert await outcome(tcp.step, named(port, *BOTH)) == ("tcp_refused", "")


async def test_no_way_there():
    wanted = named(443, "2606:4700::1111")
    assert await outcome(tcp.step, wanted) == ("tcp_unreachable", "no way to its addresses")


async def test_a_name_without_addresses():
    assert await outcome(tcp.step, named(443)) == ("tcp_unreachable", "its name was not found")


async def test_the_next_address_is_tried_when_the_first_is_silent():
    with silent("127.0.0.3") as port, socket.create_server(("127.0.0.1", port)):
        wanted = named(port, "127.0.0.3", "127.0.0.1")
        assert await outcome(tcp.step, wanted) == ("ok", "")
    assert 0.2 < wanted.m.values["tcp_connect_seconds"] < 0.45


async def test_without_a_portal_there_is_nothing_to_ask():
    with pytest.raises(NeedlessError):
        await tcp.step(errand(Profile()))


# ---- through a proxy


async def test_through_a_proxy():
    async with serving(closing) as port, proxy() as (by, targets):
        wanted = named(port, proxy=Proxy("127.0.0.1", by))
        assert await outcome(tcp.step, wanted) == ("ok", "")
    assert targets == [f"{HOST}:{port}"]
    assert wanted.m.facts["through"] == "proxy"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("403 Forbidden", ("proxy_refused", "status 403")),
        ("407 Proxy Authentication Required", ("proxy_refused", "status 407")),
        ("502 Bad Gateway", ("proxy_refused", "status 502")),
        ("", ("proxy_refused", "its answer is not HTTP")),
    ],
)
async def test_a_proxy_that_refuses(status: str, expected: tuple[str, str]):
    async with proxy(status) as (by, _):
        assert await outcome(tcp.step, named(443, proxy=Proxy("127.0.0.1", by))) == expected


@pytest.mark.parametrize(("password", "expected"), [("right", "ok"), ("wrong", "proxy_refused")])
async def test_a_proxy_that_wants_a_password(password: str, expected: str):
    async with serving(closing) as port, proxy(login="bWU6cmlnaHQ=") as (by, _):
        wanted = named(port, proxy=Proxy("127.0.0.1", by, "me", password))
        assert (await outcome(tcp.step, wanted))[0] == expected


async def test_a_proxy_that_is_not_there():
    with refusing() as by:
        assert await outcome(tcp.step, named(443, proxy=Proxy("127.0.0.1", by))) == ("proxy_unreachable", "refused")


async def test_a_proxy_that_says_nothing():
    with socket.create_server(("127.0.0.1", 0)) as mute:
        wanted = named(443, proxy=Proxy("127.0.0.1", mute.getsockname()[1]))
        assert await outcome(tcp.step, wanted) == ("tcp_timeout", "through the proxy")


async def test_a_host_that_needs_no_proxy():
    async with serving(closing) as port:
        elsewhere = Proxy("127.0.0.1", 1)
        wanted = named(port, "127.0.0.1", proxy=elsewhere, without_proxy=frozenset({HOST}))
        assert await outcome(tcp.step, wanted) == ("ok", "")

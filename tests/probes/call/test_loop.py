"""The sockets of a WebRTC stack leave by the link, and trust what this computer trusts."""

from __future__ import annotations

import asyncio
import socket
import ssl
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from probes.call.loop import LinkLoop
from probes.links.binding import BindingError
from reports.record import Link
from testroom import certificate
from tests.probes.rooms import issued, issuer, link, server_context

SO_BINDTODEVICE = 25
LO = link()


def within(by: Link | None, work: Callable[[LinkLoop], Awaitable[None]]) -> None:
    """On a loop of its own, as the child has it."""
    loop = LinkLoop(by)
    try:
        loop.run_until_complete(asyncio.wait_for(work(loop), 5))
    finally:
        loop.close()


def device(transport: asyncio.BaseTransport) -> str:
    sock: socket.socket = transport.get_extra_info("socket")
    return sock.getsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, 16).rstrip(b"\0").decode()


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's socket option")
@pytest.mark.parametrize(("by", "name"), [(LO, "lo"), (None, "")])
def test_every_kind_of_socket_is_bound(by: Link | None, name: str) -> None:
    async def work(loop: LinkLoop) -> None:
        listening = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        for made in (
            await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0)),
            await loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=("127.0.0.1", port)),
            await loop.create_connection(asyncio.Protocol, "127.0.0.1", port, ssl=False),
        ):
            assert device(made[0]) == name
            assert made[0].get_extra_info("sockname")[0] == "127.0.0.1"
            made[0].close()
        listening.close()

    within(by, work)


def test_a_connected_socket_of_udp_talks_to_its_peer() -> None:
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    class Hears(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: object) -> None:
            heard.put_nowait(data)

    async def work(loop: LinkLoop) -> None:
        far, _ = await loop.create_datagram_endpoint(Hears, local_addr=("127.0.0.1", 0))
        near, _ = await loop.create_datagram_endpoint(Hears, remote_addr=far.get_extra_info("sockname"))
        near.sendto(b"hello")
        assert await heard.get() == b"hello"
        near.close()
        far.close()

    within(LO, work)


def test_a_link_that_is_gone_is_refused_and_remembered() -> None:
    async def work(loop: LinkLoop) -> None:
        with pytest.raises(BindingError):
            await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0))
        assert loop.refused is not None

    within(link("gone9"), work)


def test_a_name_may_stand_for_an_address() -> None:
    async def work(loop: LinkLoop) -> None:
        loop.aliases["relay.invalid"] = "127.0.0.1"
        made, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=("relay.invalid", 9))
        assert made.get_extra_info("peername") == ("127.0.0.1", 9)
        made.close()

    within(None, work)


@pytest.mark.parametrize("known", [True, False])
def test_tls_trusts_what_this_computer_trusts(known: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = issuer()
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    pair = issued(authority) if known else certificate.make()

    async def work(loop: LinkLoop) -> None:
        listening = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0, ssl=server_context(pair))
        asked = loop.create_connection(asyncio.Protocol, "127.0.0.1", listening.sockets[0].getsockname()[1], ssl=True)
        if known:
            transport, _ = await asked
            assert transport.get_extra_info("peercert")
            transport.abort()
        else:
            with pytest.raises(ssl.SSLCertVerificationError):
                await asked
        listening.close()
        await asyncio.sleep(0.01)

    within(None, work)

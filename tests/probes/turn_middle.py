"""Asking a TURN server in tests: the ways to it, and a middle that loses or changes what passes."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aioice import stun

from probes.turn_client import Allocation, allocate
from probes.turn_wire import Datagrams, Stream, datagrams, parse
from tests.probes.rooms import link

LO = link()
GOOD, BAD = ("anna", "not-secret"), ("anna", "wrong")


@asynccontextmanager
async def wire(transport: str, server: tuple[str, int]) -> AsyncIterator[Datagrams | Stream]:
    made: Datagrams | Stream
    if transport == "udp":
        made = await datagrams(LO, socket.AF_INET, server)
    else:
        made = Stream(*await asyncio.open_connection(*server), trusted=False)
    try:
        yield made
    finally:
        made.close()


async def asked(
    transport: str, server: tuple[str, int], who: tuple[str, str] = GOOD, seconds: float = 3.0, **more: bool
) -> Allocation:
    async with wire(transport, server) as way:
        return await allocate(way, time.monotonic() + seconds, *who, **more)


Change = Callable[[bytes, bool, int], bytes | None]


class Middle(asyncio.DatagramProtocol):
    """Passes datagrams on, each changed or lost: `change(data, towards the server?, how many before that way)`."""

    def __init__(self, server: tuple[str, int], change: Change) -> None:
        self.server, self.change, self.counts = server, change, {True: 0, False: 0}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.client: tuple[str, int] | None = None

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        up = addr != self.server
        self.client = addr if up else self.client
        changed = self.change(data, up, self.counts[up])
        self.counts[up] += 1
        if changed is not None:
            self.transport.sendto(changed, self.server if up else self.client)  # type: ignore[attr-defined]


@asynccontextmanager
async def middle(server: tuple[str, int], change: Change) -> AsyncIterator[tuple[str, int]]:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: Middle(server, change), local_addr=("127.0.0.1", 0))
    try:
        yield transport.get_extra_info("sockname")
    finally:
        transport.close()


def rewritten(data: bytes, **changes: object) -> bytes:
    """The same message with other attributes, unsigned."""
    message = parse(data)
    assert message is not None
    kept = {k: v for k, v in message.attributes.items() if k not in ("MESSAGE-INTEGRITY", "FINGERPRINT")}
    return bytes(stun.Message(message.message_method, message.message_class, message.transaction_id, kept | changes))

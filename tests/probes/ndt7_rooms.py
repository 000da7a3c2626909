"""Servers that begin as an ndt7 server and then do something else, and transfers against them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from probes import ndt7, websocket
from probes.stream import Target
from probes.transfer import Plan, Transfer
from reports.vocabulary import FAILURES
from testroom.certificate import Pair
from tests.probes.rooms import Talk, server_context, serving


def accepted(head: bytes, subprotocol: str = ndt7.SUBPROTOCOL) -> bytes:
    """The 101 that this request asks for."""
    found = re.search(rb"Sec-WebSocket-Key: (\S+)", head)
    assert found, head
    lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
    lines += [f"Sec-WebSocket-Accept: {websocket.accept_key(found[1].decode())}"]
    return "\r\n".join([*lines, f"Sec-WebSocket-Protocol: {subprotocol}", "", ""]).encode()


def upgraded(behaviour: Talk) -> Talk:
    """Accepts the upgrade first."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(accepted(await reader.readuntil(b"\r\n\r\n")))
        await behaviour(reader, writer)

    return talk


def says(data: bytes, *, then_silent: bool = True) -> Talk:
    """Sends that and is silent, or closes."""

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        if then_silent:
            await asyncio.sleep(20)

    return talk


@asynccontextmanager
async def listening(behaviour: Talk, pair: Pair | None = None) -> AsyncIterator[Target]:
    """A server with one behaviour, and how to reach it."""
    async with serving(behaviour, server_context(pair)) as port:
        fingerprint = pair.fingerprint if pair else None
        yield Target(("127.0.0.1", port), "127.0.0.1", fingerprint=fingerprint, tls=pair is not None)


async def ended(kind: type[Transfer], target: Target, plan: Plan | None = None) -> Transfer:
    """The transfer at its end, which comes soon; what it saw is sound whatever happened."""
    transfer = kind(target, plan or Plan(most_s=0.5, turn_s=0.3))
    transfer.start()
    transfer.release()
    assert await asyncio.to_thread(transfer.join, 4), "it hangs"
    assert transfer.error is None, transfer.error
    assert transfer.failure is None or transfer.failure.code in FAILURES
    assert "127.0.0.1" not in (transfer.failure.detail if transfer.failure else "")
    times = [s.at_ns for s in transfer.seen.samples]
    assert times == sorted(times)
    return transfer


def code(transfer: Transfer) -> str | None:
    return transfer.failure.code if transfer.failure else None

"""Rooms that are none, certificates of every kind, and errands for the probe."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from probes.room import Room, parse_room
from probes.session import ProbeFailure, Session, Start
from reports.record import Link
from reports.rules import Traffic
from reports.vocabulary import FAILURES
from testroom.certificate import Pair

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

DEADLINE = 0.5  # seconds that the tests give a room
SHAPE = Traffic(
    video_bytes_per_second=60_000,
    video_frame_interval_seconds=0.0333,
    audio_interval_seconds=0.02,
    audio_payload_bytes=172,
    video_packet_max_bytes=1200,
    playout_buffer_seconds=0.2,
)


def errand(room: Room | str, **changes: object) -> Session:
    """A short one by loopback, unless said otherwise."""
    wanted: dict[str, object] = {
        "link": None,
        "room": parse_room(room) if isinstance(room, str) else room,
        "seconds": 0.2,
        "deadline": time.monotonic() + 10,
        "budget_bytes": 1e9,
        "stop": asyncio.Event(),
        "start": Start(),
        "traffic": SHAPE,
    }
    return Session(**(wanted | changes))  # type: ignore[arg-type]


def link(name: str = "lo", **changes: object) -> Link:
    wanted: dict[str, object] = {"kind": "wired", "confidence": 1.0, "evidence": (), "addresses": ("127.0.0.1",)}
    return Link(name, **(wanted | changes))  # type: ignore[arg-type]


async def refused(room: Room) -> ProbeFailure:
    """The failure that opening it gives, within the deadline."""
    begun = time.monotonic()
    with pytest.raises(ProbeFailure) as failure:
        await room.open(None, 1, 50)
    assert time.monotonic() - begun < DEADLINE + 0.7
    assert failure.value.code in FAILURES
    assert "127.0.0.1" not in failure.value.detail
    return failure.value


def at(port: int, pair: Pair | None = None, token: str | None = None) -> Room:
    return Room("127.0.0.1", port, fingerprint=pair.fingerprint if pair else None, token=token)


# ---- certificates -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Issuer:
    """A certificate authority."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _certificate(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, days: tuple[int, int]
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
    )


def issuer() -> Issuer:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("an authority")
    made = _certificate(name, name, key.public_key(), (-100, 100)).add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    )
    return Issuer(key, made.sign(key, hashes.SHA256()))


def issued(by: Issuer, *, days: tuple[int, int] = (-1, 1), host: str = "127.0.0.1") -> Pair:
    """A room's certificate, good from the first to the second of `days` from today."""
    key = ec.generate_private_key(ec.SECP256R1())
    made = (
        _certificate(_name("a room"), by.certificate.subject, key.public_key(), days)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))]), critical=False)
        .sign(by.key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    der = made.public_bytes(serialization.Encoding.DER)
    return Pair(made.public_bytes(serialization.Encoding.PEM), private, hashlib.sha256(der).digest())


# ---- servers that say what the test says --------------------------------------------------------------------------


def server_context(pair: Pair | None) -> ssl.SSLContext | None:
    """For a server with that certificate; without one there is no TLS."""
    if pair is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    pair.load_into(context)
    return context


def answer(status: str, body: bytes = b"", *headers: str, length: int | None = None) -> bytes:
    """An HTTP answer; `length` may lie."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


@asynccontextmanager
async def serving(talk: Talk, context: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> AsyncIterator[int]:
    """A TCP (or TLS) server that talks so, each conversation until the end of the block at most; its port."""
    conversations: set[asyncio.Task[None]] = set()

    async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if (task := asyncio.current_task()) is not None:
            conversations.add(task)
        try:
            await talk(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(guarded, host, 0, ssl=context)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()
        for task in conversations:
            task.cancel()
        await asyncio.gather(*conversations, return_exceptions=True)


@asynccontextmanager
async def server(says: bytes | None, pair: Pair | None, *, closes: bool = True) -> AsyncIterator[int]:
    """Waits for a request (None: and says nothing at all), says its piece, and closes or stays silent."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        if says is not None:
            writer.write(says)
            await writer.drain()
        if says is None or not closes:
            await reader.read()  # until the client has had enough

    async with serving(talk, server_context(pair)) as port:
        yield port


GRANTED = {
    "schema": "motesklar.session/1",
    "id": "an id",
    "ssid": 7,
    "key": base64.b64encode(bytes(32)).decode(),
    "stamp_port": 8620,
    "server_time": 1.7e9,
}


def granted(**changes: object) -> bytes:
    return answer("201 Created", json.dumps(GRANTED | changes).encode(), "Content-Type: application/json")

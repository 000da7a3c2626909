"""`check` against rooms that are not as they should be, and `motesklar room` itself."""

import asyncio
import datetime
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from testroom import certificate
from testroom.limits import Limits
from testroom.server import RoomSettings, TestRoom
from testroom.tokens import Tokens
from tests.agent.program import command, document, environment, start

TOKEN = "habo's secret of 24 octets"
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")


@asynccontextmanager
async def room(**settings: Any) -> AsyncIterator[TestRoom]:
    async with TestRoom(RoomSettings(**settings)) as running:
        yield running


async def check(home: Path, url: str, **variables: str) -> dict[str, Any]:
    """`check` against that room, while the room runs in this loop: its document, with the echo measurement first."""
    program = await asyncio.create_subprocess_exec(
        *command("check", "--no-devices", "--room", url, "--seconds", 1, "--json"),
        env=environment(home, **variables), cwd=home, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    out, err = await asyncio.wait_for(program.communicate(), 25)
    assert err == b""
    done = subprocess.CompletedProcess([], program.returncode or 0, out.decode(), err.decode())
    return document(done)


def failure(found: dict[str, Any]) -> str | None:
    (echo,) = [m for m in found["measurements"] if m["name"] == "echo"]
    return echo["failure"] and echo["failure"]["code"]


def said(found: dict[str, Any], code: str) -> None:
    """The verdict is unknown, and a finding says why and what to do, in both languages."""
    assert failure(found) == code
    assert found["verdict"]["level"] == "unknown"
    (finding,) = [f for f in found["verdict"]["findings"] if f["value"] == code]
    assert finding["advice"]
    assert finding["text"]["sv"] != finding["text"]["en"]


async def test_a_good_room(tmp_path: Path) -> None:
    """The comparison for all that follows: with the right token and fingerprint the same call measures."""
    async with room(tokens=Tokens({"habo": TOKEN})) as running:
        found = await check(tmp_path, running.url, MOTESKLAR_TOKEN=TOKEN)
        assert failure(found) is None
        assert len(running.sessions) == 0, "the program ended its session"


@pytest.mark.parametrize("token", ["wrong", "wrong\nHost: x"])
async def test_a_wrong_token(tmp_path: Path, token: str) -> None:
    async with room(tokens=Tokens({"habo": TOKEN})) as running:
        found = await check(tmp_path, running.url, MOTESKLAR_TOKEN=token)
    said(found, "room_protocol" if "\n" in token else "room_token_refused")
    assert "wrong" not in json.dumps(found["measurements"]), "a token in the record"


async def test_a_wrong_fingerprint(tmp_path: Path) -> None:
    async with room() as running:
        url = running.url.partition("#")[0] + "#sha256=" + "ab" * 32
        said(await check(tmp_path, url), "room_certificate_mismatch")


async def test_an_unknown_issuer(tmp_path: Path) -> None:
    async with room() as running:
        said(await check(tmp_path, running.url.partition("#")[0]), "room_certificate_untrusted")


async def test_a_full_room(tmp_path: Path) -> None:
    async with room(limits=Limits(sessions=0)) as running:
        said(await check(tmp_path, running.url), "room_busy")


async def test_nothing_listens_there(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"https://127.0.0.1:{free.getsockname()[1]}"
        said(await check(tmp_path, url), "room_refused_connection")


async def test_something_else_listens_there(tmp_path: Path) -> None:
    async def other(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(other, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        said(await check(tmp_path, f"https://127.0.0.1:{port}"), "room_protocol")


async def test_a_reflector_that_is_gone(tmp_path: Path) -> None:
    """Sessions are issued, but the UDP way leads to nobody."""
    async with room() as running:
        await asyncio.to_thread(running.reflector.close)
        assert failure(await check(tmp_path, running.url)) == "no_reply"


def issued(first_day: int, last_day: int) -> tuple[bytes, certificate.Pair]:
    """An issuer, and its certificate for 127.0.0.1 that is valid between these days from today."""
    now = datetime.datetime.now(datetime.UTC)
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("issuer", "room")]
    made = []
    for key, name, ca, days in ((keys[0], names[0], True, (-9, 9)), (keys[1], names[1], False, (first_day, last_day))):
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(names[0]).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now + datetime.timedelta(days[0])).not_valid_after(
            now + datetime.timedelta(days[1])
        )
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        addresses = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
        made.append(builder.add_extension(addresses, critical=False).sign(keys[0], hashes.SHA256()))
    pem = serialization.Encoding.PEM
    private = keys[1].private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return made[0].public_bytes(pem), certificate.Pair(made[1].public_bytes(pem), private, b"")


@pytest.mark.parametrize(
    ("days", "code"),
    [((-2, 2), None), ((1, 3), "room_certificate_not_valid_now")],
)
async def test_a_clock_that_is_off(tmp_path: Path, days: tuple[int, int], code: str | None) -> None:
    """A certificate of a known issuer which is not valid yet, or no more: the clock is the first suspect."""
    issuer, pair = issued(*days)
    (tmp_path / "issuer.pem").write_bytes(issuer)
    async with room(certificate=pair) as running:
        url = running.url.partition("#")[0]
        found = await check(tmp_path, url, SSL_CERT_FILE=str(tmp_path / "issuer.pem"))
    if code is None:
        assert failure(found) is None
    else:
        said(found, code)


def listening(home: Path, *arguments: object) -> tuple["subprocess.Popen[str]", str, list[str]]:
    """A room as a program: its process, its URL, and what it said."""
    program = start(home, "room", "--listen", "127.0.0.1:0", "--stamp-port", 0, *arguments)
    assert program.stderr is not None
    lines = [program.stderr.readline() for _ in range(4)]
    return program, lines[0].removeprefix("test room: ").strip(), lines


@POSIX
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_room_stops_when_told(tmp_path: Path, number: signal.Signals) -> None:
    program, url, lines = listening(tmp_path)
    assert url.startswith("https://127.0.0.1:")
    assert "only this computer" in lines[2]
    port = int(url.partition("#")[0].rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)):  # a client that says nothing holds up no stop
        program.send_signal(number)
        begun = time.monotonic()
        out, err = program.communicate(timeout=10)
    assert time.monotonic() - begun < 2
    assert (program.returncode, out, err) == (0, "", "")


@POSIX
def test_the_fingerprint_stays_from_run_to_run(tmp_path: Path) -> None:
    fingerprints = []
    for _ in range(2):
        program, url, _ = listening(tmp_path)
        program.terminate()
        program.communicate(timeout=10)
        fingerprints.append(url.partition("#")[2])
    assert fingerprints[0] == fingerprints[1] != ""


@POSIX
async def test_check_and_room_as_two_programs(tmp_path: Path) -> None:
    (tmp_path / "tokens.toml").write_text(f'[tokens]\nhabo = "{TOKEN}"')
    program, url, lines = await asyncio.to_thread(
        listening, tmp_path, "--token-file", "tokens.toml", "--open-stamp", "127.0.0.0/8"
    )
    try:
        assert "plain STAMP is open to 127.0.0.0/8" in lines[2]
        port = int(lines[1].split(",")[0].rpartition(" ")[2])
        said(await check(tmp_path, url), "room_token_refused")
        assert failure(await check(tmp_path, f"stamp://127.0.0.1:{port}")) is None
    finally:
        program.terminate()
        await asyncio.to_thread(program.communicate, timeout=10)
    assert program.returncode == 0

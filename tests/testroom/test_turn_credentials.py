"""Time-limited credentials for a relay: as the draft says, and as coturn takes them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import time
from pathlib import Path

import pytest

from testroom.calls import CallSettings
from testroom.calls.turn import GRACE_S, Turn, TurnError, read_secret
from tests.testroom.calling import session_of
from tests.testroom.https import serving

SECRET = "north-star-of-16-and-more"
URLS = ("turn:relay.example:3478?transport=udp", "turns:relay.example:443")


def test_name_and_password() -> None:
    before = int(time.time())
    server = Turn(URLS, SECRET.encode()).server(120)
    end, _, chance = server["username"].partition(":")
    assert before + 180 <= int(end) <= time.time() + 180
    assert len(chance) == 12
    proof = hmac.new(SECRET.encode(), server["username"].encode(), hashlib.sha1).digest()
    assert base64.b64decode(server["credential"]) == proof
    assert server["urls"] == list(URLS)


def test_two_callers_have_nothing_in_common() -> None:
    turn = Turn(URLS, SECRET.encode())
    assert len({turn.server(60)["username"] for _ in range(50)}) == 50


async def test_they_live_as_long_as_the_session_and_a_minute() -> None:
    async with serving(calls=CallSettings(turn=Turn(URLS, SECRET.encode()))) as (_, http):
        granted = await session_of(http, 30)
    (server,) = granted["ice_servers"]
    end = int(server["username"].partition(":")[0])
    assert end == pytest.approx(time.time() + granted["expires_in_seconds"] + GRACE_S, abs=2)
    assert granted["id"] not in str(server)


@pytest.mark.parametrize(
    "url", ["stun:relay.example", "https://relay.example", "turn:", "turns:x:443?transport=udp", ""]
)
def test_what_is_no_relay(url: str) -> None:
    with pytest.raises(TurnError, match="--turn"):
        Turn((url,), SECRET.encode())


@pytest.mark.parametrize(
    ("content", "good"),
    [
        (SECRET.encode() + b"\n", True), (b"", False), (b"short\n", False), (b"two words of some length", False),
        (b"\xff" * 20, False), (None, False),
    ],
)  # fmt: skip
def test_the_file_of_the_secret(tmp_path: Path, content: bytes | None, good: bool) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    if good:
        assert read_secret(path) == SECRET.encode()
        return
    with pytest.raises(TurnError, match="secret"):
        read_secret(path)


@pytest.mark.parametrize(("seconds", "granted"), [(60, True), (-200, False)])
async def test_coturn_takes_them_until_they_end(tmp_path: Path, seconds: float, granted: bool) -> None:
    import aioice
    from aioice import turn

    from tests import turn_server as server_of

    if server_of.PROGRAM is None:
        pytest.skip("turnserver is not installed (Debian: coturn)")
    with server_of.turn_server(tmp_path, server_of.Turn(address="127.0.0.2", user=None, secret=SECRET)) as relay:
        given = Turn((f"turn:127.0.0.2:{relay.port}",), SECRET.encode()).server(seconds)
        try:
            transport, _ = await turn.create_turn_endpoint(
                asyncio.DatagramProtocol,
                server_addr=("127.0.0.2", relay.port),
                username=given["username"],
                password=given["credential"],
            )
        except (aioice.stun.TransactionError, ConnectionError):
            assert not granted
            return
        assert granted
        transport.close()
        await asyncio.sleep(0.05)

"""The room client against a real room, and against everything that answers there instead."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from probes import room as client
from probes.room import Room, RoomUrlError, parse_room
from probes.roundtrip import Fates
from testroom import certificate
from testroom.limits import Limits
from testroom.server import RoomSettings, TestRoom
from testroom.tokens import Tokens
from tests.probes import rooms
from tests.probes.rooms import DEADLINE, Issuer, at, granted, issued, refused, server

TOKEN = "a token of sixteen or more"


@pytest.fixture(autouse=True)
def short_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TCP_S", "ANSWER_S", "REPORT_S"):
        monkeypatch.setattr(client, name, DEADLINE)


@pytest.fixture(scope="module")
def pair() -> certificate.Pair:
    return certificate.make()


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return rooms.issuer()


@pytest.fixture
def trusted(issuer: Issuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Issuer:
    """This computer trusts the issuer."""
    file = tmp_path / "trusted.pem"
    file.write_bytes(issuer.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    return issuer


@pytest.fixture
async def room() -> AsyncIterator[TestRoom]:
    async with TestRoom(RoomSettings()) as made:
        yield made


# ---- its address --------------------------------------------------------------------------------------------------

PRINT = "ab" * 32
GOOD = {
    "https://room.example": Room("room.example", 443),
    "https://room.example:8443": Room("room.example", 8443),
    "HTTPS://Room.Example:8443/": Room("room.example", 8443),
    "https://192.0.2.7:8443": Room("192.0.2.7", 8443),
    "https://[2001:db8::7]:8443": Room("2001:db8::7", 8443),
    "https://vårdrum.example": Room("vårdrum.example", 443),
    f"https://h:1#sha256={PRINT}": Room("h", 1, fingerprint=bytes.fromhex(PRINT)),
    f"https://h:1#{PRINT.upper()}": Room("h", 1, fingerprint=bytes.fromhex(PRINT)),
    f"https://h:1#sha256={':'.join(['AB'] * 32)}": Room("h", 1, fingerprint=bytes.fromhex(PRINT)),
    "stamp://router": Room("router", 862, plain=True),
    "stamp://[2001:db8::1]:8620": Room("2001:db8::1", 8620, plain=True),
}
BAD = ["", "room.example", "room.example:8443", "http://room.example", "ftp://room.example", "https://", "https://:8443",
       "https://h:port", "https://h:99999", "https://h:-1", "https://[::1", "https://a..b", "https://" + "a" * 64,
       "stamp://" + "a" * 64, "stamp://", "https://h#sha256=", "https://h#sha256=abc", "https://h#sha256=" + "xy" * 32,
       f"https://h#md5={PRINT}", f"https://h#sha256={PRINT}00"]  # fmt: skip


@pytest.mark.parametrize(("url", "expected"), GOOD.items())
def test_a_rooms_address(url: str, expected: Room) -> None:
    assert parse_room(url) == expected


@pytest.mark.parametrize("url", BAD)
def test_not_a_rooms_address(url: str) -> None:
    with pytest.raises(RoomUrlError) as error:
        parse_room(url)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) > 20


def test_the_token_goes_to_rooms_only() -> None:
    assert parse_room("https://h", "secret").token == "secret"
    assert parse_room("stamp://h", "secret").token is None


# ---- a room -------------------------------------------------------------------------------------------------------


async def test_a_session_from_opening_to_report(room: TestRoom) -> None:
    session = await parse_room(room.url).open(None, 5, 100)
    assert session.address == ("127.0.0.1", room.stamp_port)
    assert session.access.ssid in room.sessions.by_ssid
    assert session.access.key is not None
    assert room.sessions.by_ssid[session.access.ssid].key.sign(b"x") == session.access.key.sign(b"x")
    assert session.clock_offset_seconds == pytest.approx(0, abs=0.2)
    fates = await session.close()
    assert fates is not None
    assert (fates.received, fates.duplicates, fates.reordered, fates.throttled, fates.seen) == (0, 0, 0, 0, b"")
    assert not session.expired
    assert len(room.sessions) == 0


async def test_packets_go_to_the_address_that_answered_not_to_a_name(room: TestRoom) -> None:
    session = await parse_room(room.url.replace("127.0.0.1", "localhost")).open(None, 5, 100)
    assert session.address[0] == "127.0.0.1"
    await session.close()


async def test_over_ipv6() -> None:
    try:
        async with TestRoom(RoomSettings(host="::1")) as room:
            session = await parse_room(room.url).open(None, 5, 100)
            assert session.address == ("::1", room.stamp_port)
            assert await session.close() is not None
    except OSError:
        pytest.skip("this computer has no IPv6")


async def test_the_rooms_clock_is_compared_with_ours(pair: certificate.Pair) -> None:
    async with server(granted(server_time=time.time() + 3600), pair) as port:
        session = await at(port, pair).open(None, 1, 50)
    assert session.clock_offset_seconds == pytest.approx(3600, abs=1)
    await session.close()


async def test_tokens() -> None:
    async with TestRoom(RoomSettings(tokens=Tokens({"habo": TOKEN}))) as room:
        for wrong in (None, "", "another token of this length", TOKEN + "x", "å"):
            assert (await refused(parse_room(room.url, wrong))).code == "room_token_refused"
        session = await parse_room(room.url, TOKEN).open(None, 1, 50)
        assert room.sessions.by_ssid[session.access.ssid].organisation == "habo"
        await session.close()


async def test_a_full_room_says_when_to_come_again() -> None:
    async with TestRoom(RoomSettings(limits=Limits(sessions=1))) as room:
        session = await parse_room(room.url).open(None, 20, 50)
        failure = await refused(parse_room(room.url))
        assert failure.code == "room_busy"
        assert failure.detail in ("try again in 35 s", "try again in 34 s")
        await session.close()
        await (await parse_room(room.url).open(None, 1, 50)).close()


async def test_too_many_requests() -> None:
    async with TestRoom(RoomSettings(limits=Limits(requests_per_minute=1))) as room:
        await (await parse_room(room.url).open(None, 1, 50)).close()
        assert (await refused(parse_room(room.url))).code == "room_too_many_requests"


async def test_a_session_that_has_expired_is_told_from_one_without_a_report(room: TestRoom) -> None:
    session = await parse_room(room.url).open(None, 1, 50)
    room.sessions.end(room.sessions.by_ssid[session.access.ssid])
    assert await session.close() is None
    assert session.expired


async def test_a_room_that_is_gone_at_the_end_gives_no_report() -> None:
    async with TestRoom(RoomSettings()) as room:
        session = await parse_room(room.url).open(None, 1, 50)
    begun = time.monotonic()
    assert await session.close() is None
    assert not session.expired
    assert time.monotonic() - begun < DEADLINE + 0.5


# ---- certificates -------------------------------------------------------------------------------------------------

CERTIFICATES = {
    "good": ((-1, 1), "127.0.0.1", None),
    "expired": ((-20, -1), "127.0.0.1", "room_certificate_not_valid_now"),
    "not yet valid": ((1, 20), "127.0.0.1", "room_certificate_not_valid_now"),
    "of another host": ((-1, 1), "127.0.0.9", "room_certificate_untrusted"),
}


@pytest.mark.parametrize(("days", "host", "code"), CERTIFICATES.values(), ids=CERTIFICATES)
async def test_a_certificate_of_a_known_issuer(
    trusted: Issuer, days: tuple[int, int], host: str, code: str | None
) -> None:
    async with TestRoom(RoomSettings(certificate=issued(trusted, days=days, host=host))) as room:
        if code is None:
            await (await at(room.port).open(None, 1, 50)).close()
        else:
            assert (await refused(at(room.port))).code == code


async def test_a_certificate_of_an_unknown_issuer(room: TestRoom, issuer: Issuer) -> None:
    assert (await refused(at(room.port))).code == "room_certificate_untrusted"
    async with TestRoom(RoomSettings(certificate=issued(issuer))) as other:
        assert (await refused(at(other.port))).code == "room_certificate_untrusted"


async def test_a_fingerprint_needs_no_issuer_and_fits_one_certificate(room: TestRoom, pair: certificate.Pair) -> None:
    await (await parse_room(room.url).open(None, 1, 50)).close()
    assert (await refused(at(room.port, pair))).code == "room_certificate_mismatch"
    assert len(room.sessions) == 0


REPORT = {"received": 2, "duplicates": 1, "reordered": 0, "throttled": 0, "seen": "Aw=="}
REPORTS = {
    "good": (REPORT, (2, 1, 0, 0, b"\x03")),
    "a count missing": ({k: v for k, v in REPORT.items() if k != "reordered"}, None),
    "a count of words": (REPORT | {"received": "many"}, None),
    "below nothing": (REPORT | {"duplicates": -1}, None),
    "no base64": (REPORT | {"seen": "?"}, None),
    "a list": ([1], None),
}


@pytest.mark.parametrize(("report", "expected"), REPORTS.values(), ids=REPORTS)
def test_a_report(report: dict[str, object], expected: tuple[Any, ...] | None) -> None:
    assert client._fates(report) == (None if expected is None else Fates(*expected))

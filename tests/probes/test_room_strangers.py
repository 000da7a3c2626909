"""Everything that answers where a room should be, and is none."""

from __future__ import annotations

import socket
from contextlib import closing
from dataclasses import replace

import pytest

from probes import room as client
from probes.room import parse_room
from probes.session import ProbeFailure
from testroom import certificate
from testroom.server import RoomSettings, TestRoom
from tests.probes.rooms import DEADLINE, answer, at, granted, link, refused, server

TOKEN = "a token of sixteen or more"


@pytest.fixture(autouse=True)
def short_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TCP_S", "ANSWER_S", "REPORT_S"):
        monkeypatch.setattr(client, name, DEADLINE)


@pytest.fixture(scope="module")
def pair() -> certificate.Pair:
    return certificate.make()


async def test_nobody_is_there() -> None:
    with closing(socket.socket()) as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    assert (await refused(at(port))).code == "room_refused_connection"
    assert (await refused(replace(at(port), host="localhost"))).code == "room_refused_connection"
    assert (await refused(replace(at(port), host="256.1.1.1"))).code == "room_name_unknown"


async def test_a_name_that_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)  # a network without DNS answers late, or not at all
    assert (await refused(parse_room("https://room.invalid"))).code == "room_name_unknown"
    assert (await refused(parse_room("stamp://room.invalid"))).code == "room_name_unknown"


async def test_a_link_that_is_not_there() -> None:
    async with TestRoom(RoomSettings()) as room:
        with pytest.raises(ProbeFailure) as failure:
            await parse_room(room.url).open(link("nosuch0"), 1, 50)
    assert failure.value.code == "link_not_bound"


@pytest.mark.parametrize("tls", [False, True], ids=["before TLS", "after TLS"])
async def test_silence_ends_at_the_deadline(tls: bool, pair: certificate.Pair) -> None:
    async with server(None, pair if tls else None) as port:
        assert (await refused(at(port, pair))).code == "room_unreachable"


PROTOCOL = {
    "closed at once": b"",
    "closed within the headers": b"HTTP/1.1 201 Cre",
    "closed within the body": answer("201 Created", b'{"schema":', "Content-Type: application/json", length=500),
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n",
    "a web page": answer("200 OK", b"<html>", "Content-Type: text/html"),
    "not found": answer("404 Not Found", b"<html>"),
    "a broken server": answer("500 Internal Server Error"),
    "a login page elsewhere": answer("302 Found", b"", "Location: https://127.0.0.1:1/login"),
    "a page with status 201": answer("201 Created", b"<html>", "Content-Type: text/html"),
    "no JSON": answer("201 Created", b"{", "Content-Type: application/json"),
    "a list": answer("201 Created", b"[1]", "Content-Type: application/json"),
    "another schema": granted(schema="motesklar.session/9"),
    "no key": granted(key=None),
    "a key that is none": granted(key="*"),
    "a port that is none": granted(stamp_port=70_000),
    "a port of nothing": granted(stamp_port=None),
    "an endless port": granted(stamp_port=float("inf")),
    "no session number": granted(ssid=0),
    "too large a session number": granted(ssid=65_536),
    "no time": granted(server_time=float("nan")),
}


@pytest.mark.parametrize("says", PROTOCOL.values(), ids=PROTOCOL)
async def test_what_answers_is_no_room(says: bytes, pair: certificate.Pair) -> None:
    async with server(says, pair) as port:
        assert (await refused(at(port, pair, TOKEN))).code == "room_protocol"


async def test_the_scripted_server_can_be_a_room(pair: certificate.Pair) -> None:
    """Without this the table above would hold for any answer."""
    async with server(granted(), pair) as port:
        session = await at(port, pair).open(None, 1, 50)
    assert (session.address, session.access.ssid) == (("127.0.0.1", 8620), 7)
    assert await session.close() is None


async def test_http_without_tls_is_no_room(pair: certificate.Pair) -> None:
    async with server(answer("200 OK"), None) as port:
        assert (await refused(at(port, pair))).code == "room_protocol"
        assert (await refused(at(port))).code == "room_protocol"


async def test_a_body_without_end_ends_at_the_deadline(pair: certificate.Pair) -> None:
    says = answer("201 Created", b"[" * 1000, "Content-Type: application/json", length=10**9)
    async with server(says, pair, closes=False) as port:
        assert (await refused(at(port, pair))).code == "room_unreachable"

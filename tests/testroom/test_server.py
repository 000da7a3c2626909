"""The HTTPS side, by a real client: sessions are issued, reported, ended and refused; nothing is ever a 500."""

import asyncio
import base64
import contextlib
import json
import logging
import time

import pytest

from probes import stamp
from testroom.limits import Limits
from testroom.sessions import StampSession
from testroom.tokens import Tokens
from tests.testroom.client import Client, has_ipv6
from tests.testroom.https import PAIR, TOKEN, serving, visitor, wanted

V6 = pytest.mark.skipif(not has_ipv6(), reason="no IPv6 here")
TOKENS = Tokens({"habo": TOKEN, "mullsjö": "another secret of 26 octets"})


async def test_a_session_is_issued_used_reported_and_ended() -> None:
    async with serving() as (room, http):
        async with http.post("/v1/sessions", json=wanted()) as answer:
            assert answer.status == 201
            granted = await answer.json()
        assert granted["schema"] == "motesklar.session/1"
        assert abs(granted["server_time"] - time.time()) < 1
        assert 10 < granted["expires_in_seconds"] < 60
        secret = base64.b64decode(granted["key"])
        session = room.sessions.by_ssid[granted["ssid"]]
        assert (session.secret, session.organisation) == (secret, "this computer")
        ask(granted, session, times=3)
        async with http.get(f"/v1/sessions/{granted['id']}") as answer:
            assert (answer.status, (await answer.json())["received"]) == (200, 3)
        async with http.delete(f"/v1/sessions/{granted['id']}") as answer:
            report = await answer.json()
            assert (answer.status, report["reflected"], base64.b64decode(report["seen"])) == (200, 3, b"\7")
        for method in ("GET", "DELETE"):
            async with http.request(method, f"/v1/sessions/{granted['id']}") as answer:
                assert (answer.status, await answer.json()) == (404, {"code": "session_expired"})
        assert len(room.sessions) == 0


def ask(granted: dict[str, int], session: StampSession, times: int) -> None:
    client = Client("127.0.0.1", granted["stamp_port"], session)
    for _ in range(times):
        assert stamp.base_signed(bytearray(client.ask().octets), session.key)


async def test_the_key_is_told_once_only() -> None:
    async with serving() as (_, http):
        async with http.post("/v1/sessions", json=wanted()) as answer:
            granted = await answer.json()
        async with http.get(f"/v1/sessions/{granted['id']}") as answer:
            assert granted["key"] not in await answer.text()


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (None, 401),
        ("", 401),
        ("Bearer", 401),
        ("Bearer ", 401),
        ("Bearer wrong", 401),
        (f"Basic {TOKEN}", 401),
        (f"Bearer {TOKEN}x", 401),
        (f"Bearer {TOKEN[:-1]}", 401),
        ("Bearer habo", 401),
        ("Bearer " + "x" * 5000, 401),
        ("Bearer å", 401),
        (f"Bearer {TOKEN}", 201),
        (f"bearer {TOKEN}", 201),
    ],
)
async def test_with_tokens_only_their_organisations_get_in(authorization: str | None, status: int) -> None:
    async with serving(tokens=TOKENS) as (room, http):
        headers = {} if authorization is None else {"Authorization": authorization}
        async with http.post("/v1/sessions", json=wanted(), headers=headers) as answer:
            assert answer.status == status
            if status == 401:
                assert await answer.json() == {"code": "room_token_refused"}
        assert [s.organisation for s in room.sessions.by_ssid.values()] == ["habo"] * (status == 201)


async def test_each_organisation_has_its_own_cap() -> None:
    async with serving(tokens=TOKENS, limits=Limits(sessions_per_organisation=1)) as (room, _):
        statuses = []
        for token in (TOKEN, TOKEN, "another secret of 26 octets"):
            async with visitor(room, token) as http, http.post("/v1/sessions", json=wanted()) as answer:
                statuses.append(answer.status)
        assert statuses == [201, 503, 201]


@pytest.mark.parametrize(
    ("remote", "status"), [("127.0.0.1", 201), ("::1", 201), ("127.9.9.9", 201), ("192.0.2.7", 403), ("", 403)]
)
async def test_without_tokens_only_this_computer_gets_in(
    monkeypatch: pytest.MonkeyPatch, remote: str, status: int
) -> None:
    """The caller's address is the connection's; only that is replaced here."""
    async with serving() as (_, http):
        monkeypatch.setattr("aiohttp.web_request.BaseRequest.remote", remote)
        async with http.post("/v1/sessions", json=wanted(), headers={"X-Forwarded-For": "127.0.0.1"}) as answer:
            assert answer.status == status


@pytest.mark.parametrize(
    "limits", [Limits(sessions=2), Limits(sessions_per_address=2), Limits(sessions_per_organisation=2)]
)
async def test_a_full_room_says_when_to_come_again(limits: Limits) -> None:
    async with serving(limits=limits) as (_, http):
        for status in (201, 201, 503):
            async with http.post("/v1/sessions", json=wanted(seconds=20)) as answer:
                assert answer.status == status
                body = await answer.json()
        assert body["code"] == "room_busy"
        assert 20 < body["retry_after_seconds"] <= 35
        assert int(answer.headers["Retry-After"]) > 0


async def test_too_many_requests() -> None:
    async with serving(limits=Limits(requests_per_minute=3)) as (room, http):
        for status in (201, 201, 201, 429, 429):
            async with http.post("/v1/sessions", json=wanted()) as answer:
                assert answer.status == status
                body = await answer.json()
        assert body == {"code": "room_too_many_requests"}
        assert len(room.sessions) == 3


async def test_guessing_tokens_is_slowed_down() -> None:
    async with serving(tokens=TOKENS, limits=Limits(requests_per_minute=3)) as (_, http):
        for status in (401, 401, 401, 429):
            async with http.post("/v1/sessions", json=wanted(), headers={"Authorization": "Bearer no"}) as answer:
                assert answer.status == status


BODIES = [
    b"", b"null", b"[]", b'"x"', b"7", b"{}", b"{", b"\xff\xfe", b"\0" * 50, b"[" * 4000, b'{"a":' * 800,
    json.dumps({"seconds": 10}).encode(), json.dumps({"packets_per_second": 10}).encode(),
    *(json.dumps(wanted(seconds=bad)).encode() for bad in (
        float("nan"), float("inf"), -float("inf"), -1, 0, 1e9, 10**400, "10", "ten", None, True, [10], {"a": 1})),
    *(json.dumps(wanted(packets_per_second=bad)).encode() for bad in (
        float("nan"), float("inf"), -50, 0, 1e300, 10**400, "100", None, [])),
    b'{"seconds": ' + b"9" * 3900 + b', "packets_per_second": 1}',
]  # fmt: skip


async def test_absurd_bodies_are_refused(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(limits=Limits(requests_per_minute=6000)) as (room, http):
        for body in BODIES:
            for kind in ("application/json", "application/json; charset=nonsense", "text/plain"):
                async with http.post("/v1/sessions", data=body, headers={"Content-Type": kind}) as answer:
                    expected = (400, 415) if "nonsense" in kind else (400,)
                    assert answer.status in expected, (body[:60], kind)
                    if answer.status == 400:
                        assert await answer.json() == {"code": "room_protocol"}
        assert len(room.sessions) == 0
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/v1/sessions", b"x" * 100_000, 413),
        ("GET", "/v1/sessions", None, 405),
        ("PUT", "/v1/sessions/x", b"", 405),
        ("GET", "/v1/sessions/%00", None, 404),
        ("GET", "/v1/sessions/..%2f..%2fetc%2fpasswd", None, 404),
        ("DELETE", "/v1/sessions/" + "x" * 3000, None, 404),
        ("GET", "/nothing", None, 404),
        ("GET", "/", None, 200),
    ],
)
async def test_other_requests(method: str, path: str, body: bytes | None, status: int) -> None:
    async with serving() as (_, http), http.request(method, path, data=body) as answer:
        assert answer.status == status
        assert "Traceback" not in await answer.text()


@pytest.mark.parametrize("garbage", [b"\0\0\0\0", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01" + b"\xff" * 500])
async def test_what_is_no_tls_disturbs_nobody(garbage: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async with serving() as (room, http):
        reader, writer = await asyncio.open_connection("127.0.0.1", room.port)
        writer.write(garbage)
        with contextlib.suppress(ConnectionError, TimeoutError):
            await asyncio.wait_for(reader.read(), 0.2)
        writer.close()
        async with http.post("/v1/sessions", json=wanted()) as answer:
            assert answer.status == 201
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING]


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "", "0.0.0.0", pytest.param("::1", marks=V6), pytest.param("::", marks=V6)],
)
async def test_the_url_leads_to_the_room(host: str) -> None:
    async with serving(host=host) as (room, http), http.post("/v1/sessions", json=wanted()) as answer:
        assert answer.status == 201
        assert room.url.endswith(f"#sha256={PAIR.fingerprint.hex()}")


async def test_a_session_expires_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("testroom.sessions.GRACE_S", 0.0)
    async with serving() as (room, http):
        async with http.post("/v1/sessions", json=wanted(seconds=0.1)) as answer:
            granted = await answer.json()
        await asyncio.sleep(0.15)
        async with http.get(f"/v1/sessions/{granted['id']}") as answer:
            assert (answer.status, await answer.json()) == (404, {"code": "session_expired"})
        assert room.sessions.expired == 1

"""The page's requests: who is let in, what a guest's session is good for, and who may read the record."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from reports.serial import from_json
from testroom.guests import GuestLimits, Guests
from testroom.server import TestRoom
from testroom.tokens import Tokens
from tests.testroom.guests.test_record import GOOD
from tests.testroom.https import TOKEN, serving, visitor, wanted

GUESTS: dict[str, Any] = {"guests": True, "tokens": Tokens({"habo": TOKEN})}


async def session(http: aiohttp.ClientSession, **options: Any) -> tuple[int, dict[str, Any]]:
    async with http.post("/v1/guest-sessions", **({"json": {}} | options)) as answer:
        return answer.status, await answer.json()


async def submit(http: aiohttp.ClientSession, identifier: str, record: Any = GOOD) -> tuple[int, dict[str, Any]]:
    headers = {"Authorization": f"Bearer {identifier}"} if identifier else {}
    async with http.post("/v1/records", json=record, headers=headers) as answer:
        return answer.status, await answer.json()


async def look_up(room: TestRoom, code: str, token: str | None) -> tuple[int, dict[str, Any]]:
    async with visitor(room, token) as support, support.get(f"/v1/records/{code}") as answer:
        return answer.status, await answer.json()


async def test_a_guest_needs_no_token_and_gets_a_verdict_and_a_code():
    async with serving(**GUESTS) as (room, http):
        status, given = await session(http)
        assert (status, given["ice_servers"]) == (201, [])
        assert 55 < given["expires_in_seconds"] <= 60
        assert {"key", "ssid", "stamp_port"} & given.keys() == set()
        status, judged = await submit(http, given["id"])
        assert (status, judged["level"]) == (201, "ready")
        assert judged["words"]["sv"]["headline"] == "Klart"
        assert judged["words"]["en"]["action"] == "All is ready. Join the meeting."
        status, found = await look_up(room, judged["reference"], TOKEN)
    assert status == 200
    assert found["reference"] == judged["reference"]
    assert from_json(found).agent.platform == "chrome 156"


@pytest.mark.parametrize("token", [None, "another secret of 24 octets"])
async def test_only_an_organisation_reads_a_record(token: str | None):
    async with serving(**GUESTS) as (room, http):
        given = (await session(http))[1]
        code = (await submit(http, given["id"]))[1]["reference"]
        assert await look_up(room, code, token) == (401, {"code": "room_token_refused"})
        assert await look_up(room, code, given["id"]) == (401, {"code": "room_token_refused"})


async def test_a_mistyped_code_is_told_from_an_unknown_one():
    async with serving(**GUESTS) as (room, http):
        code = (await submit(http, (await session(http))[1]["id"]))[1]["reference"]
        wrong = code[:-1] + ("3" if code[-1] != "3" else "4")
        assert await look_up(room, wrong, TOKEN) == (400, {"code": "record_mistyped"})
        room.guests.records = type(room.guests.records)()
        assert await look_up(room, code, TOKEN) == (404, {"code": "record_unknown"})


async def test_one_record_of_each_session():
    async with serving(**GUESTS) as (room, http):
        identifier = (await session(http))[1]["id"]
        assert (await submit(http, identifier, {"schema": "x"}))[0] == 400  # a wrong one does not count
        assert (await submit(http, identifier))[0] == 201
        assert await submit(http, identifier) == (409, {"code": "room_too_many_requests"})
        assert len(room.guests.records) == 1


async def test_a_record_needs_a_guests_session():
    async with serving(**GUESTS) as (room, http):
        assert (await submit(http, ""))[0] == 401
        assert (await submit(http, "unknown"))[0] == 403
        async with visitor(room, TOKEN) as staff, staff.post("/v1/sessions", json=wanted()) as answer:
            own = (await answer.json())["id"]
        assert (await submit(http, own))[0] == 403


async def test_a_guests_session_is_good_for_no_transfer():
    async with serving(**GUESTS) as (_, http):
        identifier = (await session(http))[1]["id"]
        upgrade = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
            "Sec-WebSocket-Protocol": "net.measurementlab.ndt.v7",
        }
        async with http.get("/ndt/v7/download", params={"access_token": identifier}, headers=upgrade) as answer:
            assert (answer.status, await answer.json()) == (403, {"code": "room_token_refused"})
        async with http.get(f"/v1/speedtest/{identifier}") as answer:
            assert (answer.status, await answer.json()) == (403, {"code": "session_expired"})


async def test_strangers_see_nothing_where_the_page_is_off(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("testroom.guests.is_loopback", lambda _: False)
    async with serving(tokens=Tokens({"habo": TOKEN})) as (_, http):
        for path in ("/test", "/test/page.js"):
            async with http.get(path) as answer:
                assert answer.status == 404
        assert await session(http) == (404, {"code": "room_test_not_offered"})
        assert (await submit(http, "any"))[0] == 404


async def test_this_computer_sees_the_page_always():
    async with serving() as (_, http), http.get("/test") as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"headers": {"Origin": "https://elsewhere.example"}}, 403),
        ({"headers": {"Origin": "null"}}, 403),
        ({"headers": {"Origin": "https://["}}, 403),
        ({"json": None, "data": "{}", "headers": {"Content-Type": "text/plain"}}, 400),
        ({"json": None, "data": {"a": "form"}}, 400),
    ],
)
async def test_another_sites_page_may_not_ask(options: dict[str, Any], status: int):
    async with serving(**GUESTS) as (room, http):
        assert (await session(http, **options))[0] == status
        own = {"headers": {"Origin": f"https://127.0.0.1:{room.port}"}}
        assert (await session(http, **own))[0] == 201


async def test_sessions_are_capped_in_all_and_by_address():
    async with serving(**GUESTS) as (room, http):
        room.guests._issued = Guests(room, GuestLimits(sessions_per_minute=3))._issued
        room.guests.limits = GuestLimits(sessions=2)
        assert [(await session(http))[0] for _ in range(2)] == [201, 201]
        status, busy = await session(http)
        assert (status, busy["code"]) == (503, "room_busy")
        assert 0 < busy["retry_after_seconds"] <= 60
        assert await session(http) == (429, {"code": "room_too_many_requests"})


@pytest.mark.parametrize("octets", [33_000, 80_000])
async def test_a_large_body_is_refused(octets: int):
    async with serving(**GUESTS) as (_, http):
        identifier = (await session(http))[1]["id"]
        record = copy.deepcopy(GOOD) | {"more": "x" * octets}
        assert await submit(http, identifier, record) == (400, {"code": "room_protocol", "where": "size"})


async def test_a_large_body_in_pieces_is_refused():
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b" " * 10_000

    async with serving(**GUESTS) as (_, http):
        headers = {"Authorization": f"Bearer {(await session(http))[1]['id']}", "Content-Type": "application/json"}
        async with http.post("/v1/records", data=pieces(), headers=headers) as answer:
            assert (answer.status, await answer.json()) == (400, {"code": "room_protocol", "where": "size"})


async def test_every_answer_carries_the_headers():
    async with serving(**GUESTS) as (_, http):
        for path in ("/test", "/test/page.js", "/test/texts.sv.json", "/test/icon.svg", "/test/nothing"):
            async with http.get(path) as answer:
                assert "default-src 'none'" in answer.headers["Content-Security-Policy"], path
                assert "unsafe" not in answer.headers["Content-Security-Policy"]
                assert answer.headers["Cache-Control"] == "no-store"
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                assert answer.headers["Referrer-Policy"] == "no-referrer"
                assert "camera=(self)" in answer.headers["Permissions-Policy"]
        for answer in (await http.post("/v1/guest-sessions"), await http.post("/v1/records", json={})):
            assert answer.headers["Cache-Control"] == "no-store"
            answer.release()


@pytest.mark.parametrize("name", ["../guests.py", "..%2fguests.py", "%2e%2e/guests.py", "page.html", ""])
async def test_no_other_file_is_served(name: str):
    async with serving(**GUESTS) as (_, http), http.get(f"/test/{name}") as answer:
        assert answer.status == 404

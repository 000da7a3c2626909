"""Who gets in, and what an attacker's page, link or cookie can do: nothing."""

from __future__ import annotations

from http.cookies import SimpleCookie
from pathlib import Path

import pytest

from testroom.it import session
from testroom.it.session import COOKIE, Logins, place_within
from tests.testroom.https import serving, visitor
from tests.testroom.it.make import OTHER_TOKEN, get, log_in, municipality, origin

PAGES = (
    "/it",
    "/it/network",
    "/it/equipment",
    "/it/room",
    "/it/machines",
    "/it/machines/" + "a" * 32,
    "/it/self-tests/r1",
)


async def test_without_a_login_every_page_leads_to_the_form(tmp_path: Path) -> None:
    async with municipality(tmp_path, 3) as (_, http):
        for page in PAGES:
            async with http.get(f"{page}?days=7", allow_redirects=False) as answer:
                assert answer.status == 303
                assert answer.headers["Location"].startswith("/it/login?next=/it")
                assert await answer.text() in ("", "303: See Other")
        status, form = await get(http, "/it/login")
        assert status == 200
        assert 'type="password"' in form
        assert "HB-1001" not in form


async def test_the_cookie_is_hardened_and_the_way_out_ends_it(tmp_path: Path) -> None:
    async with municipality(tmp_path, 3) as (room, http):
        answer = await log_in(http, next="/it/network")
        assert (answer.status, answer.headers["Location"]) == (303, "/it/network")
        cookie = SimpleCookie(answer.headers["Set-Cookie"])[COOKIE]
        flags = (cookie["secure"], cookie["httponly"], cookie["samesite"], cookie["path"], cookie["domain"])
        assert flags == (True, True, "Strict", "/", "")
        assert cookie["expires"] == cookie["max-age"] == ""  # until the browser is closed
        assert len(cookie.value) >= 43
        value = {COOKIE: cookie.value}
        assert (await get(http, "/it"))[0] == 200
        async with http.post("/it/logout", headers={"Origin": origin(room)}, allow_redirects=False) as left:
            assert left.status == 303
        assert len(room.it.logins) == 0
        async with http.get("/it", cookies=value, allow_redirects=False) as again:  # a copy that somebody kept
            assert again.status == 303


@pytest.mark.parametrize("headers", [
    {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": ""}, {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"}, {"Host": "evil.example"},
], ids=str)  # fmt: skip
async def test_a_form_of_somebody_else_is_not_taken(tmp_path: Path, headers: dict[str, str]) -> None:
    async with municipality(tmp_path) as (room, http):
        answer = await log_in(http, headers=headers)
        assert (answer.status, len(room.it.logins)) == (403, 0)
        await log_in(http)
        async with http.post("/it/logout", headers={"Origin": origin(room)} | headers) as left:
            assert (left.status, len(room.it.logins)) == (403, 1)


async def test_wrong_tokens_are_refused_and_soon_not_even_looked_at(tmp_path: Path) -> None:
    async with municipality(tmp_path) as (_, http):
        seen = [(await log_in(http, token=f"wrong token of octets {i}")).status for i in range(25)]
        assert seen == [403] * 20 + [429] * 5
        assert (await log_in(http)).status == 429


@pytest.mark.parametrize(
    "body", [b"token=x&" * 3000, b"\xff\xfe", b"a=1&" * 30, b"", b"token"], ids=lambda b: str(b[:8])
)
async def test_a_form_that_is_none_is_refused(tmp_path: Path, body: bytes) -> None:
    async with municipality(tmp_path) as (room, http):
        for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json"):
            async with http.post(
                "/it/login", data=body, headers={"Origin": origin(room), "Content-Type": kind}
            ) as answer:
                assert answer.status == 403


async def test_a_login_ends_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with municipality(tmp_path) as (room, http):
        await log_in(http)
        now = session.time.monotonic()
        for idle, status in ((1700.0, 200), (1700.0, 200), (1900.0, 303)):
            now += idle
            monkeypatch.setattr(session.time, "monotonic", lambda now=now: now)
            assert (await get(http, "/it/machines"))[0] == status
        assert len(room.it.logins) == 0


async def test_a_login_does_not_last_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with municipality(tmp_path) as (_, http):
        await log_in(http)
        begun, seen = session.time.monotonic(), []
        for minutes in range(20, 13 * 60, 20):
            monkeypatch.setattr(session.time, "monotonic", lambda at=begun + minutes * 60: at)
            seen.append((await get(http, "/it/machines"))[0])
        assert (seen.index(303) + 1) * 20 in (12 * 60, 12 * 60 + 20)


async def test_a_cookie_that_nobody_gave_opens_nothing(tmp_path: Path) -> None:
    async with municipality(tmp_path) as (room, http), visitor(room) as stranger:
        await log_in(http)
        for value in ("", "a" * 43, OTHER_TOKEN, "å" * 9, "x" * 4000):
            async with stranger.get("/it", headers={"Cookie": f"{COOKIE}={value}"}, allow_redirects=False) as answer:
                assert answer.status in (303, 400)


@pytest.mark.parametrize(("asked", "place"), [
    ("/it/network?days=7", "/it/network?days=7"), ("/readiness", "/readiness"), ("", "/it"),
    ("https://evil.example/it", "/it"), ("//evil.example/it", "/it"), ("/\\evil.example", "/it"), ("/it/..//x", "/it"),
    ("/it\r\nSet-Cookie: a=b", "/it"), ("/itx", "/it"), ("/metrics", "/it"), ("/it/login?next=/it", "/it"),
    ("/it/ö", "/it"),
])  # fmt: skip
def test_after_the_login_one_stays_in_the_room(asked: str, place: str) -> None:
    assert place_within(asked) == place


async def test_pages_too_fast_wait(tmp_path: Path) -> None:
    async with municipality(tmp_path) as (_, http):
        await log_in(http)
        seen = [(await get(http, "/it/self-tests/no"))[0] for _ in range(70)]
        assert seen[0] == 404
        assert 429 in seen


async def test_many_logins_are_bounded() -> None:
    from tests.testroom.fleet.make import TOKENS
    from tests.testroom.https import TOKEN

    logins = Logins(TOKENS)
    for _ in range(session.MOST + 5):
        assert logins.enter(TOKEN)
    assert len(logins) == session.MOST


async def test_a_room_without_organisations_is_open_at_its_computer_by_its_names_only(tmp_path: Path) -> None:
    async with serving(store=f"sqlite:///{tmp_path / 'x.db'}") as (room, http):
        assert (await get(http, "/it"))[0] == 200
        status, page = await get(http, "/it/login", Host="evil.example")  # a name of theirs that leads here
        assert (status, "password" in page) == (403, False)
        assert (await get(http, "/it", Host="evil.example"))[0] == 303
        assert (await get(http, "/it", Host=f"localhost:{room.port}"))[0] == 200


async def test_a_room_without_a_store_has_no_such_pages() -> None:
    async with serving() as (room, _), visitor(room) as http:
        for page in (*PAGES, "/it/login", "/it/it.css"):
            assert (await get(http, page))[0] == 404

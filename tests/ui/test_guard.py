"""Who is let in, spoken to in octets: every row is a way by which somebody else might come."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.ui import guard
from agent.ui.guard import Guard
from agent.ui.server import Page
from tests.ui.serving import SAME, code, get, key, post, say, serving, status, told

COMPANY = {"company": "alone"}
EVIL = "evil.example:PORT"
UPGRADE = (
    "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)  # fmt: skip
ORIGIN = "Origin: http://127.0.0.1:PORT"


def left(folder: Path) -> list[str]:
    """Requests for the page."""
    return [path.name for path in folder.glob("ui-open-*")]


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[Page]:
    async with serving(tmp_path) as page:
        yield page


# (who, request, status); each is sent with a good cookie.
ROWS = [
    ("the page itself", get("/", *SAME), 200),
    ("the address bar", get("/", "Sec-Fetch-Site: none"), 200),
    ("a browser that does not say", get("/v1/state"), 200),
    ("its script", get("/v1/state", ORIGIN, *SAME), 200),
    ("its script acts", post("/v1/start", COMPANY, *SAME), 204),
    ("an old browser's script acts", post("/v1/start", COMPANY), 204),
    # names that were pointed here
    ("rebinding", get("/v1/state", host=EVIL), 421),
    ("rebinding, the same origin to the browser", get("/v1/state", *SAME, host=EVIL), 421),
    ("rebinding acts", post("/v1/start", COMPANY, *SAME, host=EVIL, origin=f"http://{EVIL}"), 421),
    ("rebinding opens", get("/open/" + "x" * 43, host=EVIL), 421),
    ("another name of this computer", get("/v1/state", host="localhost:PORT"), 421),
    ("another address of it", get("/v1/state", host="127.0.0.2:PORT"), 421),
    ("no port", get("/v1/state", host="127.0.0.1"), 421),
    ("another port", get("/v1/state", host="127.0.0.1:1"), 421),
    ("nothing", get("/v1/state", host=""), 421),
    ("the address by IPv6", get("/v1/state", host="[::1]:PORT"), 421),
    ("the address as a number", get("/v1/state", host="2130706433:PORT"), 421),
    ("the address, shortened", get("/v1/state", host="127.1:PORT"), 421),
    ("any address", get("/v1/state", host="0.0.0.0:PORT"), 421),
    ("a trailing dot", get("/v1/state", host="127.0.0.1.:PORT"), 421),
    ("two names", get("/v1/state", host=f"127.0.0.1:PORT, {EVIL}"), 421),
    ("two headers", get("/v1/state", f"Host: {EVIL}"), 400),
    ("a name before", get("/v1/state", host="evil.example@127.0.0.1:PORT"), 421),
    ("a name behind", get("/v1/state", host="127.0.0.1:PORT.evil.example"), 421),
    ("an absolute target", get("http://evil.example/v1/state"), 421),
    ("an absolute target of our own", get("http://127.0.0.1:PORT/v1/state"), 421),
    # other pages
    ("another site's script", get("/v1/state", "Origin: https://evil.example"), 403),
    ("a sandboxed frame's", get("/v1/state", "Origin: null"), 403),
    ("a page by TLS", get("/v1/state", "Origin: https://127.0.0.1:PORT"), 403),
    ("another program's server on this computer", get("/v1/state", "Origin: http://127.0.0.1:1"), 403),
    ("two origins", get("/v1/state", ORIGIN, ORIGIN), 403),
    ("an image of another site", get("/v1/state", "Sec-Fetch-Site: cross-site"), 403),
    ("an image of another port", get("/v1/state", "Sec-Fetch-Site: same-site"), 403),
    ("a link on another site", get("/", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate"), 403),
    ("two sites", get("/", *SAME, "Sec-Fetch-Site: cross-site"), 403),
    ("a form of another site", post("/v1/start", COMPANY, origin="https://evil.example"), 403),
    ("a form of another port", post("/v1/start", COMPANY, "Sec-Fetch-Site: same-site"), 403),
    ("a form without an origin", post("/v1/start", COMPANY).replace(b"Origin", b"X-Origin"), 403),
    ("an action from the address bar", post("/v1/start", COMPANY, "Sec-Fetch-Site: none"), 403),
    ("a WebSocket of another site", get("/v1/preview", *UPGRADE, "Origin: https://evil.example"), 403),
    ("a WebSocket of another port", get("/v1/preview", *UPGRADE, "Origin: http://127.0.0.1:1"), 403),
    ("a WebSocket without an origin", get("/v1/preview", *UPGRADE), 403),
    ("asking first", get("/v1/start", "Origin: https://evil.example", method="OPTIONS"), 403),
    ("what came with it, back again", get("/v1/state", method="TRACE"), 403),
    ("a form of text", post("/v1/start", COMPANY, origin="null").replace(b"application/json", b"text/plain"), 403),
]  # fmt: skip


@pytest.mark.parametrize(("octets", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
async def test_with_the_cookie(page: Page, octets: bytes, expected: int):
    cookie = await key(page)
    answer = await say(page, octets.replace(b"\r\nHost", f"\r\n{cookie}\r\nHost".encode(), 1))
    assert status(answer) == expected
    assert "Access-Control" not in answer
    assert ('"phase"' in answer or "page.js" in answer) == (expected == 200)
    assert told(page).asked == ([("alone", ())] if expected == 204 else [])


@pytest.mark.parametrize(
    "cookie",
    ["", "motesklar_ui=", "motesklar_ui=" + "x" * 43, "other=GOOD", "xmotesklar_ui=GOOD", "motesklar_ui=GOODx"],
)
@pytest.mark.parametrize(
    "octets",
    [
        get("/", *SAME), get("/ui/page.js", *SAME), get("/v1/state", *SAME), get("/v1/events", *SAME),
        get("/v1/report", *SAME), get("/v1/nothing", *SAME), get("/v1/preview", *UPGRADE, ORIGIN),
        post("/v1/start", COMPANY, *SAME), post("/v1/stop", {}, *SAME),
    ],
    ids=lambda octets: octets.split()[1].decode(),
)  # fmt: skip
async def test_without_the_cookie_there_is_nothing(page: Page, octets: bytes, cookie: str):
    good = (await key(page)).partition("=")[2]
    line = f"\r\nCookie: {cookie.replace('GOOD', good)}\r\nHost".encode() if cookie else b"\r\nHost"
    answer = await say(page, octets.replace(b"\r\nHost", line, 1))
    assert status(answer) == 401
    assert "phase" not in answer
    assert told(page).asked == []


async def test_the_cookie_beside_others_of_this_computer(page: Page):
    """Cookies know no ports: those of other programs come too, and may have the same name."""
    good = (await key(page)).removeprefix("Cookie: ")
    stale = "motesklar_ui=" + "x" * 43
    answer = await say(page, get("/v1/state", f'Cookie: _xsrf=2|a; {stale}; {good}; q="a;b"', *SAME))
    assert status(answer) == 200


async def test_the_cookie_is_for_the_page_alone(page: Page):
    answer = await say(page, get("/open/" + page.guard.token(), "Sec-Fetch-Site: none", "Sec-Fetch-Mode: navigate"))
    assert status(answer) == 303
    assert "\r\nLocation: /\r\n" in answer
    (line,) = [line for line in answer.split("\r\n") if line.startswith("Set-Cookie: ")]
    assert {part.strip() for part in line.split(";")[1:]} == {"HttpOnly", "Path=/", "SameSite=Strict"}


@pytest.mark.parametrize(
    "headers",
    [
        ("Sec-Fetch-Site: cross-site",), ("Sec-Fetch-Site: same-site",), ("Sec-Fetch-Site: same-origin",),
        ("Origin: null",), (ORIGIN,), ("Sec-Fetch-Site: none", "Sec-Fetch-Mode: no-cors"),
    ],
)  # fmt: skip
async def test_no_page_can_use_a_token_up(page: Page, headers: tuple[str, ...]):
    token = page.guard.token()
    assert status(await say(page, get(f"/open/{token}", *headers))) == 403
    assert status(await say(page, get(f"/open/{token}"))) == 303


@pytest.mark.parametrize(("method", "expected"), [("HEAD", 401), ("POST", 403), ("PUT", 403), ("DELETE", 403)])
async def test_only_to_get_the_page_uses_a_token_up(page: Page, method: str, expected: int):
    token = page.guard.token()
    assert status(await say(page, get(f"/open/{token}", method=method))) == expected
    assert status(await say(page, get(f"/open/{token}"))) == 303


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("", 401), ("a/b", 401), ("../v1/state", 401), ("%2e%2e/v1/state", 401),
        ("x/../../v1/state", 401), ("x", 401), ("x" * 43, 401), ("%2e%2e%2f" * 5, 401), ("x" * 5000, 401), ("%00", 401),
        ("%ff", 401), ("å", 400), ("x" * 9000, 400),
    ],
)  # fmt: skip
async def test_what_is_no_token(page: Page, token: str, expected: int):
    answer = await say(page, get(f"/open/{token}", "Accept-Language: en"))
    assert status(answer) == expected
    assert "Set-Cookie" not in answer


async def test_a_token_is_good_for_a_minute(monkeypatch: pytest.MonkeyPatch):
    now = 100.0
    guarding = Guard(clock=lambda: now)
    token, late = guarding.token(), guarding.token()
    now += guard.TOKEN_S - 0.1
    assert guarding.enter(token)
    now += 0.2
    assert guarding.enter(late) is None


async def test_a_token_that_a_stranger_has_too_ends_it_for_both(page: Page):
    token = page.guard.token()
    first = await say(page, get(f"/open/{token}"))
    cookie = "Cookie: " + first.partition("Set-Cookie: ")[2].partition(";")[0]
    assert status(await say(page, get("/v1/state", cookie, *SAME))) == 200
    assert status(await say(page, get(f"/open/{token}", cookie))) == 303  # the same browser: the link was clicked twice
    assert status(await say(page, get("/v1/state", cookie, *SAME))) == 200
    answer = await say(page, get(f"/open/{token}", "Accept-Language: en"))
    assert status(answer) == 401
    assert "<h1>" in answer
    assert status(await say(page, get("/v1/state", cookie, *SAME))) == 401


async def test_whoever_was_faster_with_a_token_is_found_out_however_late_the_other_comes():
    now, told = 100.0, list[float]()
    guarding = Guard(clock=lambda: now)
    guarding.betrayed = lambda: told.append(now)
    token = guarding.token()
    thief = [f"{guard.COOKIE}={guarding.enter(token)}"]
    now += guard.TOKEN_S + 10  # a slow browser
    assert guarding.knows(thief)
    assert guarding.enter(token) is None
    assert (guarding.knows(thief), told) == (False, [now])
    # and it is worth nothing from now on, not even to disturb
    person = [f"{guard.COOKIE}={guarding.enter(guarding.token())}"]
    assert guarding.enter(token) is None
    assert (guarding.knows(person), told) == (True, [now])


async def test_a_second_token_that_a_stranger_took_is_found_out_by_the_browser_that_is_in(page: Page):
    cookie = await key(page)
    token = page.guard.token()
    first = await say(page, get(f"/open/{token}"))
    thief = "Cookie: " + first.partition("Set-Cookie: ")[2].partition(";")[0]
    assert status(await say(page, get(f"/open/{token}", cookie))) == 401
    for each in (thief, cookie):
        assert status(await say(page, get("/v1/state", each, *SAME))) == 401


async def test_a_browser_that_is_in_keeps_its_key(page: Page):
    cookie = await key(page)
    tokens = [page.guard.token() for _ in range(2)]
    for token in (*tokens, *tokens):
        answer = await say(page, get(f"/open/{token}", cookie))
        assert status(answer) == 303
        assert "Set-Cookie" not in answer
    assert status(await say(page, get("/v1/state", cookie, *SAME))) == 200
    assert status(await say(page, get(f"/open/{tokens[0]}"))) == 401
    assert status(await say(page, get("/v1/state", cookie, *SAME))) == 401


async def test_of_two_at_once_with_one_token_both_are_out(page: Page):
    token = page.guard.token()
    answers = await asyncio.gather(*(say(page, get(f"/open/{token}")) for _ in range(2)))
    assert sorted(map(status, answers)) == [303, 401]
    assert page.guard._sessions == []


async def test_another_start_of_the_program_opens_the_page(page: Page, tmp_path: Path):
    token = guard.leave_request(tmp_path)
    assert token not in "".join(left(tmp_path))
    (name,) = left(tmp_path)
    os.utime(tmp_path / name, (0, time.time() + 30))  # by the clock of a server that has the folder
    assert status(await say(page, get(f"/open/{token}"))) == 303
    assert left(tmp_path) == []
    assert status(await say(page, get(f"/open/{token}"))) == 401


async def test_a_request_that_was_left_long_ago_opens_nothing(page: Page, tmp_path: Path):
    token = guard.leave_request(tmp_path)
    (name,) = left(tmp_path)
    os.utime(tmp_path / name, (0, time.time() - guard.TOKEN_S - 1))
    assert status(await say(page, get(f"/open/{token}"))) == 401
    guard.leave_request(tmp_path)
    guard.forget_requests(tmp_path)
    assert left(tmp_path) == []


async def test_not_every_key_is_kept_for_ever():
    guarding = Guard()
    values = [guarding.enter(guarding.token()) for _ in range(guard.MOST_SESSIONS + 3)]
    assert len(set(values)) == len(values)
    assert len(guarding._sessions) == guard.MOST_SESSIONS
    assert len(guarding._tokens) <= guard.MOST_TOKENS


async def test_a_refusal_says_why_to_a_script_and_how_to_go_on_to_a_person(page: Page):
    assert code(await say(page, get("/v1/state", *SAME))) == "no_session"
    for lang, words in (("en-GB", 'lang="en"'), ("sv", 'lang="sv"')):
        answer = await say(page, get("/", f"Accept-Language: {lang}", "Sec-Fetch-Site: none"))
        assert status(answer) == 401
        assert words in answer
        assert "<code>motesklar ui</code>" in answer
        assert "<script" not in answer

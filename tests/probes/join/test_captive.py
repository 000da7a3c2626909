"""Networks that put their own page in the way, and meeting services that only look like it."""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from probes.join import captive
from probes.join.captive import suspicious
from probes.join.errand import Found, NeedlessError
from probes.join.head import Head, parse_head
from probes.profile import IdentityProvider, MediaHost, Profile
from probes.session import Draft
from tests.probes.join.names import name_servers
from tests.probes.join.servers import Authority, Talk, closing, nothing, page, refusing, reset, saying, serving
from tests.probes.join.steps import code, errand, session, taken

PORTAL = "portal.example"
OWN = frozenset({PORTAL, "login.example", "media.example"})
SERVICE = Profile(
    portal=f"https://{PORTAL}/login",
    media=(MediaHost("media.example"),),
    identity_providers=(IdentityProvider("a login", "Login.Example"),),
)
SUSPICIOUS = "redirected elsewhere", "a page where none was to be expected", "status 511"
AWAY, PAGE, STATUS_511 = SUSPICIOUS


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (Head(511), STATUS_511),
        (Head(511, f"https://{PORTAL}/"), STATUS_511),
        (Head(302, "http://login.hotel.example/"), AWAY),
        (Head(307, "https://10.0.0.1:8443/guest?from=portal.example"), AWAY),
        (Head(302, "//hotel.example/"), AWAY),
        (Head(301, f"https://{PORTAL}/login"), ""),
        (Head(301, f"https://{PORTAL.upper()}:8443/"), ""),
        (Head(302, "https://login.example/saml"), ""),
        (Head(302, "/login"), ""),
        (Head(302, "login"), ""),
        (Head(302, ""), ""),
        (Head(302, "https://[::1"), ""),
        (Head(304, "http://login.hotel.example/", empty=True), ""),
        (Head(200), PAGE),
        (Head(203), PAGE),
        (Head(200, empty=True), ""),
        (Head(204), ""),
        (Head(403), ""),
        (Head(404), ""),
        (Head(503, "http://login.hotel.example/"), ""),
    ],
)
def test_what_an_answer_means(said: Head, reason: str) -> None:
    assert suspicious(said, f"http://{PORTAL}/", OWN) == reason


@pytest.mark.parametrize(
    ("said", "head"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", Head(204)),
        (b"HTTP/1.0 302 Found\r\nLOCATION:  /a:b \r\nContent-Length: 0\r\n\r\nbody", Head(302, "/a:b", empty=True)),
        (b"HTTP/1.1 200\r\n", Head(200)),
        (b"HTTP/1.1 200 OK\r\nno colon\r\n\xff\xfe: \xff\r\n\r\n", Head(200)),
        (b"HTTP/1.1 2000 OK\r\n\r\n", None),
        (b"HTTP/1.1 abc\r\n\r\n", None),
        (b"SSH-2.0-x\r\n", None),
        (b"", None),
        (b"\0" * 50, None),
    ],
)
def test_heads(said: bytes, head: Head | None) -> None:
    assert parse_head(said) == head


def status(line: str, *headers: str) -> Talk:
    return saying(lambda _path, _cookie: page(line, *headers))


async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Never comes to the end of its head."""
    while True:
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: http://hotel.example/\r\nX: " + b"x" * 50)
        await writer.drain()
        await asyncio.sleep(0.05)


async def endless(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


HOTEL = "Location: http://hotel.example/login"
TALKS: list[tuple[str, Talk, str | None]] = [
    ("204", status("204 No Content"), None),
    ("redirect to itself", status("302 Found", f"Location: https://{PORTAL}/"), None),
    ("redirect to a host of the profile", status("302 Found", "Location: https://media.example/"), None),
    ("redirect elsewhere", status("302 Found", HOTEL), AWAY),
    ("a page", status("200 OK"), PAGE),
    ("511", status("511 Network Authentication Required"), STATUS_511),
    ("an error", status("503 Service Unavailable"), None),
    ("closes", closing, None),
    ("resets", reset, None),
    ("not HTTP", endless, None),
    ("drips", drip, None),
    ("silence", nothing, None),
]


async def by_check_url(talk: Talk | None, **changes: object) -> tuple[Draft, Found]:
    """What the step says when that is what answers at the profile's own URL for it."""
    with ExitStack() as stack:
        port = stack.enter_context(refusing()) if talk is None else 0
        profile = replace(SERVICE, captive_check=f"http://check.example:{port}/generate?x=1")
        found = Found(addresses={"check.example": ("127.0.0.1",)}, **changes)  # type: ignore[arg-type]
        if talk is None:
            return await taken(errand("captive", session(profile), found)), found
        async with serving(talk) as there:
            profile = replace(profile, captive_check=f"http://check.example:{there}/generate?x=1")
            return await taken(errand("captive", session(profile), found)), found


@pytest.mark.parametrize(("name", "talk", "reason"), TALKS, ids=[t[0] for t in TALKS])
async def test_a_url_that_is_made_for_the_question(
    name: str, talk: Talk, reason: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(captive, "HTTP_S", 0.3)
    begun = time.monotonic()
    draft, _ = await by_check_url(talk)
    assert code(draft) == ("captive_portal" if reason else None)
    assert draft.failure is None or draft.failure.detail == reason
    assert "hotel" not in repr(draft)
    assert time.monotonic() - begun < 0.8


async def test_nobody_there() -> None:
    draft, _ = await by_check_url(None)
    assert (code(draft), draft.facts["http"]) == (None, "no answer")


async def test_who_goes_by_a_proxy_that_answers_has_nothing_to_fill_in() -> None:
    draft, _ = await by_check_url(status("302 Found", HOTEL), proxy_answers=True)
    assert (code(draft), draft.facts["without_the_proxy"]) == (None, AWAY)


async def test_the_request() -> None:
    heard: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(page("204 No Content"))

    await by_check_url(talk)
    [request] = heard
    assert request.startswith(b"GET /generate?x=1 HTTP/1.1\r\nHost: check.example:")


@dataclass(frozen=True)
class Behind:
    """What answers HTTPS in the portal's place: names and days of its certificate; None: nobody."""

    names: tuple[str, ...] = (PORTAL,)
    days: tuple[float, float] = (-1, 90)
    trusted: bool = True


PLAIN: list[tuple[str, Behind | None, str | None, str | None]] = [
    ("204 No Content", None, None, None),
    ("302 Found", None, AWAY, "none"),
    ("302 Found", Behind(("hotel.example",)), AWAY, "wrong"),
    ("302 Found", Behind(trusted=False), AWAY, "wrong"),
    ("302 Found", Behind(), None, "good"),  # the portal's own doing
    ("302 Found", Behind(days=(-9, -1)), None, "date"),
    ("302 Found", Behind(days=(1, 9)), None, "date"),
    ("200 OK", None, None, "none"),  # a web server's first page
    ("200 OK", Behind(), None, "good"),
    ("200 OK", Behind(("hotel.example",)), PAGE, "wrong"),
    ("511 Network Authentication Required", Behind(), STATUS_511, None),
]


@pytest.mark.parametrize(("line", "behind", "reason", "proof"), PLAIN)
async def test_the_portals_plain_port(
    line: str,
    behind: Behind | None,
    reason: str | None,
    proof: str | None,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Without such a URL the portal's own port 80 is asked, and its certificate tells what that means."""
    good, other = Authority(), Authority("Somebody")
    good.trusted(monkeypatch, tmp_path)
    context = (good if behind.trusted else other).context(*behind.names, days=behind.days) if behind else None
    secure = serving(nothing, context) if behind else None
    async with serving(status(line, HOTEL)) as there:
        monkeypatch.setattr(captive, "HTTP_PORT", there)
        with refusing() as closed:
            port = await secure.__aenter__() if secure else closed
            profile = replace(SERVICE, portal=f"https://{PORTAL}:{port}/login")
            found = Found(addresses={PORTAL: ("127.0.0.1",)})
            draft = await taken(errand("captive", session(profile), found))
            if secure:
                await secure.__aexit__(None, None, None)
    assert code(draft) == ("captive_portal" if reason else None)
    assert draft.failure is None or draft.failure.detail == reason
    assert draft.facts.get("certificate") == proof


async def test_either_family_may_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(status("302 Found", HOTEL), host="::1") as there:
        monkeypatch.setattr(captive, "HTTP_PORT", there)
        found = Found(addresses={PORTAL: ("127.0.0.1", "127.0.0.2", "::1")})
        by = session(SERVICE, addresses=("127.0.0.1", "::1"))
        assert code(await taken(errand("captive", by, found))) == "captive_portal"


async def test_nothing_to_ask() -> None:
    with pytest.raises(NeedlessError):
        await taken(errand("captive", session(Profile(media=(MediaHost("media.example"),)))))
    draft = await taken(errand("captive", session(SERVICE)))  # its name was not found
    assert (code(draft), "not_tried" in draft.facts) == (None, True)


async def test_an_address_for_every_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks that answer every DNS question with themselves."""
    async with (
        serving(status("302 Found", HOTEL), host="127.0.0.3") as there,
        name_servers(monkeypatch, {"*": "127.0.0.3"}) as servers,
    ):
        monkeypatch.setattr(captive, "HTTP_PORT", there)
        by, found = session(SERVICE, resolvers=servers), Found()
        assert code(await taken(errand("dns", by, found))) is None
        assert code(await taken(errand("captive", by, found))) == "captive_portal"

"""portal: pages, redirects, login services; each from a real HTTPS server."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from probes.join import portal
from probes.join.errand import NeedlessError, Proxy
from probes.profile import IdentityProvider, Profile
from tests.probes.join.servers import (
    GOOD,
    HOST,
    STRANGER,
    Talk,
    answering,
    at,
    errand,
    nothing,
    outcome,
    page,
    proxy,
    refusing,
    saying,
    serving,
    silent,
)

pytestmark = pytest.mark.usefixtures("good_is_trusted")

IDP = "login.example"
OTHER = "elsewhere.example"
HOSTS = dict.fromkeys((HOST, IDP, OTHER), ("127.0.0.1",))


@pytest.fixture(scope="module")
def context() -> ssl.SSLContext:
    return GOOD.context(*HOSTS)


def to(where: str, *headers: str) -> bytes:
    return page("302 Found", f"Location: {where}", *headers, body=b"")


def site(path: str, cookie: str) -> bytes:
    """Pages by path, as portals have them."""
    if path.startswith("/hop/"):
        left = int(path.removeprefix("/hop/"))
        return to(f"/hop/{left - 1}#there") if left else page()
    if path.startswith("/for-ever/"):
        return to(f"/for-ever/{int(path.removeprefix('/for-ever/')) + 1}")
    if path.startswith("/status/"):
        return page(path.removeprefix("/status/"))
    return {
        "/round": lambda: to("/round"),
        "/ping": lambda: to("/pong"),
        "/pong": lambda: to("/ping"),
        "/cookie": lambda: page() if "seen=1" in cookie else to("/cookie", "Set-Cookie: seen=1; Path=/; Secure"),
        "/app": lambda: to("bankid:///?token=1"),
        "/nowhere": lambda: to("https://:/"),
        "/signed": lambda: to("/signed-in?SAMLRequest=a%2Fb%2b%3D&n=%7e" + "x" * 9000),
        "/signed-in?SAMLRequest=a%2Fb%2b%3D&n=%7e" + "x" * 9000: page,
        "/no-date": lambda: page(date=None),
        "/late": lambda: page(date=-600.0),
        "/stored": lambda: page("200 OK", "Age: 600", date=-600.0),
        "/large": lambda: page(body=b"x" * 5_000_000),
    }.get(path, page)()


PAGES = {
    "/login": (("ok", ""), 200, 0),
    "/hop/3": (("ok", ""), 200, 3),
    "/hop/10": (("ok", ""), 200, 10),
    "/hop/11": (("portal_redirect_loop", "11 redirects"), 302, 11),
    "/for-ever/0": (("portal_redirect_loop", "11 redirects"), 302, 11),
    "/round": (("portal_redirect_loop", "1 redirects"), 302, 1),
    "/ping": (("portal_redirect_loop", "2 redirects"), 302, 2),
    "/cookie": (("ok", ""), 200, 1),
    "/app": (("ok", ""), 302, 1),
    "/signed": (("ok", ""), 200, 1),
    "/large": (("ok", ""), 200, 0),
    "/nowhere": (("portal_silent", "where the portal sends the browser: not an address of the web"), 302, 1),
    "/status/401": (("ok", ""), 401, 0),
    "/status/403": (("portal_refused", "status 403"), 403, 0),
    "/status/404": (("portal_refused", "status 404"), 404, 0),
    "/status/500": (("portal_error", "status 500"), 500, 0),
    "/status/503": (("portal_error", "status 503"), 503, 0),
}


@pytest.mark.parametrize("path", PAGES)
async def test_a_page(path: str, context: ssl.SSLContext):
    expected, status, redirects = PAGES[path]
    async with serving(saying(site), context) as port:
        wanted = errand(at(port, path))
        begun = time.monotonic()
        assert await outcome(portal.step, wanted) == expected
    assert (wanted.m.facts["status"], wanted.m.facts["redirects"]) == (status, redirects)
    assert ("portal_seconds" in wanted.m.values) is (expected[0] == "ok")
    assert ("portal_seconds" in wanted.m.unknown) is (expected[0] != "ok")
    assert wanted.m.values.get("portal_seconds", 0) <= time.monotonic() - begun


@pytest.mark.parametrize(
    ("path", "skews"),
    [("/login", {"portal": 0.0}), ("/late", {"portal": 600.0}), ("/stored", {"portal": 0.0}), ("/no-date", {})],
)
async def test_the_servers_clock(path: str, skews: dict[str, float], context: ssl.SSLContext):
    async with serving(saying(site), context) as port:
        wanted = errand(at(port, path))
        await outcome(portal.step, wanted)
    assert wanted.found.skews == pytest.approx(skews, abs=0.6)


async def dribble(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for letter in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200:
        writer.write(bytes([letter]))
        await asyncio.sleep(0.01)


MUTE: dict[str, tuple[Talk, tuple[str, str]]] = {
    "says nothing": (nothing, ("portal_silent", "silence")),
    "one letter at a time": (dribble, ("portal_silent", "silence")),
    "half a page": (answering(page().replace(b": 6", b": 99")), ("portal_silent", "cut off")),
    "closes": (answering(b""), ("portal_silent", "cut off")),
    "is no HTTP": (answering(b"220 mail.example ESMTP\r\n\r\n"), ("portal_silent", "its answer is not HTTP")),
}


@pytest.mark.parametrize("who", MUTE)
async def test_who_says_no_page(who: str, context: ssl.SSLContext):
    talk, expected = MUTE[who]
    async with serving(talk, context) as port:
        assert await outcome(portal.step, errand(at(port), 0.5)) == expected


async def pages_without_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(page(body=b"x" * 70_000).replace(b": 70000", b": 90000000"))
    await reader.read()


async def test_a_page_is_not_read_to_its_end(context: ssl.SSLContext):
    async with serving(pages_without_end, context) as port:
        assert await outcome(portal.step, errand(at(port))) == ("ok", "")


# ---- where the portal sends the browser


@asynccontextmanager
async def sends_to(context: ssl.SSLContext, where: str) -> AsyncIterator[int]:
    """A portal that is nothing but a redirect."""
    async with serving(saying(lambda *_: to(where)), context) as port:
        yield port


async def test_another_host_by_its_own_address(context: ssl.SSLContext):
    async with serving(saying(site), context) as there, sends_to(context, f"https://{OTHER}:{there}/late") as port:
        wanted = errand(at(port), addresses=HOSTS)
        assert await outcome(portal.step, wanted) == ("ok", "")
    assert wanted.m.facts["redirects"] == 1
    assert wanted.found.skews == pytest.approx({"portal": 0.0}, abs=0.6), "a stranger's clock does not count"


async def test_another_host_that_is_not_there(context: ssl.SSLContext):
    with refusing() as there:
        async with sends_to(context, f"https://{OTHER}:{there}/") as port:
            code, detail = await outcome(portal.step, errand(at(port), addresses=HOSTS))
    assert (code, detail) == ("portal_silent", "where the portal sends the browser: refused")


async def test_a_login_service_with_a_strange_certificate(context: ssl.SSLContext):
    """It is that service's fault, not the portal's."""
    async with (
        serving(saying(site), STRANGER.context(IDP)) as there,
        serving(saying(site), context) as good,
        sends_to(context, f"https://{IDP}:{there}/") as port,
    ):
        providers = IdentityProvider("Login", IDP, there), IdentityProvider("Other", OTHER, good)
        wanted = errand(at(port, identity_providers=providers), addresses=HOSTS)
        assert await outcome(portal.step, wanted) == ("identity_provider_missing", "Login")
    assert wanted.m.facts["identity_providers"] == "1 of 2"
    assert wanted.m.unknown["portal_seconds"]


async def test_a_login_service_that_is_silent(context: ssl.SSLContext):
    """A firewall drops it; the portal itself is well."""
    with silent() as there:
        async with sends_to(context, f"https://{IDP}:{there}/") as port:
            wanted = errand(at(port, identity_providers=(IdentityProvider("Login", IDP, there),)), 0.5, addresses=HOSTS)
            assert await outcome(portal.step, wanted) == ("identity_provider_unreachable", "Login")


async def test_a_login_service_with_an_error(context: ssl.SSLContext):
    async with serving(saying(site), context) as there, sends_to(context, f"https://{IDP}:{there}/status/502") as port:
        wanted = errand(at(port, identity_providers=(IdentityProvider("Login", IDP, there),)), addresses=HOSTS)
        assert await outcome(portal.step, wanted) == ("portal_error", "Login: status 502")


async def test_a_login_service_that_cuts_off(context: ssl.SSLContext):
    """It lets the handshake pass, and nothing after it."""
    async with serving(answering(b""), context) as there, sends_to(context, f"https://{IDP}:{there}/") as port:
        wanted = errand(at(port, identity_providers=(IdentityProvider("Login", IDP, there),)), addresses=HOSTS)
        assert await outcome(portal.step, wanted) == ("identity_provider_unreachable", "Login")


async def test_a_login_services_clock_counts(context: ssl.SSLContext):
    async with serving(saying(site), context) as there, sends_to(context, f"https://{IDP}:{there}/late") as port:
        wanted = errand(at(port, identity_providers=(IdentityProvider("Login", IDP, there),)), addresses=HOSTS)
        assert await outcome(portal.step, wanted) == ("ok", "")
    assert wanted.found.skews == pytest.approx({"portal": 0.0, "Login": 600.0}, abs=0.6)


# ---- the login services themselves

PROVIDERS = {
    "all": (3, 0, "ok", "3 of 3"),
    "two": (2, 1, "identity_provider_missing", "2 of 3"),
    "none": (0, 2, "identity_provider_unreachable", "0 of 2"),
}


@pytest.mark.parametrize("mute", [False, True], ids=["refused", "silent"])
@pytest.mark.parametrize("case", PROVIDERS)
async def test_login_services(case: str, mute: bool, context: ssl.SSLContext):
    good, bad, code, fact = PROVIDERS[case]
    async with AsyncExitStack() as stack:
        ports = [await stack.enter_async_context(serving(saying(site), context)) for _ in range(good)]
        ports += [stack.enter_context(silent() if mute else refusing()) for _ in range(bad)]
        providers = tuple(IdentityProvider(f"Login {i}", IDP, port) for i, port in enumerate(ports))
        there = await stack.enter_async_context(serving(saying(site), context))
        wanted = errand(at(there, identity_providers=providers), 0.5, addresses=HOSTS)
        missing = ", ".join(f"Login {i}" for i in range(good, good + bad))
        assert await outcome(portal.step, wanted) == (code, missing)
    assert wanted.m.facts["identity_providers"] == fact
    assert "portal_seconds" in wanted.m.values


async def test_a_login_service_that_is_somebody_else(context: ssl.SSLContext):
    async with serving(saying(site), STRANGER.context(IDP)) as there, serving(saying(site), context) as port:
        wanted = errand(at(port, identity_providers=(IdentityProvider("Login", IDP, there),)), addresses=HOSTS)
        assert await outcome(portal.step, wanted) == ("identity_provider_unreachable", "Login")


async def test_login_services_alone(context: ssl.SSLContext):
    """A profile may name them without a portal."""
    async with serving(saying(site), context) as port:
        profile = Profile(identity_providers=(IdentityProvider("Login", IDP, port),))
        wanted = errand(profile, addresses=HOSTS)
        assert await outcome(portal.step, wanted) == ("ok", "")
    assert wanted.m.facts == {"identity_providers": "1 of 1"}


async def test_with_neither_there_is_nothing_to_ask():
    with pytest.raises(NeedlessError):
        await portal.step(errand(Profile()))


# ---- through a proxy


@pytest.mark.parametrize(("password", "code"), [("right", "ok"), ("wrong", "proxy_refused")])
async def test_through_a_proxy(password: str, code: str, context: ssl.SSLContext):
    async with serving(saying(site), context) as port, proxy(login="bWU6cmlnaHQ=") as (by, targets):
        providers = (IdentityProvider("Login", IDP, port),)
        wanted = errand(at(port, identity_providers=providers), proxy=Proxy("127.0.0.1", by, "me", password))
        got = await outcome(portal.step, wanted)
    assert got == (code, "" if code == "ok" else "status 407")
    assert set(targets) == {f"{HOST}:{port}", f"{IDP}:{port}"}
    assert wanted.m.facts["identity_providers"] == ("1 of 1" if code == "ok" else "0 of 1")

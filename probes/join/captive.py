"""captive: does the network put its own login page in the way?

One plain HTTP request, which such a network answers in the other end's name: with status 511 (RFC 6585), with a
redirect to itself, or with its page. The redirect is not followed, and where it leads is not kept.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urljoin, urlsplit

from probes import trust
from probes.join.dial import portal_of, secure
from probes.join.head import Head, ask
from probes.join.hosts import host_of, hosts
from probes.join.reach import DialError, family, reach

if TYPE_CHECKING:
    from collections.abc import Sequence

    from probes.join.errand import Errand
    from reports.record import Link

HTTP_S, TLS_S = 1.2, 1.2
HTTP_PORT = 80
REDIRECTS = frozenset({300, 301, 302, 303, 307, 308})
NETWORK_AUTHENTICATION_REQUIRED = 511  # RFC 6585, section 6


async def step(errand: Errand) -> None:
    """Fails with captive_portal. Fact `http`: what came."""
    url, check = _question(errand)
    addresses = _one_of_each(errand.found.addresses.get(url.hostname or "", ()))
    if not addresses:
        errand.m.facts["not_tried"] = "no address to ask"
        return
    asked = (_ask(errand.link, a, url, min(HTTP_S, errand.left - 0.1)) for a in addresses)
    heads = [head for head in await asyncio.gather(*asked) if head is not None]
    errand.m.facts["http"] = tuple(dict.fromkeys(f"status {head.status}" for head in heads)) or "no answer"
    for head in heads:
        reason = suspicious(head, url.geturl(), _own(errand))
        if reason and not await _cleared(errand, reason, check=check):
            _say(errand, reason)
            return


def _question(errand: Errand) -> tuple[SplitResult, bool]:
    """The URL to ask, and whether it is one that is made for this."""
    profile = errand.session.profile
    if profile.captive_check is not None:
        return urlsplit(profile.captive_check), True
    host, _ = portal_of(errand)
    return urlsplit(f"http://[{host}]/" if ":" in host else f"http://{host}/"), False


def _one_of_each(addresses: Sequence[str]) -> list[str]:
    """The first address of each family."""
    return list({family(a): a for a in reversed(addresses)}.values())


def _own(errand: Errand) -> frozenset[str]:
    return frozenset(named.host.lower() for named in hosts(errand.session))


def _say(errand: Errand, reason: str) -> None:
    """Who goes by a proxy that answers has nothing to fill in."""
    if errand.found.proxy_answers:
        errand.m.facts["without_the_proxy"] = reason
    else:
        raise errand.fail("captive_portal", reason)


# ---- what an answer means -----------------------------------------------------------------------------------------


def suspicious(head: Head, url: str, own: frozenset[str]) -> str:
    """Why it may be a login page of the network's; "" when it is not."""
    if head.status == NETWORK_AUTHENTICATION_REQUIRED:
        return "status 511"
    if head.status in REDIRECTS and head.location and _foreign(head.location, url, own):
        return "redirected elsewhere"
    if head.status // 100 == 2 and head.status != 204 and not head.empty:
        return "a page where none was to be expected"
    return ""


def _foreign(location: str, url: str, own: frozenset[str]) -> bool:
    """Does it lead to a host that is none of ours? What cannot be read leads nowhere."""
    with contextlib.suppress(ValueError):
        host = host_of(urljoin(url, location))
        return bool(host) and host not in own
    return False


async def _cleared(errand: Errand, reason: str, *, check: bool) -> bool:
    """Is it the portal's own doing? The portal may redirect to another name, or have a page: then its certificate
    tells. A URL that is made for the question needs no second look, nor does status 511.
    """
    if check or reason == "status 511":
        return False
    proof = await _certificate(errand)
    errand.m.facts["certificate"] = proof
    return proof in ("good", "date") or (proof == "none" and reason != "redirected elsewhere")


async def _certificate(errand: Errand) -> str:
    """Of whoever answers in the portal's place: "good", "date" (good but for the time), "wrong" or "none"."""
    host, port = portal_of(errand)
    until = time.monotonic() + min(TLS_S, errand.left - 0.05)
    try:
        sock = await reach(errand.link, errand.found.addresses.get(host, ()), port, until)
        (await secure(sock, trust.context(), host, until)).close()
    except ssl.SSLCertVerificationError as error:
        return "date" if error.verify_code in trust.NOT_NOW else "wrong"
    except (DialError, OSError):
        return "none"
    return "good"


# ---- one request --------------------------------------------------------------------------------------------------


async def _ask(link: Link, address: str, url: SplitResult, seconds: float) -> Head | None:
    """The head of the answer; None when none comes in time, or something that is not HTTP."""
    until = time.monotonic() + seconds
    try:
        sock = await reach(link, [address], url.port or HTTP_PORT, until)
        with sock:
            async with asyncio.timeout(until - time.monotonic()):
                return await ask(sock, _request(url))
    except (DialError, OSError):
        return None


def _request(url: SplitResult) -> tuple[str, ...]:
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    host = url.netloc.rpartition("@")[2]
    return f"GET {target} HTTP/1.1", f"Host: {host}", "Accept: */*", "Connection: close"

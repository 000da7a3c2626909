"""tls: certificates of every kind from a real authority, and servers that cannot or will not."""

from __future__ import annotations

import time

import pytest

from probes.join import tls
from probes.join.certificates import Certificate, fault
from probes.join.errand import NeedlessError, Proxy
from probes.profile import Profile
from tests.probes.join.servers import (
    GOOD,
    HOST,
    STRANGER,
    Talk,
    answering,
    at,
    closing,
    errand,
    nothing,
    outcome,
    page,
    proxy,
    refusing,
    reset,
    saying,
    serving,
)

pytestmark = pytest.mark.usefixtures("good_is_trusted")

DAY = 86_400.0


def web(date: float | None = 0.0) -> Talk:
    return saying(lambda _path, _cookie: page(date=date))


@pytest.mark.parametrize("issuers", [(), ("a good",), ("another", "A GOOD ISSUER")])
async def test_a_good_certificate(issuers: tuple[str, ...]):
    async with serving(web(), GOOD.context(days=(-1, 30.5))) as port:
        wanted = errand(at(port, issuers=issuers))
        assert await outcome(tls.step, wanted) == ("ok", "")
    facts = wanted.m.facts
    assert (facts["issuer"], facts["tls_version"], facts["days_left"]) == ("A Good Issuer", "TLSv1.3", 30)
    assert facts["chain_length"] == 1
    assert wanted.m.values["certificate_left_seconds"] == pytest.approx(30.5 * DAY, abs=5)
    assert 0 < wanted.m.values["tls_handshake_seconds"] < 0.5


BEHIND, AHEAD = "this computer's clock is 1440 minutes behind", "this computer's clock is 10 days ahead"
NO_CLOCK = "not yet, and no clock to compare with"
# what the server has, its clock less the true time → code, detail
REFUSED = {
    "expired": (GOOD, (HOST,), (-30, -1), 0.0, ("tls_expired", "")),
    "expired, no Date": (GOOD, (HOST,), (-30, -1), None, ("tls_expired", "")),
    "our clock is ahead": (GOOD, (HOST,), (-30, -1), -10 * DAY, ("tls_not_valid_now", AHEAD)),
    "our clock is behind": (GOOD, (HOST,), (0.5, 30), DAY, ("tls_not_valid_now", BEHIND)),
    "not yet valid": (GOOD, (HOST,), (1, 30), 0.0, ("tls_expired", "not yet valid")),
    "not yet valid, no Date": (GOOD, (HOST,), (1, 30), None, ("tls_not_valid_now", NO_CLOCK)),
    "their clock is wrong too": (GOOD, (HOST,), (-30, -10), -DAY, ("tls_expired", "")),
    "wrong name": (GOOD, ("other.example",), (-1, 90), 0.0, ("tls_wrong_name", "")),
    "wrong name and expired": (GOOD, ("other.example",), (-9, -1), 0.0, ("tls_wrong_name", "")),
    "unknown issuer": (STRANGER, (HOST,), (-1, 90), 0.0, ("tls_untrusted", "issuer Fortress Appliances")),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
async def test_a_refused_certificate(case: str):
    authority, names, days, date, expected = REFUSED[case]
    async with serving(web(date), authority.context(*names, days=days)) as port:
        wanted = errand(at(port))
        assert await outcome(tls.step, wanted) == expected
    known = date is not None
    assert wanted.found.skews == ({"portal": pytest.approx(-date, abs=1.1)} if known else {})
    clock_wrong = expected[0] == "tls_not_valid_now"
    assert ("certificate_left_seconds" in wanted.m.values) is not clock_wrong
    assert ("certificate_left_seconds" in wanted.m.unknown) is clock_wrong


async def test_a_certificate_of_an_issuer_that_should_not_be():
    async with serving(web(), GOOD.context()) as port:
        wanted = errand(at(port, issuers=("DigiCert", "Sectigo")))
        assert await outcome(tls.step, wanted) == ("tls_intercepted", "issuer A Good Issuer")
    assert "tls_handshake_seconds" in wanted.m.values


@pytest.mark.parametrize(
    ("talk", "expected"),
    [
        (reset, "cut off"),
        (closing, "cut off"),
        (answering(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "no TLS"),
        (answering(b"\x15\x03\x03\0\2\2\x28"), "alert: handshake failure"),
        (answering(b"\x15\x03\x03\0\2\2\x46"), "alert: protocol version"),
        (answering(b"\x15\x03\x03\0\2\2\x70"), "tlsv1 unrecognized name"),
        (nothing, "silence"),
    ],
    ids=["reset", "closed", "garbage", "alert 40", "alert 70", "alert 112", "silence"],
)
async def test_what_is_no_tls(talk: Talk, expected: str):
    async with serving(talk) as port:
        assert await outcome(tls.step, errand(at(port), 0.4)) == ("tls_failed", expected)


async def test_nobody_there_any_more():
    with refusing() as port:
        assert await outcome(tls.step, errand(at(port))) == ("tls_failed", "TCP: refused")


async def test_silence_after_a_refused_certificate():
    """The answer stands, although the server's clock cannot be had."""
    async with serving(nothing, STRANGER.context()) as port:
        expected = "tls_untrusted", "issuer Fortress Appliances"
        assert await outcome(tls.step, errand(at(port), 0.5)) == expected


async def test_through_a_proxy():
    async with serving(web(), GOOD.context()) as port, proxy() as (by, targets):
        assert await outcome(tls.step, errand(at(port), proxy=Proxy("127.0.0.1", by))) == ("ok", "")
    assert targets == [f"{HOST}:{port}"]


async def test_a_proxy_that_refuses():
    async with proxy("403 Forbidden") as (by, _):
        wanted = errand(at(443), proxy=Proxy("127.0.0.1", by))
        assert await outcome(tls.step, wanted) == ("proxy_refused", "status 403")


async def test_an_address_instead_of_a_name():
    async with serving(web(), GOOD.context("127.0.0.1")) as port:
        assert await outcome(tls.step, errand(at(port, host="127.0.0.1"))) == ("ok", "")


async def test_without_a_portal_there_is_nothing_to_ask():
    with pytest.raises(NeedlessError):
        await tls.step(errand(Profile()))


# ---- the judgement alone: what other systems' trust says (their numbers are not OpenSSL's)

NOW = time.time()
SEEN = Certificate(NOW - DAY, NOW + DAY, "An Issuer", ("An Issuer",), ("portal.example", "*.a.example", "192.0.2.7"))
OVER = Certificate(NOW - 9 * DAY, NOW - DAY, "An Issuer", (), SEEN.names)
CERT_E_EXPIRED, CERT_E_UNTRUSTEDROOT = -2146762495, -2146762487

JUDGED = [
    (CERT_E_EXPIRED, OVER, HOST, None, "tls_expired"),
    (CERT_E_EXPIRED, OVER, HOST, NOW - 5 * DAY, "tls_not_valid_now"),
    (None, SEEN, "other.example", NOW, "tls_wrong_name"),
    (None, SEEN, "b.a.example", NOW, "tls_untrusted"),
    (None, SEEN, "c.b.a.example", NOW, "tls_wrong_name"),
    (None, SEEN, "a.example", NOW, "tls_wrong_name"),
    (None, SEEN, "192.0.2.7", NOW, "tls_untrusted"),
    (CERT_E_UNTRUSTEDROOT, SEEN, "PORTAL.example", NOW, "tls_untrusted"),
    (20, OVER, HOST, NOW, "tls_untrusted"),
    (10, SEEN, HOST, NOW, "tls_expired"),
    (10, None, HOST, None, "tls_expired"),
    (9, None, HOST, None, "tls_not_valid_now"),
    (62, None, HOST, None, "tls_wrong_name"),
    (None, None, HOST, None, "tls_untrusted"),
]


@pytest.mark.parametrize(("code", "seen", "host", "server", "expected"), JUDGED)
def test_the_judgement(code: int | None, seen: Certificate | None, host: str, server: float | None, expected: str):
    assert fault(code, seen, host, NOW, server)[0] == expected

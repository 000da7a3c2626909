"""Every name of the meeting asked of every name server of the link, which are real and of every temper."""

from __future__ import annotations

import socket
import time
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from probes import dns as asking
from probes.join import dns, lookup
from probes.join.errand import Found, NeedlessError, Proxy
from probes.join.lookup import Reply
from probes.profile import IdentityProvider, MediaHost, Profile
from probes.session import ProbeFailure
from tests.probes import rooms
from tests.probes.join.names import Zone, name_servers
from tests.probes.join.steps import ELSEWHERE, code, errand, session, taken

PORTAL, MEDIA, LOGIN = "portal.example", "media.example", "login.example"
SERVICE = Profile(
    portal=f"https://{PORTAL}/login",
    media=(MediaHost(MEDIA),),
    identity_providers=(IdentityProvider("a login", LOGIN),),
)
NEAR, OTHER, OUTSIDE = "127.0.0.9", "127.0.0.8", "198.51.100.7"
GOOD: Zone = {"*": NEAR}
TRY = 0.15


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "TRY_S", TRY)


@dataclass(frozen=True)
class Case:
    """`missing`: hosts that have no address in the end."""

    name: str
    zones: tuple[Zone, ...]
    code: str | None
    missing: set[str] = field(default_factory=set)
    detail: str = ""


CASES = [
    Case("all is well", (GOOD,), None),
    Case("two that agree", (GOOD, GOOD), None),
    Case("an alias", ({"*": f"ALIAS elsewhere.example {NEAR}"},), None),
    Case("the first question is lost", ({"*": f"LOST {NEAR}"},), None),
    Case("both lose the first question", ({"*": f"LOST {NEAR}"}, {"*": f"LOST {NEAR}"}), None),
    Case("other public addresses are no contradiction", ({"*": NEAR}, {"*": OTHER}), None),
    Case("also addresses that the link does not reach", ({"*": f"{NEAR} 2001:db8::1"},), None),
    Case("the portal is unknown", (GOOD | {PORTAL: "NXDOMAIN"},), "dns_nxdomain", {PORTAL}, "portal"),
    Case("it has no address", (GOOD | {PORTAL: ""},), "dns_nxdomain", {PORTAL}, "portal: the name has no address"),
    Case("the resolver fails", (GOOD | {PORTAL: "SERVFAIL"},), "dns_servfail", {PORTAL}, "portal: SERVFAIL"),
    Case("the resolver refuses", ({"*": "REFUSED"},), "dns_servfail", {PORTAL, MEDIA, LOGIN}, "portal: REFUSED"),
    Case("silence", ({"*": "SILENT"},), "dns_no_answer", {PORTAL, MEDIA, LOGIN}, "portal"),
    Case("silence twice", ({"*": "SILENT"},) * 2, "dns_no_answer", {PORTAL, MEDIA, LOGIN}, "portal"),
    Case("only the portal's question is lost", (GOOD | {PORTAL: "SILENT"},), "dns_no_answer", {PORTAL}, "portal"),
    Case("unknown, and silence", ({PORTAL: "NXDOMAIN"}, {"*": "SILENT"}), "dns_nxdomain", {PORTAL, MEDIA, LOGIN}),
    Case("the media host is unknown", (GOOD | {MEDIA: "NXDOMAIN"},), "dns_nxdomain", {MEDIA}, "media 1"),
    Case("a login service is unknown", (GOOD | {LOGIN: "NXDOMAIN"},), None, {LOGIN}),
    Case("the first of two is dead", ({"*": "SILENT"}, GOOD), "dns_resolver_silent", set(), "1 of 2"),
    Case("the second of two is dead", (GOOD, {"*": "SILENT"}), "dns_resolver_silent", set(), "1 of 2"),
    Case("the media host weighs more", (GOOD | {MEDIA: "NXDOMAIN"}, {"*": "SILENT"}), "dns_nxdomain", {MEDIA}),
    Case("one does not know the portal", (GOOD, GOOD | {PORTAL: "NXDOMAIN"}), "dns_disagreement", set(), "portal"),
    Case("one leads inwards", (GOOD, GOOD | {PORTAL: OUTSIDE}), "dns_disagreement", set(), "portal"),
    Case("one fails and the other knows", (GOOD, {"*": "SERVFAIL"}), None),
    Case("nowhere to go", (GOOD | {PORTAL: "2001:db8::1"},), "no_route", {PORTAL}),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
async def test_what_name_servers_say(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    async with name_servers(monkeypatch, *case.zones) as servers:
        wanted = errand("dns", session(SERVICE, resolvers=servers), seconds=1)
        draft = await taken(wanted)
    assert code(draft) == case.code
    assert {host for host, found in wanted.found.addresses.items() if not found} == case.missing
    assert set(wanted.found.addresses) == {PORTAL, MEDIA, LOGIN}
    assert draft.facts["resolvers"] == len(case.zones)
    if case.detail and draft.failure:
        assert draft.failure.detail == case.detail
    if PORTAL not in case.missing:
        assert wanted.found.addresses[PORTAL] == (NEAR,)
    assert ("join_lookup_seconds" in draft.values) == (len(case.missing) < 3)


async def test_a_failure_is_for_the_meeting_and_the_rest_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """The room's name may be missing, and the service's when a proxy asks for us."""
    async with name_servers(monkeypatch, {"room.example": NEAR}) as servers:
        through = errand("dns", session(SERVICE, ELSEWHERE, servers), Found(proxy=Proxy("p", 1)))
        assert code(await taken(through)) is None
        assert through.m.facts["not_found"] == ("portal", "media 1", "identity provider 1")
        assert [host for host, found in through.found.addresses.items() if found] == ["room.example"]
        straight = Found(proxy=Proxy("p", 1), without_proxy=frozenset({PORTAL}))
        assert code(await taken(errand("dns", session(SERVICE, ELSEWHERE, servers), straight))) == "dns_nxdomain"
        assert code(await taken(errand("dns", session(None, "https://other.example", servers)))) is None


async def test_silence_is_no_fault_where_a_proxy_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    async with name_servers(monkeypatch, {"*": "SILENT"}) as servers:
        draft = await taken(errand("dns", session(SERVICE, resolvers=servers), Found(proxy=Proxy("p", 1))))
    assert (code(draft), draft.facts["answered"]) == (None, 0)


@pytest.mark.parametrize(
    ("missing", "portal", "stops"),
    [(PORTAL, True, True), (MEDIA, True, False), (MEDIA, False, True), (LOGIN, True, False)],
)
async def test_what_needs_it_is_tried_all_the_same(
    missing: str, portal: bool, stops: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The portal can be reached although the media host is unknown."""
    profile = SERVICE if portal else replace(SERVICE, portal=None)
    async with name_servers(monkeypatch, GOOD | {missing: "NXDOMAIN"}) as servers:
        wanted = errand("dns", session(profile, resolvers=servers))
        with pytest.raises(ProbeFailure) if stops else nullcontext():
            await dns.step(wanted)
    assert (wanted.m.failure is not None) == (missing == MEDIA and portal)


async def test_addresses_are_their_own_and_nothing_to_ask_is_needless(monkeypatch: pytest.MonkeyPatch) -> None:
    async with name_servers(monkeypatch, GOOD) as servers:
        literal = errand("dns", session(Profile(portal=f"https://{NEAR}:444/x"), resolvers=servers))
        draft = await taken(literal)
        assert literal.found.addresses == {NEAR: (NEAR,)}
        assert (draft.facts["names"], draft.facts["ipv4"], draft.facts["ipv6"]) == (0, True, False)
        assert servers["127.0.0.2"].asked == []
        with pytest.raises(NeedlessError):
            await taken(errand("dns", session(resolvers=servers)))


async def test_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """The slowest name by whoever answered it first; a name server that is slower does not count."""
    async with name_servers(monkeypatch, GOOD, GOOD, delays=(0.1, 0.02)) as servers:
        draft = await taken(errand("dns", session(SERVICE, resolvers=servers)))
    assert 0.02 <= draft.values["join_lookup_seconds"] < 0.09
    async with name_servers(monkeypatch, GOOD | {LOGIN: f"LOST {NEAR}"}) as servers:
        draft = await taken(errand("dns", session(SERVICE, resolvers=servers)))
    assert TRY <= draft.values["join_lookup_seconds"] < 2 * TRY


async def test_two_tries_fit_into_the_time_that_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    begun = time.monotonic()
    async with name_servers(monkeypatch, {"*": f"LOST {NEAR}"}) as servers:
        draft = await taken(errand("dns", session(SERVICE, resolvers=servers), seconds=0.5))
    assert code(draft) is None
    assert time.monotonic() - begun < 0.5
    assert len(servers["127.0.0.2"].asked) == 2 * 2 * 3


async def test_a_link_without_name_servers_asks_the_system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(lookup, "HOSTS_FILE", tmp_path / "none")
    found = errand("dns", session(Profile(portal="https://localhost/")))
    draft = await taken(found)
    assert "127.0.0.1" in found.found.addresses["localhost"]
    assert "system" in str(draft.facts["asked"])
    unknown = await taken(errand("dns", session(Profile(portal="https://a..example/"))))
    assert code(unknown) == "dns_nxdomain"

    def silent(*_: object, **__: object) -> None:
        time.sleep(1)

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    assert code(await taken(errand("dns", session(SERVICE), seconds=0.4))) == "dns_no_answer"


async def test_the_hosts_file_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As for the browser; what it names is not asked for."""
    content = (
        f"# {PORTAL}\n127.0.0.4 x {PORTAL.upper()} # y\nnonsense {PORTAL}\n\n127.0.0.5 {PORTAL}\n127.0.0.6 xx{LOGIN}\n"
    )
    (tmp_path / "hosts").write_text(content)
    monkeypatch.setattr(lookup, "HOSTS_FILE", tmp_path / "hosts")
    async with name_servers(monkeypatch, GOOD | {PORTAL: "NXDOMAIN"}) as servers:
        wanted = errand("dns", session(SERVICE, resolvers=servers))
        draft = await taken(wanted)
        assert await lookup.first_addresses(wanted.link, PORTAL, 0.2) == ("127.0.0.4", "127.0.0.5")
    assert (code(draft), draft.facts["hosts_file"]) == (None, ("portal",))
    assert wanted.found.addresses == {PORTAL: ("127.0.0.4", "127.0.0.5"), MEDIA: (NEAR,), LOGIN: (NEAR,)}
    assert {name for name, _ in servers["127.0.0.2"].asked} == {MEDIA, LOGIN}


A4, A6 = asking.Answer(0.1, "NOERROR", ("192.0.2.1",)), asking.Answer(0.2, "NOERROR", ("2001:db8::1",))
EMPTY, FAILED, NONE = asking.Answer(0.1, "NOERROR"), asking.Answer(0.1, "SERVFAIL"), asking.Answer()
UNKNOWN = asking.Answer(0.1, "NXDOMAIN")


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ((A4, A6), "found"),
        ((A4, NONE), "found"),
        ((FAILED, A6), "found"),
        ((EMPTY, EMPTY), "empty"),
        ((EMPTY, NONE), "silent"),
        ((EMPTY, FAILED), "failed"),
        ((UNKNOWN, NONE), "nxdomain"),
        ((NONE, NONE), "silent"),
    ],
)
def test_both_kinds_of_address_together(answers: tuple[asking.Answer, ...], outcome: str) -> None:
    assert lookup.read(answers).outcome == outcome


def test_the_newer_kind_first() -> None:
    assert lookup.read((A4, A6)) == Reply("found", ("2001:db8::1", "192.0.2.1"), 0.2, "NOERROR")


@pytest.mark.parametrize(
    ("one", "other", "contradict"),
    [
        ("192.168.1.1", "10.0.0.1", False),
        ("203.0.113.1", "198.51.100.1", False),
        ("203.0.113.1", "10.0.0.1", True),
        ("203.0.113.1", "127.0.0.1", True),
        ("2001:db8::1", "fd00::1", True),
        ("2001:db8::1 10.0.0.1", "203.0.113.1", False),
        ("203.0.113.1", "", False),
    ],
)
def test_contradictions(one: str, other: str, contradict: bool) -> None:
    replies = [Reply("found" if a else "empty", tuple(a.split())) for a in (one, other)]
    assert dns.disagree(replies) is contradict


@pytest.mark.parametrize("host", ["a" * 64 + ".example", "a..example", ".".join(["a" * 60] * 5)])
async def test_a_name_that_is_none_is_asked_of_nobody(host: str) -> None:
    reply = await lookup.ask(rooms.link(), "127.0.0.2", host, 0.2)
    assert (reply.outcome, reply.rcode) == ("nxdomain", "not a name")

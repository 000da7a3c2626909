"""turn: the names of relays, both families of address, and what is made of the servers' words."""

from __future__ import annotations

from pathlib import Path

import pytest

from probes.ice_servers import Transport, parse
from probes.join.errand import Found
from probes.join.turn import _wrong
from probes.join.turn_ways import BEST, DIALLED, best
from probes.profile import MediaHost, Profile
from probes.turn_client import BY_CODE, Allocation
from probes.turn_wire import Outcome
from reports.vocabulary import FAILURES
from tests.probes.join.names import name_servers
from tests.probes.join.steps import ELSEWHERE, code, errand, session, taken
from tests.turn_server import PROGRAM, Turn, turn_server

NAME = "relay.elsewhere.test"


@pytest.mark.skipif(PROGRAM is None, reason="coturn is not installed")
async def test_a_relays_name_is_asked_of_the_links_resolvers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with turn_server(tmp_path, Turn(address="127.0.0.6")) as relay:
        async with name_servers(monkeypatch, {NAME: "127.0.0.6"}) as resolvers:
            wanted = errand(
                "turn", session(room=ELSEWHERE, resolvers=resolvers), Found(ice_servers=parse(relay.ice_servers(NAME)))
            )
            assert code(await taken(wanted)) is None
            asked = next(iter(resolvers.values())).asked
    assert wanted.m.facts == {"relay_udp": "ok", "relay_tcp": "ok"}
    assert sorted(asked) == [(NAME, "A"), (NAME, "AAAA")]  # once, for both transports


async def test_the_services_names_are_not_asked_for_again(monkeypatch: pytest.MonkeyPatch):
    async with name_servers(monkeypatch, {NAME: "127.0.0.6"}) as resolvers:
        profile = Profile(media=(MediaHost(NAME, 3478, None, None),))
        wanted = errand("turn", session(profile, ELSEWHERE, resolvers))
        assert code(await taken(wanted)) is None
        assert [server.asked for server in resolvers.values()] == [[]]


async def test_a_relay_whose_name_nobody_knows(monkeypatch: pytest.MonkeyPatch):
    async with name_servers(monkeypatch, {}) as resolvers:
        servers = parse([{"urls": f"turn:{NAME}", "username": "anna"}])
        wanted = errand("turn", session(room=ELSEWHERE, resolvers=resolvers), Found(ice_servers=servers))
        assert code(await taken(wanted)) == "turn_unreachable"
    assert wanted.m.facts == {"relay_udp": "no_name"}
    assert "relay" not in str(wanted.m.failure)


@pytest.mark.skipif(PROGRAM is None, reason="coturn is not installed")
@pytest.mark.parametrize("step", ["turn", "stun"])
async def test_by_ipv6_as_well(tmp_path: Path, step: str):
    with turn_server(tmp_path, Turn(address="::1", more_addresses=("127.0.0.6",))) as relay:
        found = Found(ice_servers=parse(relay.ice_servers()))
        wanted = errand(step, session(room=ELSEWHERE, addresses=("127.0.0.1", "::1")), found)
        assert code(await taken(wanted)) is None
    if step == "turn":
        assert wanted.m.facts == {"relay_udp": "ok", "relay_tcp": "ok"}
    else:
        assert (wanted.m.facts["answered"], wanted.m.facts["nat"]) == (1, "no")


def test_each_outcome_has_its_place():
    known = set(Outcome.__args__)  # type: ignore[attr-defined]
    assert sorted(BEST) == sorted(known)
    assert {*BY_CODE.values(), *(outcome for outcome, _ in DIALLED.values())} < known


def test_of_several_servers_the_best_counts():
    assert best([Allocation("blocked"), Allocation("ok", 0.1), Allocation("unauthorized", 0.1, 401)]).outcome == "ok"


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ({"udp": "forbidden", "tcp": "blocked"}, "turn_forbidden"),
        ({"udp": "error", "tcp": "error"}, "turn_failed"),
        ({"udp": "quota", "tcp": "quota"}, "turn_quota"),
        ({"udp": "quota", "tcp": "ok"}, ""),  # the place that is missing may be the one that this test has by TCP
        ({"udp": "unauthorized", "tcp": "ok"}, "turn_unauthorized"),
        ({"udp": "alternate"}, ""),
        ({"tls": "no_name"}, "turn_unreachable"),
        ({"tcp": "ok"}, ""),  # the room has none by UDP
        ({}, ""),
    ],
)
def test_what_is_made_of_the_servers_words(outcomes: dict[Transport, Outcome], code: str):
    assert _wrong({transport: Allocation(o) for transport, o in outcomes.items()}) == code
    assert code in {"", *FAILURES}

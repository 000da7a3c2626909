"""Is there a way out? Asked of this computer's own kernel."""

from __future__ import annotations

import pytest

from probes.join.address import ways_out
from probes.join.errand import NeedlessError
from probes.profile import MediaHost, Profile
from tests.probes import rooms
from tests.probes.join.names import name_servers
from tests.probes.join.steps import ELSEWHERE, HERE, code, errand, session, taken

NEAR, FAR = "127.0.0.9", "192.0.2.9"
ROUTER = {"gateway": "127.0.0.254"}


@pytest.mark.parametrize(
    ("changes", "versions"),
    [
        (ROUTER, {4}),
        ({"route_metric": 0}, {4}),  # a tunnel has no router
        ({"is_default": True}, {4}),  # and some have their route in a table of their own
        ({}, set()),
        ({"addresses": ("169.254.3.4",), **ROUTER}, set()),
        ({"addresses": ("fe80::1",), "gateway_v6": "fe80::2"}, set()),
        ({"gateway_v6": "::2"}, set()),  # a router of the other kind
        ({"gateway_v6": "::2", "route_metric": 0}, set()),
        ({"addresses": ("::1",), "gateway_v6": "::2"}, set()),  # the kernel knows no such way
        ({"addresses": ("198.51.100.77",), **ROUTER}, set()),  # an address that is gone
    ],
)
def test_the_ways_out(changes: dict[str, object], versions: set[int]) -> None:
    assert ways_out(rooms.link(**changes)) == versions


# what of the link, portal, room -> code, and whether it is by the network's own neighbours that one goes on
CASES: list[tuple[dict[str, object], str, str, str | None, bool | None]] = [
    (ROUTER, f"https://{FAR}/", HERE, None, None),
    ({}, f"https://{NEAR}/", HERE, None, True),
    ({}, f"https://{FAR}/", HERE, "no_route", False),
    ({}, f"https://{FAR}/", f"https://{NEAR}", "no_route", False),  # the room on this computer is no neighbour
    ({}, "https://near.example/", HERE, None, True),
    ({}, "https://far.example/", HERE, "no_route", False),
    ({}, "https://unknown.example/", HERE, "no_route", False),
    ({}, "https://silent.example/", HERE, "no_route", False),
    ({"addresses": ("169.254.3.4",)}, f"https://{FAR}/", HERE, "no_route", False),
    ({"addresses": ()}, f"https://{NEAR}/", HERE, "link_no_address", None),
    ({"carrier": False}, f"https://{NEAR}/", HERE, "link_no_address", None),
]


@pytest.mark.parametrize(("changes", "portal", "room", "failure", "same"), CASES)
async def test_usable_with_a_way_out(
    changes: dict[str, object],
    portal: str,
    room: str,
    failure: str | None,
    same: bool | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    zone = {"near.example": NEAR, "far.example": FAR, "silent.example": "SILENT"}
    async with name_servers(monkeypatch, zone) as servers:
        profile = Profile(portal=portal, media=(MediaHost("unknown.example"),))
        draft = await taken(errand("address", session(profile, room, servers, **changes)))
    assert code(draft) == failure
    assert draft.facts.get("same_network") == same


async def test_a_room_or_a_proxy_may_be_the_neighbour(monkeypatch: pytest.MonkeyPatch) -> None:
    async with name_servers(monkeypatch, {"room.example": NEAR, "proxy.example": NEAR}) as servers:
        assert code(await taken(errand("address", session(None, ELSEWHERE, servers)))) is None
        far = session(Profile(portal=f"https://{FAR}"), resolvers=servers)
        assert code(await taken(errand("address", far))) == "no_route"
        monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
        assert code(await taken(errand("address", far))) is None


async def test_the_reason_is_said() -> None:
    own = await taken(errand("address", session(addresses=("169.254.3.4",))))
    assert own.failure
    assert "gave itself" in own.failure.detail
    none = await taken(errand("address", session()))
    assert none.failure
    assert "router" in none.failure.detail


async def test_without_a_link_there_is_nothing_to_ask() -> None:
    with pytest.raises(NeedlessError):
        await taken(errand("address", rooms.errand(HERE)))

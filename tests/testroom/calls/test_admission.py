"""Who may call, how many at once, and what everybody else is told."""

import asyncio

import pytest

from probes.ice_servers import parse
from testroom.calls import CallSettings
from testroom.calls.turn import Turn
from tests.testroom.calling import ask, caller, session_of
from tests.testroom.https import serving
from tests.testroom.sdp import OFFER
from tests.testroom.test_metrics import samples

HOST = "127.0.0.2"


async def test_no_calls_no_offer_taken() -> None:
    async with serving() as (_, http):
        status, body, _ = await ask(http, OFFER, (await session_of(http))["id"])
    assert (status, body) == (404, '{"code": "room_test_not_offered"}')


@pytest.mark.parametrize(("bearer", "status"), [(None, 401), ("", 401), ("someone-else", 403)])
async def test_a_call_needs_a_session(bearer: str | None, status: int) -> None:
    async with serving(calls=CallSettings()) as (_, http):
        found, body, _ = await ask(http, OFFER, bearer)
    assert (found, body) == (status, '{"code": "room_token_refused"}')


async def test_an_ended_session_is_none() -> None:
    async with serving(calls=CallSettings()) as (_, http):
        session = (await session_of(http))["id"]
        async with http.delete(f"/v1/sessions/{session}"):
            pass
        assert (await ask(http, OFFER, session))[0] == 403


async def test_the_one_that_is_too_many_is_told_when_to_come_again() -> None:
    async with serving(calls=CallSettings(most=1), host=HOST) as (room, http), caller(room) as first:
        await first.call(video=False)
        await first.until(audio=5)
        status, body, headers = await ask(http, OFFER, (await session_of(http))["id"])
        assert status == 503
        assert 40 < int(headers["Retry-After"]) <= 61
        assert '"code": "room_busy"' in body
        assert '"retry_after_seconds": ' in body
        async with http.get("/metrics") as response:
            assert samples(await response.text())["motesklar_room_calls_refused_total[busy]"] == 1
        async with first.http.delete(first.location):
            pass
        assert (await ask(http, OFFER, (await session_of(http))["id"]))[0] == 201


async def test_the_first_call_is_not_disturbed_by_those_refused() -> None:
    async with serving(calls=CallSettings(most=1), host=HOST) as (room, http), caller(room) as first:
        await first.call(video=False)
        await first.until(audio=5)
        session = (await session_of(http))["id"]
        answers = await asyncio.gather(*(ask(http, OFFER, session) for _ in range(50)))
        assert {status for status, _, _ in answers} == {503}
        account = await first.account()
        assert account["audio_lost"] == 0
        await first.until(audio=first.received["audio"] + 10)


async def test_four_at_once_and_twelve_in_all_of_a_session() -> None:
    async with serving(calls=CallSettings()) as (_, http):
        session, found = (await session_of(http))["id"], []
        for _ in range(3):
            places = [await ask(http, OFFER, session) for _ in range(5)]
            found.append([status for status, _, _ in places])
            for status, _, headers in places:
                if status == 201:
                    async with http.delete(headers["Location"]) as response:
                        assert (await response.json())["state"] == "ended"
        assert found == [[201] * 4 + [429]] * 3
        status, body, headers = await ask(http, OFFER, session)
        assert (status, body) == (429, '{"code": "room_too_many_requests"}')
        assert (await ask(http, OFFER, (await session_of(http))["id"]))[0] == 201, "others may"


async def test_offers_that_are_none_are_counted_too() -> None:
    async with serving(calls=CallSettings()) as (_, http):
        session = (await session_of(http))["id"]
        found = [(await ask(http, "v=0", session))[0] for _ in range(13)]
        assert found == [400] * 12 + [429]


@pytest.mark.parametrize("path", ["/v1/call/none", "/v1/call/%00"])
async def test_a_call_that_is_none(path: str) -> None:
    async with serving(calls=CallSettings()) as (_, http):
        for ask_for in (http.get, http.delete):
            async with ask_for(path) as response:
                assert (response.status, await response.json()) == (404, {"code": "session_expired"})


async def test_relays_are_told_in_the_session_and_by_options() -> None:
    turn = Turn(("turn:relay.example:3478?transport=udp", "turns:relay.example:443"), b"0123456789abcdef")
    async with serving(calls=CallSettings(turn=turn)) as (_, http):
        granted = await session_of(http)
        headers = {"Authorization": f"Bearer {granted['id']}"}
        async with http.options("/v1/call", headers=headers) as response:
            assert (response.status, response.headers["Accept-Post"]) == (204, "application/sdp")
            links = response.headers.getall("Link")
        async with http.options("/v1/call") as response:
            assert response.status == 401
    servers = parse(granted["ice_servers"])
    assert [(s.host, s.port, s.transport, s.relay) for s in servers] == [
        ("relay.example", 3478, "udp", True),
        ("relay.example", 443, "tls", True),
    ]
    assert [link.partition(">")[0][1:] for link in links] == list(turn.urls)
    assert all('rel="ice-server"' in link and 'credential="' in link for link in links)


async def test_without_relays_none_are_told() -> None:
    async with serving(calls=CallSettings()) as (_, http):
        assert (await session_of(http))["ice_servers"] == []


async def test_a_call_that_does_not_come_about_gives_its_place_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody ever sends to its port: after ten seconds the room would let it go; and it says so to others."""
    async with serving(calls=CallSettings(most=1)) as (_, http):
        assert (await ask(http, OFFER, (await session_of(http))["id"]))[0] == 201
        _, _, headers = await ask(http, OFFER, (await session_of(http))["id"])
    assert 8 <= int(headers["Retry-After"]) <= 11

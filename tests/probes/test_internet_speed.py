"""The second opinion: by the room's own server, by a third party that is not there, by servers that are none."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time

import pytest

from probes import internet_speed
from probes.internet_speed import COMMAND, WAYS, Said
from probes.internet_speed_wire import Errand
from probes.session import Draft
from processes.child import environment
from reports.vocabulary import FAILURES
from testroom import certificate
from testroom import speedtest as mini
from testroom.server import RoomSettings, TestRoom
from tests.probes.rooms import answer, errand, link, server

PAIR = certificate.make()
ROOM = "the test room"


async def by(room: TestRoom, seconds: float = 8, **changes: object) -> Draft:
    """By loopback, with the deadline that a self-test would give it, shorter."""
    return sound(await internet_speed.probe(errand(room.url, deadline=time.monotonic() + seconds, **changes)))


def sound(draft: Draft) -> Draft:
    """Each direction is known or said why not; nothing in it tells where anybody is."""
    measurement = draft.measurement()
    assert set(measurement.values) | set(measurement.unknown) == set(WAYS.values())
    assert not set(measurement.values) & set(measurement.unknown)
    assert set(measurement.facts) <= {
        "third_party", "link_chosen_by", "moved_bytes", "stopped_early", "broken_transfers_up", "broken_transfers_down",
    }  # fmt: skip
    assert "127.0.0.1" not in repr((measurement.facts, measurement.unknown, measurement.failure))
    return draft


# ---- by the room --------------------------------------------------------------------------------------------------


async def test_the_room_gives_a_second_opinion_in_both_directions() -> None:
    async with TestRoom(RoomSettings()) as room:
        draft = await by(room)
    assert draft.failure is None
    assert min(draft.values.values()) > 5e6  # loopback; this computer may be busy
    assert draft.facts["third_party"] == ROOM
    assert len(room.sessions) == 0


async def test_the_data_budget_holds_and_a_rate_of_a_moment_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(internet_speed, "SHORTEST_S", 6)  # this computer may be slow
    async with TestRoom(RoomSettings()) as room:
        draft = await by(room, budget_bytes=20e6)
    assert isinstance(draft.facts["moved_bytes"], int)
    assert 14e6 < draft.facts["moved_bytes"] <= 20e6
    assert draft.facts["stopped_early"] == "data budget"
    assert draft.failure is not None
    assert draft.failure.code == "budget_spent"
    assert all("too short to tell" in why for why in draft.unknown.values())


async def test_progress_is_told() -> None:
    told: list[float] = []
    async with TestRoom(RoomSettings()) as room:
        await by(room, progress=lambda progress: told.append(progress.fraction))
    assert len(told) > 3
    assert told == sorted(told)
    assert 0 <= told[0] <= told[-1] <= 1


async def test_it_stops_when_asked_and_says_so() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(0.5, stop.set)
    async with TestRoom(RoomSettings()) as room:
        begun = time.monotonic()
        draft = await by(room, stop=stop)
    assert time.monotonic() - begun < 2
    assert draft.failure is not None
    assert draft.failure.code == "interrupted"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"budget_bytes": 3e6}, "budget_spent"),
        ({"budget_bytes": 0.0}, "budget_spent"),
        ({"seconds": 1.0}, "timeout"),
        ({"link": link(carrier=False)}, "link_no_address"),
    ],
)
async def test_without_means_it_does_not_begin(
    changes: dict[str, object], code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(internet_speed, "COMMAND", ("/nonexistent",))
    async with TestRoom(RoomSettings()) as room:
        draft = await by(room, **changes)  # type: ignore[arg-type]
    assert draft.failure is not None
    assert draft.failure.code == code


async def test_a_room_that_does_not_offer_it_sends_nobody_on_without_a_link() -> None:
    async with TestRoom(RoomSettings(throughput=False)) as room:
        draft = await by(room)
    assert draft.failure is not None
    assert (draft.failure.code, draft.facts["third_party"]) == ("room_test_not_offered", ROOM)


async def test_a_busy_room_is_no_reason_to_ask_a_third_party(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mini, "WAIT_S", 0.2)
    async with TestRoom(RoomSettings()) as room, room.throughput.turn(0, "another"):
        draft = await by(room)
    assert draft.failure is not None
    assert (draft.failure.code, draft.facts["third_party"]) == ("room_busy", ROOM)


async def test_a_plain_reflector_has_no_such_test() -> None:
    draft = sound(await internet_speed.probe(errand("stamp://127.0.0.1", deadline=time.monotonic() + 8)))
    assert draft.failure is not None
    assert draft.failure.code == "room_test_not_offered"


# ---- servers that are no speed test -------------------------------------------------------------------------------

PAGE = b'upload_extension: "php"\n'
SERVERS = {
    "not offered": (answer("404 Not Found"), "room_test_not_offered"),
    "refused": (answer("403 Forbidden"), "session_expired"),
    "busy": (answer("503 Service Unavailable"), "room_busy"),
    "too many": (answer("429 Too Many Requests"), "room_too_many_requests"),
    "broken": (answer("500 Internal Server Error"), "room_protocol"),
    "elsewhere": (answer("302 Found", b"", "Location: http://127.0.0.1:1/"), "room_protocol"),
    "no page": (answer("200 OK", b"welcome"), "room_protocol"),
    "no latency": (answer("200 OK", PAGE), "room_protocol"),
    "not text": (answer("200 OK", b"\xff\xfe\xff"), "room_protocol"),
    "no HTTP": (b"220 mail.example ESMTP\r\n", "room_protocol"),
    "closes at once": (b"", "room_unreachable"),
    "too much": (answer("200 OK", bytes(10_000_000)), "room_protocol"),
}


async def said_of(**about: object) -> tuple[Said, float]:
    """What the child says of an errand, and how long that took."""
    session = errand("https://127.0.0.1:1", deadline=time.monotonic() + 3)
    begun = time.monotonic()
    said = await internet_speed._run(session, Errand(**({"seconds_each": 0.5, "budget_bytes": 1e7} | about)))  # type: ignore[arg-type]
    return said, time.monotonic() - begun


@pytest.mark.parametrize("name", SERVERS)
async def test_a_server_that_is_none_has_its_code(name: str) -> None:
    says, code = SERVERS[name]
    async with server(says, PAIR) as port:
        said, took = await said_of(url=f"https://127.0.0.1:{port}/v1/speedtest/x", fingerprint=PAIR.fingerprint.hex())
    assert said.failed is not None
    assert said.failed.code == code
    assert code in FAILURES
    assert took < 2.5


async def test_a_server_that_says_nothing_costs_the_time_and_no_more() -> None:
    async with server(None, PAIR) as port:
        said, took = await said_of(url=f"https://127.0.0.1:{port}/v1/speedtest/x", fingerprint=PAIR.fingerprint.hex())
    assert (said.failed, said.began, said.ways) == (None, "", {})
    assert 2.5 < took < 4


@pytest.mark.parametrize(
    ("fingerprint", "code"), [("00" * 32, "room_certificate_mismatch"), (None, "room_certificate_untrusted")]
)
async def test_the_transfers_trust_no_other_certificate_either(fingerprint: str | None, code: str) -> None:
    async with server(answer("200 OK", PAGE), PAIR) as port:
        said, _ = await said_of(url=f"https://127.0.0.1:{port}/v1/speedtest/x", fingerprint=fingerprint)
    assert said.failed is not None
    assert said.failed.code == code


async def test_the_child_ends_with_its_parent() -> None:
    async with server(None, PAIR) as port:
        about = Errand(5, 1e7, f"https://127.0.0.1:{port}/x", "127.0.0.1", PAIR.fingerprint.hex())
        child = await asyncio.create_subprocess_exec(
            *COMMAND, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment()
        )
        assert child.stdin is not None
        child.stdin.write(json.dumps({name: getattr(about, name) for name in Errand.__slots__}).encode() + b"\n")
        await asyncio.sleep(0.5)
        assert child.returncode is None
        child.stdin.close()
        assert await asyncio.wait_for(child.wait(), 3) == 1


# ---- the third party ----------------------------------------------------------------------------------------------


async def test_a_third_party_that_refuses_the_connection() -> None:
    said, took = await said_of(address="127.0.0.1", link="lo", link_addresses=("127.0.0.1",))
    assert said.failed is not None
    assert said.failed.code == "third_party_unreachable"
    assert took < 2.5


async def test_a_link_of_another_kind_of_address_is_not_taken_for_the_network() -> None:
    said, _ = await said_of(address="127.0.0.1", link="lo", link_addresses=("::1",))
    assert said.failed is not None
    assert said.failed.code == "link_not_bound"

"""Offer and answer: what the room is asked, and what its refusals, or somebody else's answers, become."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from probes import room
from probes.call import signalling as call_signalling
from probes.call.signalling import Counts, Signalling
from probes.room import RoomSession
from probes.sender import Access
from probes.session import ProbeFailure
from testroom import certificate
from tests.probes.rooms import answer, at, server

PAIR = certificate.make()
SDP = "Content-Type: application/sdp"
HERE = "Location: /v1/call/abc"
COUNTS = {"audio_packets": 5, "video_frames": 3, "audio_returned": 4, "video_returned": 2}


@asynccontextmanager
async def signalling(says: bytes | None) -> AsyncIterator[Signalling]:
    """With a room that always says that."""
    async with server(says, PAIR) as port:
        http = room._http(at(port, PAIR), None, [])
        yield Signalling(RoomSession(("127.0.0.1", 9), Access(follow_up=False), identifier="an%20id", http=http))
        await http.close()


async def test_the_answer_comes_back_and_its_time_is_known() -> None:
    async with signalling(answer("201 Created", b"v=0", SDP, HERE)) as talk:
        assert await talk.offer("direct", "v=0 offer") == "v=0"
        assert 0 < talk.took["direct"] < 1


def refused(status: str, *headers: str, **said: object) -> bytes:
    return answer(status, json.dumps(said).encode(), "Content-Type: application/json", *headers)


@pytest.mark.parametrize(
    ("says", "code", "detail"),
    [
        (refused("400 Bad Request", code="room_protocol"), "room_protocol", "status 400"),
        (refused("401 Unauthorized"), "room_token_refused", "status 401"),
        (refused("403 Forbidden"), "room_token_refused", "status 403"),
        (answer("404 Not Found"), "room_test_not_offered", "status 404"),
        (refused("429 Too Many Requests"), "room_too_many_requests", "status 429"),
        (refused("503 Service Unavailable", retry_after_seconds=7), "room_busy", "try again in 7 s"),
        (answer("503 Service Unavailable", b"<html>"), "room_busy", "status 503"),
        (answer("302 Found", b"", "Location: https://elsewhere.example/"), "room_protocol", "status 302"),
        (answer("201 Created", b"<p>Log in", "Content-Type: text/html", HERE), "room_protocol", ""),
        (answer("201 Created", b"v=0", SDP), "room_protocol", ""),
        (answer("201 Created", b"v=0", SDP, "Location: https://elsewhere.example/v1/call/x"), "room_protocol", ""),
        (b"SSH-2.0-a\r\n", "room_protocol", None),
    ],
)
async def test_other_answers(says: bytes, code: str, detail: str | None) -> None:
    async with signalling(says) as talk:
        with pytest.raises(ProbeFailure) as failure:
            await talk.offer("direct", "v=0")
    assert (failure.value.code, failure.value.step) == (code, "signalling")
    assert detail is None or failure.value.detail == detail
    assert talk.took == {}


async def test_silence_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_signalling, "OFFER_S", 0.3)
    async with signalling(None) as talk:
        begun = time.monotonic()
        with pytest.raises(ProbeFailure) as failure:
            await talk.offer("direct", "v=0")
    assert time.monotonic() - begun < 1
    assert failure.value.code == "room_unreachable"


async def test_who_calls_is_said_and_the_end_gives_the_counts() -> None:
    asked: list[bytes] = []
    said = iter((answer("201 Created", b"v=0", SDP, HERE), refused("200 OK", **COUNTS)))

    async def talk_to(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.read(4096))
        writer.write(next(said))
        writer.close()

    from tests.probes.rooms import server_context

    listening = await asyncio.start_server(talk_to, "127.0.0.1", 0, ssl=server_context(PAIR))
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        http = room._http(at(port, PAIR, token="the room's token"), None, [])
        talk = Signalling(RoomSession(("127.0.0.1", 9), Access(follow_up=False), identifier="an%20id", http=http))
        await talk.offer("turn_udp", "v=0 offer")
        assert await talk.hang_up("turn_udp") == Counts(8, 6)
        assert await talk.hang_up("turn_udp") is None
        await http.close()
    assert asked[0].startswith(b"POST /v1/call HTTP/1.1\r\n")
    assert asked[0].endswith(b"v=0 offer")
    assert asked[1].startswith(b"DELETE /v1/call/abc HTTP/1.1\r\n")
    assert all(a.count(b"Authorization: ") == 1 and b"Bearer an%20id\r\n" in a for a in asked)
    assert b"Content-Type: application/sdp\r\n" in asked[0]


@pytest.mark.parametrize("counts", [refused("404 Not Found"), refused("200 OK", audio_packets=1), b"nonsense"])
async def test_a_room_that_does_not_tell(counts: bytes) -> None:
    async with signalling(counts) as talk:
        talk._calls["direct"] = "/v1/call/abc"
        assert await talk.hang_up("direct") is None


def test_a_plain_reflector_takes_no_calls() -> None:
    with pytest.raises(ProbeFailure, match="room_test_not_offered"):
        Signalling(RoomSession(("127.0.0.1", 862), Access(follow_up=False)))

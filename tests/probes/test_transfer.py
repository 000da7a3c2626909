from __future__ import annotations

import asyncio
import json
import os
import socket
import sys

import pytest

from probes import ndt7, stream, transfer, websocket
from probes.stream import Target
from probes.transfer import Download, Plan, Transfer, Upload
from testroom import certificate
from testroom.server import TestRoom
from tests.probes.ndt7_rooms import accepted, code, ended, listening, says, upgraded
from tests.probes.rooms import Talk, answer, link

BOTH = pytest.mark.parametrize("kind", [Download, Upload])
FRAME = websocket.frame_header(websocket.BINARY, 8192) + os.urandom(8192)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "STALL_S", 0.3)
    monkeypatch.setattr(transfer, "FAREWELL_S", 0.3)
    monkeypatch.setattr(stream, "CONNECT_S", 0.4)
    monkeypatch.setattr(stream, "TLS_S", 0.4)


# ---- before the transfer ------------------------------------------------------------------------------------------

ANSWERS = [
    ("not offered", answer("404 Not Found"), "room_test_not_offered", ""),
    ("busy", answer("503 Service Unavailable", b"", "Retry-After: 7"), "room_busy", "try again in 7 s"),
    ("no token", answer("401 Unauthorized"), "room_token_refused", "status 401"),
    ("a strange token", answer("403 Forbidden"), "room_token_refused", "status 403"),
    ("too many", answer("429 Too Many Requests"), "room_too_many_requests", ""),
    ("a defect there", answer("500 Internal Server Error"), "room_protocol", "status 500"),
    ("a web page", answer("200 OK", b"<html>"), "room_protocol", ""),
    ("no upgrade", b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "room_protocol", ""),
    ("no HTTP", b"SSH-2.0-OpenSSH_9.9\r\n\r\n", "room_protocol", ""),
    ("an endless head", b"HTTP/1.1 101 Yes\r\n" + b"a: b\r\n" * 5000, "room_protocol", "over-long"),
    ("nothing", b"", "timeout", ""),
]


@pytest.mark.parametrize(("said", "expected", "detail"), [a[1:] for a in ANSWERS], ids=[a[0] for a in ANSWERS])
async def test_what_a_room_answers_to_the_request(said: bytes, expected: str, detail: str) -> None:
    async with listening(says(said)) as target:
        failure = (await ended(Download, target, Plan(turn_s=0.1))).failure
    assert failure is not None
    assert failure.code == expected
    assert detail in failure.detail


async def test_another_subprotocol() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(accepted(await reader.readuntil(b"\r\n\r\n"), "chat"))
        await asyncio.sleep(20)

    async with listening(talk) as target:
        assert code(await ended(Upload, target)) == "room_protocol"


async def test_a_head_that_drips_in_has_one_deadline() -> None:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for octet in b"HTTP/1.1 101 Switching Protocols\r\n" * 50:
            writer.write(bytes((octet,)))
            await asyncio.sleep(0.05)

    async with listening(talk) as target:
        assert code(await ended(Download, target, Plan(turn_s=0.2))) == "timeout"


async def test_the_request_tells_who_asks_and_how_long_it_waits() -> None:
    heads: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))

    async with listening(talk) as target:
        await ended(Upload, Target(target.address, "room.example", token="a-token", tls=False), Plan(turn_s=7))
    assert heads[0].startswith(b"GET /ndt/v7/upload?access_token=a-token&wait=7 HTTP/1.1\r\n")
    assert f"Host: room.example:{target.address[1]}\r\n".encode() in heads[0]


# ---- connecting ---------------------------------------------------------------------------------------------------


async def test_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        assert code(await ended(Download, Target(free.getsockname(), "x"))) == "room_refused_connection"


async def test_a_link_that_is_not_there() -> None:
    target = Target(("127.0.0.1", 9), "x", link=link("nowhere0"))
    assert code(await ended(Download, target)) == "link_not_bound"


@pytest.mark.parametrize(
    ("said", "expected"), [(b"", "room_unreachable"), (b"HTTP/1.1 400 Bad\r\n\r\n", "room_protocol")]
)
async def test_no_tls_there(said: bytes, expected: str) -> None:
    async with listening(says(said)) as target:
        assert code(await ended(Download, Target(target.address, "x", fingerprint=bytes(32)))) == expected


@pytest.mark.parametrize(
    ("fingerprint", "expected"), [(bytes(32), "room_certificate_mismatch"), (None, "room_certificate_untrusted")]
)
async def test_another_certificate_is_told_nothing(fingerprint: bytes | None, expected: str) -> None:
    heard: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(100))

    async with listening(talk, certificate.make()) as target:
        stranger = Target(target.address, "127.0.0.1", fingerprint=fingerprint, token="secret")
        assert code(await ended(Download, stranger)) == expected
        await asyncio.sleep(0.05)
    assert heard in ([], [b""])


# ---- during the transfer ------------------------------------------------------------------------------------------


async def _resets(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(FRAME)
    await asyncio.sleep(0.05)
    writer.transport.abort()


MIDDLE: list[tuple[str, Talk, str]] = [
    ("silence", says(b""), "transfer_stalled"),
    ("silence after some data", says(FRAME * 3), "transfer_stalled"),
    ("closed", says(FRAME * 3, then_silent=False), "transfer_stalled"),
    ("closed within a frame", says(FRAME[:100], then_silent=False), "transfer_stalled"),
    ("reset", _resets, "transfer_stalled"),
    ("a close frame", says(FRAME + websocket.close_frame(1001)), "transfer_stalled"),
    ("another protocol", says(b"HTTP/1.1 200 OK\r\n\r\n"), "room_protocol"),
    ("a masked frame", says(websocket.frame(websocket.BINARY, b"abc", b"abcd")), "room_protocol"),
    ("a frame without end", says(websocket.frame_header(websocket.BINARY, 1 << 62)), "room_protocol"),
    ("a text without end", says(websocket.frame_header(websocket.TEXT, 1 << 30)), "room_protocol"),
    ("text that is none", says(websocket.frame(websocket.TEXT, b"\xff\xfe")), "room_protocol"),
]


@BOTH
@pytest.mark.parametrize(("behaviour", "expected"), [m[1:] for m in MIDDLE], ids=[m[0] for m in MIDDLE])
async def test_what_happens_in_the_middle(kind: type[Transfer], behaviour: Talk, expected: str) -> None:
    async with listening(upgraded(behaviour)) as target:
        assert code(await ended(kind, target, Plan(most_s=1.5))) == expected


async def test_what_came_with_the_head_counts() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(accepted(await reader.readuntil(b"\r\n\r\n")) + FRAME)
        await asyncio.sleep(0.1)
        writer.write(FRAME)
        await asyncio.sleep(20)

    async with listening(talk) as target:
        found = await ended(Download, target)
    assert found.seen.samples[-1].total == 2 * 8192


async def test_measurements_that_are_none_change_nothing() -> None:
    texts = [b"{}", b"[]", b"nonsense", b'{"AppInfo": {"ElapsedTime": -1, "NumBytes": 1e999}}', b'{"AppInfo": 7}']
    texts += [json.dumps({"AppInfo": {"ElapsedTime": t, "NumBytes": n}}).encode() for t, n in [(9, 5), (8, 9), (10, 2)]]
    noise = b"".join(websocket.frame(websocket.TEXT, t) for t in texts)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(noise)
        while await reader.read(1 << 16):
            pass

    async with listening(upgraded(talk)) as target:
        found = await ended(Upload, target)
    assert found.failure is None
    assert [tuple(s) for s in found.seen.samples] == [(9000, 5)]  # neither time nor count goes back


async def test_a_ping_is_answered_between_frames() -> None:
    reader = websocket.FrameReader(masked=True)
    got: list[websocket.Message] = []

    async def talk(incoming: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(websocket.frame(websocket.PING, b"are you there?"))
        while data := await incoming.read(1 << 16):
            got.extend(reader.feed(data))

    async with listening(upgraded(talk)) as target:
        await ended(Upload, target)
    assert [(m.opcode, m.payload) for m in got if m.opcode == websocket.PONG] == [(websocket.PONG, b"are you there?")]
    assert reader.binary_bytes > 1_000_000


@BOTH
async def test_stopped_while_it_waits_for_its_turn(kind: type[Transfer]) -> None:
    async with listening(says(b"")) as target:
        waiting = kind(target, Plan(turn_s=30))
        waiting.start()
        waiting.release()
        await asyncio.sleep(0.1)
        waiting.stop()
        assert await asyncio.to_thread(waiting.join, 0.5)
    assert code(waiting) == "interrupted"


# ---- against the real room ----------------------------------------------------------------------------------------


async def _target(far: TestRoom, seconds: float = 5) -> Target:
    session = far.sessions.issue("habo", "127.0.0.1", seconds, 50)
    return Target(("127.0.0.1", far.port), "127.0.0.1", fingerprint=far.fingerprint, token=session.identifier)


async def test_a_download(far: TestRoom) -> None:
    found = await ended(Download, await _target(far), Plan(most_s=0.6))
    assert found.failure is None
    seen = found.seen
    assert seen.samples[-1].total > 1_000_000
    assert 0.5e9 < seen.loaded_ns < 1e9
    assert len(seen.samples) > 20
    assert seen.moved_bytes > seen.samples[-1].total
    if sys.platform == "linux":
        assert seen.congestion_control == "cubic"
        assert seen.losses is not None  # two cores may overtake each other even on loopback
        assert seen.sender is not None


async def test_an_upload_as_the_room_counts_it(far: TestRoom) -> None:
    found = await ended(Upload, await _target(far), Plan(most_s=1.5))
    assert found.failure is None
    seen = found.seen
    assert seen.counted is seen.samples
    last = seen.samples[-1]
    assert last.total > 1_000_000
    assert last.at_ns < 1.7e9
    if sys.platform == "linux":
        assert seen.congestion_control == "cubic"
        assert last.total <= seen.acknowledged[-1].total <= seen.moved_bytes


@BOTH
@pytest.mark.parametrize("budget", [200_000, 3_000_000])
async def test_the_budget_is_kept(far: TestRoom, kind: type[Transfer], budget: int) -> None:
    found = await ended(kind, await _target(far), Plan(most_bytes=budget, most_s=3))
    assert found.failure is None
    assert found.seen.all_sent
    assert found.seen.moved_bytes < 1.15 * budget + ndt7.MOST_MESSAGE / 16
    assert found.seen.loaded_ns < 2e9


async def test_a_short_upload_hears_the_rooms_last_word(far: TestRoom) -> None:
    found = await ended(Upload, await _target(far), Plan(most_bytes=500_000, most_s=3))
    assert found.seen.samples[-1].total >= 500_000


async def test_two_at_once_take_turns(far: TestRoom) -> None:
    both = [Download(await _target(far), Plan(most_s=0.4, turn_s=5)) for _ in range(2)]
    for one in both:
        one.start()
        one.release()
    for one in both:
        assert await asyncio.to_thread(one.join, 4)
        assert one.failure is None
    first, second = sorted(both, key=lambda t: t.seen.began_ns)
    assert second.seen.began_ns >= first.seen.began_ns + first.seen.loaded_ns * 0.95

"""The echo probe: everything that can go wrong on the way, and the code that it is given."""

from __future__ import annotations

import asyncio
import socket
from contextlib import closing

import pytest

from probes import echo, room
from probes.roundtrip import Trace
from probes.sender import Access
from probes.session import ProbeFailure
from testroom.limits import Limits
from testroom.server import RoomSettings, TestRoom
from testroom.tokens import Tokens
from tests.probes.echoing import code_of, end_sessions, one_sided, sound
from tests.probes.rooms import errand, link, server
from tests.probes.trips import fates

pytestmark = pytest.mark.usefixtures("quick")

# ---- what goes wrong ----------------------------------------------------------------------------------------------


async def test_no_room_there() -> None:
    with closing(socket.socket()) as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    assert await code_of(f"https://127.0.0.1:{port}") == "room_refused_connection"


async def test_a_wrong_fingerprint_and_none(far: TestRoom) -> None:
    assert await code_of(f"https://127.0.0.1:{far.port}#sha256={'00' * 32}") == "room_certificate_mismatch"
    assert await code_of(f"https://127.0.0.1:{far.port}") == "room_certificate_untrusted"


async def test_a_refused_token_and_a_full_room() -> None:
    async with TestRoom(RoomSettings(tokens=Tokens({"habo": "sixteen characters"}))) as closed:
        assert await code_of(closed.url) == "room_token_refused"
    async with TestRoom(RoomSettings(limits=Limits(sessions=0))) as full:
        assert await code_of(full.url) == "room_busy"


async def test_a_server_that_says_nothing() -> None:
    async with server(None, None) as port:
        assert await code_of(f"https://127.0.0.1:{port}") == "room_unreachable"


@pytest.mark.parametrize("silent", [False, True], ids=["closed", "silent"])
async def test_a_udp_port_that_answers_nothing(silent: bool) -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"stamp://127.0.0.1:{taken.getsockname()[1]}"
        if not silent:
            taken.close()
        session = errand(url)
        draft = sound(await echo.probe(session))
    assert draft.failure is not None
    assert (draft.failure.code, draft.failure.detail) == ("no_reply", "" if silent else "its port is closed")
    assert draft.values == {}
    assert "loopback" in session.traces


async def test_a_session_that_ends_in_the_middle(far: TestRoom) -> None:
    ending = asyncio.create_task(end_sessions(far, 0.3))
    assert await code_of(far.url, seconds=0.8) == "session_expired"
    await ending


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"addresses": ()}, "link_no_address"),
        ({"carrier": False}, "link_no_address"),
        ({"name": "nosuch0"}, "link_not_bound"),
        ({"addresses": ("192.0.2.7",)}, "link_not_bound"),  # not this computer's
    ],
)
async def test_a_link_that_carries_nothing(far: TestRoom, changes: dict[str, object], code: str) -> None:
    assert await code_of(far.url, link=link(**changes)) == code


CHECKED = {
    "all well": (one_sided(9, 9), False, None),
    "some lost": (one_sided(9, 1), False, None),
    "forgotten after the last answer": (one_sided(9, 9), True, None),
    "forgotten, and some lost": (one_sided(9, 8), True, "session_expired"),
    "no answer": (one_sided(9, 0), False, "no_reply"),
    "no answer, and the host is said to be unreachable": (
        one_sided(9, 0, send_errors={"EHOSTUNREACH": 4}), False, "no_reply",
    ),
    "no answer, and the port is closed in bursts": (
        one_sided(9, 0, send_errors={"ECONNREFUSED": 4}, port_closed=5), False, "no_reply",
    ),
    "no answer, and then the link was gone": (
        one_sided(9, 0, send_errors={"ENODEV": 4}, vanished=True), False, "link_vanished",
    ),
    "nothing could be sent": (one_sided(0, 0, send_errors={"ENETUNREACH": 4}), False, "link_vanished"),
    "stopped before the first": (one_sided(0, 0, interrupted=True), False, "interrupted"),
    "everything throttled": (one_sided(9, 0, fates=fates([], throttled=9)), False, "room_too_many_requests"),
}  # fmt: skip


@pytest.mark.parametrize(("seen", "expired", "code"), CHECKED.values(), ids=CHECKED)
def test_what_there_is_to_analyse(seen: Trace, expired: bool, code: str | None) -> None:
    session = room.RoomSession(("127.0.0.1", 1), Access(), expired=expired)
    if code is None:
        echo._check(seen, session)
    else:
        with pytest.raises(ProbeFailure) as failure:
            echo._check(seen, session)
        assert failure.value.code == code

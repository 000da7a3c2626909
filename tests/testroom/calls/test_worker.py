"""A call's end by the clock, and the process that calls run in: it dies, it hangs, and the room goes on."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.metadata
import inspect
import os
import re
import signal
import sys
import time
from types import SimpleNamespace

import pytest
from aiortc import rtcdtlstransport

from testroom.calls import CallSettings
from testroom.calls import process as call_process
from testroom.calls.rules import LONGEST_S, MOST_CONNECTING_S, SILENCE_S
from testroom.calls.worker import Call
from testroom.server import RoomSettings, TestRoom
from tests.testroom.calling import ask, caller, session_of
from tests.testroom.https import PAIR, serving, visitor
from tests.testroom.leftovers import leaves_nothing, seconds_to_stop
from tests.testroom.sdp import OFFER
from tests.testroom.test_metrics import samples

HOST = "127.0.0.2"
POSIX = pytest.mark.skipif(os.name == "nt", reason="POSIX signals")


@pytest.mark.parametrize(
    ("state", "since_offer", "since_media", "over"),
    [
        ("connecting", MOST_CONNECTING_S - 0.1, 0, False),
        ("connecting", MOST_CONNECTING_S + 0.1, 0, True),
        ("connected", 30, SILENCE_S - 0.1, False),
        ("connected", 30, SILENCE_S + 0.1, True),
        ("connected", LONGEST_S - 0.1, 0, False),
        ("connected", LONGEST_S + 0.1, 0, True),
        ("ended", 0, 0, True),
    ],
)
def test_when_a_call_is_over(state: str, since_offer: float, since_media: float, over: bool) -> None:
    call = Call.__new__(Call)
    call.state, call.began = state, 1000.0
    call.relay = SimpleNamespace(last=1000 + since_offer - since_media)  # type: ignore[assignment]
    call._dtls = SimpleNamespace(state="connected")  # type: ignore[assignment]
    assert call.is_over(1000 + since_offer) is over


@POSIX
@pytest.mark.parametrize(("number", "seconds"), [(signal.SIGKILL, 1.0), (signal.SIGSTOP, 3.0)])
async def test_a_process_that_dies_or_hangs_is_replaced(
    number: signal.Signals, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_process, "_MOST_SILENT_S", 1.6)  # the process itself speaks every second
    async with serving(calls=CallSettings(), host=HOST) as (room, http):
        async with caller(room) as c:
            await c.call(video=False)
            await c.until(audio=5)
            pid = room.calls.processes[0].pid
            assert pid is not None
            os.kill(pid, number)
            begun = time.monotonic()
            async with http.get("/metrics") as response:
                assert response.status == 200
            assert time.monotonic() - begun < 0.3, "the room does not wait for it"
            async with asyncio.timeout(seconds):
                while room.calls.open_now:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            assert (await c.account())["state"] == "ended"
        async with caller(room) as c:
            await c.call(video=False)
            await c.until(audio=5)
        async with http.get("/metrics") as response:
            assert samples(await response.text())["motesklar_room_call_worker_restarts_total"] == 1
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_room_with_calls_leaves_nothing_behind() -> None:
    """With one that is being made, too."""

    async def visit() -> float:
        async with contextlib.AsyncExitStack() as stack:
            room = await stack.enter_async_context(TestRoom(RoomSettings(certificate=PAIR, calls=CallSettings())))
            http = await stack.enter_async_context(visitor(room))
            assert (await ask(http, OFFER, (await session_of(http))["id"]))[0] == 201
            return await seconds_to_stop(room)

    leaves_nothing(visit)


async def test_a_process_that_cannot_start_is_a_busy_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_process, "COMMAND", (sys.executable, "-c", "raise SystemExit(1)"))
    monkeypatch.setattr("testroom.calls._ANSWER_S", 0.5)
    async with serving(calls=CallSettings(), host=HOST) as (room, http):
        status, body, headers = await ask(http, OFFER, (await session_of(http))["id"])
        assert (status, headers["Retry-After"]) == (503, "1")
        assert '"room_busy"' in body
        assert room.calls.open_now == 0


# ---- what is used of aiortc that it does not promise


def test_the_version_that_was_looked_at() -> None:
    """Another one: see whether what follows still holds, try a browser, then name it here."""
    assert importlib.metadata.version("aiortc").startswith("1.16.")


def test_the_handshake_takes_what_stands_in_for_ice() -> None:
    transport = rtcdtlstransport.RTCDtlsTransport
    source = inspect.getsource(transport)
    assert set(re.findall(r"self\._?transport\.(\w+)", source)) == {"_send", "_recv", "role"}
    assert list(inspect.signature(transport._set_role).parameters) == ["self", "role"]
    for attribute in ("_rx_srtp", "_tx_srtp", "_set_role", "start", "stop", "state"):
        assert attribute in source
    assert rtcdtlstransport.State.CONNECTED.name.lower() == "connected"

"""The server leaves nothing behind, when it is stopped and when it cannot start."""

import asyncio
import contextlib
import socket

import pytest

from testroom.server import RoomSettings, TestRoom
from tests.testroom.https import PAIR, visitor, wanted
from tests.testroom.leftovers import leaves_nothing, left, seconds_to_stop


@pytest.mark.parametrize("which", ["https", "stamp"])
async def test_a_taken_port_is_an_oserror_and_leaves_nothing(which: str) -> None:
    kind = socket.SOCK_STREAM if which == "https" else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if which == "https":
            taken.listen()
        number = taken.getsockname()[1]
        settings = RoomSettings(certificate=PAIR, **{"port" if which == "https" else "stamp_port": number})
        before = left()
        with pytest.raises(OSError, match="in use"):
            await TestRoom(settings).__aenter__()
        after = left()
        assert after[1] == before[1]
        assert "reflector" not in after[0]


def test_stopping_leaves_no_thread_socket_or_file() -> None:
    """With a client that keeps its connection open, too."""

    async def visit() -> float:
        async with contextlib.AsyncExitStack() as stack:
            room = await stack.enter_async_context(TestRoom(RoomSettings(certificate=PAIR)))
            _, writer = await asyncio.open_connection("127.0.0.1", room.port)
            stack.callback(writer.close)
            http = await stack.enter_async_context(visitor(room))
            async with http.post("/v1/sessions", json=wanted()) as answer:
                assert answer.status == 201
            took = await seconds_to_stop(room)
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", room.port)
            return took

    leaves_nothing(visit)

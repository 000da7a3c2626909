"""One ndt7 transfer: the WebSocket after its upgrade, on a transport that has been taken over from the HTTP server.

The octets go straight between the transport and the frame reader or the prepared frames: a general WebSocket
implementation copies and unmasks every one of them.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from probes import ndt7, websocket
from probes.tcp_info import ask_cubic, tcp_info

IDLE_S = 5.0  # without an octet of progress: the other end has gone, or does not mean to measure
UPLOAD_S = 12.0  # the sender ends an upload after ndt7.LONGEST_S of its own; then we do
CLOSING_S = 3.0  # for the other end's part of the closing handshake
_READ_BYTES = 1 << 18


class Transfer(asyncio.BufferedProtocol):
    """What both directions share. `begin` once; `done` is set when the connection has gone."""

    test: ndt7.Test

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._previous = transport.get_protocol()  # the HTTP server's, which is told when the connection is lost
        self._sock: Any = transport.get_extra_info("socket")
        self._buffer = memoryview(bytearray(_READ_BYTES))
        self._loop = asyncio.get_running_loop()
        self.done: asyncio.Future[None] = self._loop.create_future()
        self._timers: list[asyncio.TimerHandle] = []
        self._closing = self._closed = self._told = False
        self._congestion_control = ""
        self._began = time.monotonic()
        self._progress = (0, self._began)  # octets, and when there were that many
        self._reader = websocket.FrameReader(masked=True, most_binary=ndt7.MOST_RECEIVED)

    @property
    def payload_bytes(self) -> int:
        """Payload of binary messages so far."""
        raise NotImplementedError

    def begin(self) -> None:
        """Take the transport over; the 101 has been written."""
        self._congestion_control = ask_cubic(self._sock)
        self._transport.set_protocol(self)
        self._began = time.monotonic()
        self._progress = (0, self._began)
        self._later(ndt7.MEASUREMENT_INTERVAL_S, self._tick, 1)
        self._later(ndt7.HARD_LIMIT_S, self.abort)

    def abort(self) -> None:
        """Break the connection off now."""
        self._closing = True
        self._transport.abort()

    def elapsed_s(self) -> float:
        """Since it began."""
        return time.monotonic() - self._began

    def _later(self, seconds: float, call: Any, *values: Any) -> None:
        self._timers.append(self._loop.call_later(seconds, call, *values))

    def _tick(self, number: int) -> None:
        """Every 250 ms: tell the other end; look whether there is progress, and whether it is time to end."""
        self._timers = [t for t in self._timers if not t.cancelled() and t.when() > self._loop.time()]
        now, moved = time.monotonic(), self._moved_bytes()
        if moved > self._progress[0]:
            self._progress = (moved, now)
        elif now - self._progress[1] > IDLE_S:
            self.abort()
            return
        if self._closing:
            return
        if self._is_over():
            self.finish()
            return
        self._measure()
        at = self._began + (number + 1) * ndt7.MEASUREMENT_INTERVAL_S
        skipped = max(0, int((now - at) / ndt7.MEASUREMENT_INTERVAL_S) + 1) if now > at else 0
        self._later(at + skipped * ndt7.MEASUREMENT_INTERVAL_S - now, self._tick, number + 1 + skipped)

    def _is_over(self) -> bool:
        raise NotImplementedError

    def _moved_bytes(self) -> int:
        raise NotImplementedError

    def _measure(self) -> None:
        """Send a measurement; it is left out when the last ones have not gone yet."""
        if not self._is_read():
            return
        elapsed = int(self.elapsed_s() * 1e6)
        info = tcp_info(self._sock)
        text = ndt7.measurement_text(
            self.test, "server", elapsed, self.payload_bytes, info, self._congestion_control, self._ends()
        )
        self._transport.write(websocket.frame(websocket.TEXT, text.encode()))

    def _is_read(self) -> bool:
        """Does the other end take what we write?"""
        return self._unsent_bytes() <= 2 * ndt7.MOST_MESSAGE

    def _unsent_bytes(self) -> int:
        return 0 if self.done.done() else self._transport.get_write_buffer_size()

    def _ends(self) -> tuple[str, str] | None:
        """The two ends' addresses, the first time."""
        names = [self._transport.get_extra_info(key) for key in ("peername", "sockname")]
        if self._told or not all(names):
            return None
        self._told = True
        client, server = (f"[{n[0]}]:{n[1]}" if ":" in n[0] else f"{n[0]}:{n[1]}" for n in names)
        return client, server

    def finish(self, code: int = websocket.NORMAL) -> None:
        """Say the last measurement and close; the other end has CLOSING_S to answer."""
        if self._closing:
            return
        self._measure()
        self._closing = True
        self._transport.write(websocket.close_frame(code))
        self._later(CLOSING_S, self.abort)

    def _answer(self, message: websocket.Message) -> None:
        if message.opcode == websocket.CLOSE:
            if not self._closing:
                self.finish()
            self._close()
        elif message.opcode == websocket.PING and not self._closing and self._is_read():
            self._transport.write(websocket.frame(websocket.PONG, message.payload))

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002
        """Where the transport puts what came."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Count it and answer it."""
        try:
            for message in self._reader.feed(self._buffer[:nbytes]):
                self._answer(message)
            self._check()
        except websocket.WebSocketError as error:
            self._reader.closed = True  # what follows is not read any more
            self._refuse(error.code)

    def _check(self) -> None:
        """Raises WebSocketError when the other end sends what it must not."""

    def _refuse(self, code: int) -> None:
        if not self._closing:
            self._closing = True
            self._transport.write(websocket.close_frame(code))
            self._later(CLOSING_S, self.abort)
        self._close()

    def _close(self) -> None:
        if not self._closed:  # asyncio's TLS forgets its connection at a second call, and cannot abort it after that
            self._closed = True
            self._transport.close()

    def eof_received(self) -> bool:
        """The transport then closes itself."""
        return False

    def pause_writing(self) -> None:
        """Only measurements are written here."""

    def resume_writing(self) -> None:
        """See there."""

    def connection_lost(self, error: Exception | None) -> None:
        """Whatever the reason, the transfer is over."""
        self._closing = True
        for timer in self._timers:
            timer.cancel()
        if not self.done.done():
            self.done.set_result(None)
        self._previous.connection_lost(error)


class Upload(Transfer):
    """The other end sends."""

    test: ndt7.Test = "upload"

    @property
    def payload_bytes(self) -> int:
        """Received."""
        return self._reader.binary_bytes

    def _is_over(self) -> bool:
        return self.elapsed_s() >= UPLOAD_S

    def _moved_bytes(self) -> int:
        return self._reader.binary_bytes

"""An ndt7 download: messages as large as the path can take, written as it takes them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from functools import lru_cache

from probes import ndt7, websocket
from probes.tcp_info import can_send, tcp_info
from testroom.transfers import Transfer

_TURN_WRITES = 3  # before others on this event loop have their turn; asyncio complains of 5 to a lost connection
_LEAST_UNSENT = 1 << 14  # what the kernel holds unsent: more would delay measurements and the end on a slow link
_MESSAGE_S = 0.1  # what one message may take


class Download(Transfer):
    """We send."""

    test: ndt7.Test = "download"

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__(transport)
        self._sent = 0
        self._size = ndt7.FIRST_MESSAGE
        self._paused = self._woken = False

    @property
    def payload_bytes(self) -> int:
        """Handed to the kernel, or nearly."""
        return max(0, self._sent - self._unsent_bytes())

    def begin(self) -> None:
        """And the first messages go."""
        super().begin()
        self._measure()  # which congestion control, before anything queues
        self._hold_little()
        self._pump()

    def _hold_little(self) -> None:
        self._transport.set_write_buffer_limits(high=1)  # with 0, uvloop's TLS never asks for more
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):
            with contextlib.suppress(OSError, AttributeError):
                self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, max(_LEAST_UNSENT, self._size))

    def _pump(self) -> None:
        """Write until the transport has enough; then, or when others should have their turn, stop for now."""
        self._woken = False
        if not can_send(self._sock):
            self.abort()
        for _ in range(_TURN_WRITES):
            if not self._may_write():
                break
            self._transport.write(_binary_frame(self._size))
            self._sent += self._size
            self._grow()
            if self._is_over():
                self.finish()
        self._wake()

    def _grow(self) -> None:
        """Larger messages, while one takes no longer than _MESSAGE_S."""
        size = ndt7.message_size(self._size, self._sent)
        if size != self._size and size * self.elapsed_s() <= self._sent * _MESSAGE_S:
            self._size = size
            self._hold_little()

    def _may_write(self) -> bool:
        return not (self._paused or self._closing or self._transport.is_closing())

    def _wake(self) -> None:
        """Go on soon, once."""
        if self._may_write() and not self._woken:
            self._woken = True
            self._loop.call_soon(self._pump)

    def pause_writing(self) -> None:
        """The transport has enough for now."""
        self._paused = True

    def resume_writing(self) -> None:
        """It wants more."""
        self._paused = False
        self._wake()

    def _is_over(self) -> bool:
        return self.elapsed_s() >= ndt7.LONGEST_S

    def _moved_bytes(self) -> int:
        info = tcp_info(self._sock)
        return self.payload_bytes if info is None or info.bytes_acked is None else info.bytes_acked

    def _check(self) -> None:
        if self._reader.binary_messages:
            raise websocket.WebSocketError("a binary message where none is allowed")


@lru_cache(maxsize=16)
def _binary_frame(size: int) -> bytes:
    """Random octets, so that nothing on the way can compress them."""
    return websocket.frame_header(websocket.BINARY, size) + os.urandom(size)

"""A relay of UDP datagrams on loopback which does to each what the test says: the test's own ground truth."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager

# (which datagram of its direction, what it holds) -> what goes on; a number among it is a wait in seconds
Treatment = Callable[[int, bytes], Sequence[bytes | float]]


class Pattern:
    """Drops, doubles, or holds back until after the next one, by number."""

    def __init__(self, drop: Collection[int] = (), twice: Collection[int] = (), hold: Collection[int] = ()) -> None:
        self._drop, self._twice, self._hold = drop, twice, hold
        self._held: list[bytes] = []

    def __call__(self, index: int, packet: bytes) -> list[bytes]:
        if index in self._hold:
            self._held.append(packet)
            return []
        out = [] if index in self._drop else [packet] * (2 if index in self._twice else 1)
        out += self._held
        self._held = []
        return out


@contextmanager
def relay(port: int, up: Treatment = Pattern(), down: Treatment = Pattern()) -> Iterator[int]:  # noqa: B008
    """Between one client and the reflector at `port`; gives the port that the client sends to."""
    outside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    inside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    stop = threading.Event()
    with outside, inside:
        outside.bind(("127.0.0.1", 0))
        inside.connect(("127.0.0.1", port))
        thread = threading.Thread(target=_pass_on, args=(outside, inside, up, down, stop), name="relay")
        thread.start()
        try:
            yield outside.getsockname()[1]
        finally:
            stop.set()
            thread.join()


def _pass_on(
    outside: socket.socket, inside: socket.socket, up: Treatment, down: Treatment, stop: threading.Event
) -> None:
    client, ups, downs = ("", 0), 0, 0
    while not stop.is_set():
        for ready in select.select([outside, inside], [], [], 0.05)[0]:
            if ready is outside:
                packet, client = outside.recvfrom(65536)
                _send(up(ups, packet), inside.send)
                ups += 1
            else:
                _send(down(downs, inside.recv(65536)), lambda out, to=client: outside.sendto(out, to))
                downs += 1


def _send(treated: Sequence[bytes | float], send: Callable[[bytes], object]) -> None:
    for out in treated:
        if isinstance(out, float):
            time.sleep(out)
        else:
            send(out)

"""The impaired path as a test sees it: a laptop, a room, and a relay between them."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from tests.netlab.config import Config, Device
from tests.netlab.fate import Fate, read_log
from tests.netlab.impairment import Impairment
from tests.netlab.namespaces import Namespace, end, new_namespace

CHECKOUT = Path(__file__).resolve().parents[2]
PATIENCE = 15.0  # seconds for the relay to start, to answer or to write its log
NO_IMPAIRMENT = Impairment()


class RelayError(RuntimeError):
    """The relay did not start, did not answer, or ended too early."""


class ImpairedPath:
    """`number` tells paths between the same two namespaces apart: each has devices and addresses of its own."""

    def __init__(self, laptop: Namespace, room: Namespace, number: int) -> None:
        self.laptop = laptop
        self.room = room
        self.number = number
        self.laptop_device, self.room_device = f"laptop{number}", f"room{number}"
        self.laptop_address, self.room_address = f"10.99.{number}.1", f"10.99.{number}.2"
        self.laptop_address_v6, self.room_address_v6 = f"fd99:0:0:{number:x}::1", f"fd99:0:0:{number:x}::2"
        self._relay: subprocess.Popen[bytes] | None = None
        self._log: list[Fate] | None = None

    @property
    def log(self) -> list[Fate]:
        """What became of every packet. Raises RelayError while the path is still up: wait for your packets first."""
        if self._log is None:
            raise RelayError("the log is there when the path has been closed")
        return self._log

    def change(self, *, up: Impairment | None = None, down: Impairment | None = None) -> int:
        """Another impairment for the packets from now on; returns since when (CLOCK_REALTIME, ns)."""
        new = {way: given.to_json() for way, given in (("up", up), ("down", down)) if given is not None}
        relay = self._running()
        assert relay.stdin is not None
        relay.stdin.write(json.dumps(new).encode() + b"\n")
        relay.stdin.flush()
        return int(self._heard(relay)["changed_ns"])

    @property
    def relay_pid(self) -> int:
        """The relay's process. Raises RelayError when it has ended."""
        return self._running().pid

    def config(self, up: Impairment, down: Impairment, *, seed: int, busy: bool, log: int) -> Config:
        """The laptop's default route goes to the room, as on a real link; path 0 has the best metric."""
        return Config(
            laptop_namespace=f"/proc/self/fd/{self.laptop.fd}",
            room_namespace=f"/proc/self/fd/{self.room.fd}",
            laptop=self._device(self.laptop_device, self.laptop_address, self.laptop_address_v6, self.room_address),
            room=self._device(self.room_device, self.room_address, self.room_address_v6, None),
            up=up,
            down=down,
            log=f"/proc/self/fd/{log}",
            seed=seed,
            busy=busy,
        )

    def _device(self, name: str, v4: str, v6: str, gateway: str | None) -> Device:
        return Device(name, (f"{v4}/30", f"{v6}/64"), gateway, metric=100 * (self.number + 1))

    def start(self, config: Config, log: int) -> None:
        """Returns when both devices are up; `log` is an open file for the relay. Raises RelayError."""
        command = [sys.executable, "-m", "tests.netlab.relay", "--config", config.to_json()]
        fds, pipe = (self.laptop.fd, self.room.fd, log), subprocess.PIPE
        self._relay = subprocess.Popen(command, cwd=CHECKOUT, stdin=pipe, stdout=pipe, stderr=pipe, pass_fds=fds)
        self._heard(self._relay)

    def stop(self, log: int) -> None:
        """End the relay and read its log. Raises RelayError when it does not end by itself."""
        relay = self._running()
        assert relay.stdin is not None
        with suppress(BrokenPipeError):
            relay.stdin.close()
        try:
            relay.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise RelayError("the relay did not end when told to") from None
        if relay.returncode != 0:
            raise RelayError(f"the relay ended with {relay.returncode}: {self._last_words(relay)}")
        self._log = read_log(Path(f"/proc/self/fd/{log}"))

    def discard(self) -> None:
        """Whatever happened, no relay is left running."""
        if self._relay is not None:
            end(self._relay)
            self._relay = None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._relay is None:
            raise RelayError("the path is closed")
        return self._relay

    def _heard(self, relay: subprocess.Popen[bytes]) -> dict[str, Any]:
        """The relay's next line, within PATIENCE."""
        assert relay.stdout is not None
        got, deadline = b"", time.monotonic() + PATIENCE
        while not got.endswith(b"\n"):
            ready, _, _ = select.select([relay.stdout], [], [], max(0.0, deadline - time.monotonic()))
            part = os.read(relay.stdout.fileno(), 4096) if ready else b""
            if not part:
                raise RelayError(f"the relay does not answer: {self._last_words(relay)}")
            got += part
        answer: dict[str, Any] = json.loads(got)
        return answer

    def _last_words(self, relay: subprocess.Popen[bytes]) -> str:
        """What the relay wrote to stderr before it ended; it is ended if it has not."""
        assert relay.stderr is not None
        relay.kill()
        relay.wait(PATIENCE)
        return relay.stderr.read().decode(errors="replace")[-2000:]


@contextmanager
def impaired_path(
    up: Impairment = NO_IMPAIRMENT,
    down: Impairment = NO_IMPAIRMENT,
    *,
    seed: int = 0,
    busy: bool = False,
    beside: ImpairedPath | None = None,
    number: int | None = None,
) -> Iterator[ImpairedPath]:
    """A laptop and a room with a relay between. up: from the laptop to the room.

    `beside` lays a further path between the same two namespaces (a second link); its `number` is 1 if not said.
    Its `log` is there after the block. Raises RelayError, and PermissionError where `unavailable()` says why.
    """
    with ExitStack() as stack:
        laptop = beside.laptop if beside else stack.enter_context(new_namespace("laptop"))
        room = beside.room if beside else stack.enter_context(new_namespace("room"))
        path = ImpairedPath(laptop, room, number if number is not None else int(beside is not None))
        log = os.memfd_create("netlab")  # no file that a killed run would leave behind
        stack.callback(os.close, log)
        stack.callback(path.discard)
        path.start(path.config(up, down, seed=seed, busy=busy, log=log), log)
        yield path
        path.stop(log)


class PathFactory(Protocol):
    """`impaired_path`, as the fixture hands it out."""

    def __call__(
        self,
        up: Impairment = ...,
        down: Impairment = ...,
        *,
        seed: int = ...,
        busy: bool = ...,
        beside: ImpairedPath | None = ...,
        number: int | None = ...,
    ) -> AbstractContextManager[ImpairedPath]: ...

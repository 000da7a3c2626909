"""A private PulseAudio server: null sinks are rooms, and sources made of their monitors are the microphones in them.

The fixture `pulse` (conftest.py) gives a running Pulse, with PULSE_SERVER set for this process and its children.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

PROGRAM = shutil.which("pulseaudio")
RATE = 48000
STARTS_WITHIN_S = 10.0
# No shared memory, so that what a test traces by system calls is all there is.
WORDS = "-n --daemonize=no --exit-idle-time=-1 --use-pid-file=no --disable-shm=yes --log-level=error"


@dataclass(frozen=True, slots=True)
class Pulse:
    """The running server. Names are PulseAudio's own: a Device's handle is `pulse:NAME`."""

    server: str
    process: subprocess.Popen[bytes]

    def pactl(self, *words: str) -> str:
        """One command of pactl; its output."""
        done = subprocess.run(["pactl", *words], stdout=subprocess.PIPE, text=True, timeout=10, check=True)
        return done.stdout.strip()

    def load(self, module: str, *words: str) -> int:
        """Load a module with arguments `name=value`; its number, for unload()."""
        return int(self.pactl("load-module", module, *words))

    def unload(self, module: int) -> None:
        """As when a device is unplugged."""
        self.pactl("unload-module", str(module))

    def speaker(self, name: str, description: str = "", channels: int = 1, **more: str) -> int:
        """A sink. What it plays is heard by the microphones made of it. `more`: device_form_factor="headset"."""
        properties = _properties("sink", description or name, more)
        # with rewinds it would begin with two seconds of silence at once, and its monitor be silent for as long
        sound = ("norewinds=1", f"rate={RATE}", f"channels={channels}")
        return self.load("module-null-sink", f"sink_name={name}", *sound, properties)

    def microphone(self, name: str, room: str, description: str = "", **more: str) -> int:
        """A source that looks like a real one and hears what the sink `room` plays."""
        properties = _properties("source", description or name, more)
        return self.load("module-remap-source", f"source_name={name}", f"master={room}.monitor", properties)

    def mute(self, source: str, *, muted: bool = True) -> None:
        """By the sound system's own switch."""
        self.pactl("set-source-mute", source, str(int(muted)))

    def volume(self, source: str, percent: int) -> None:
        """Of a source, by PulseAudio's own (cubic) scale."""
        self.pactl("set-source-volume", source, f"{percent}%")

    def defaults(self, *, source: str | None = None, sink: str | None = None) -> None:
        """What a program gets that asks for no device."""
        for kind, name in (("source", source), ("sink", sink)):
            if name is not None:
                self.pactl(f"set-default-{kind}", name)

    @contextlib.contextmanager
    def playing(self, sink: str, samples: NDArray[Any], rate: int = RATE) -> Iterator[None]:
        """Play (n,) samples of -1..1 over and over, from memory, while the block lasts."""
        words = ["pacat", "--playback", "--raw", "--format=float32le", f"--rate={rate}", "--channels=1"]
        words += ["--latency-msec=400", f"--device={sink}"]
        with subprocess.Popen(words, stdin=subprocess.PIPE, bufsize=0) as player:
            feeder = threading.Thread(target=_feed, args=(player, samples.astype("float32").tobytes()), daemon=True)
            feeder.start()
            try:
                self._heard(sink)
                yield
            finally:
                player.kill()
                feeder.join(5)

    def _heard(self, sink: str) -> None:
        """Wait until the sink plays."""
        until = time.monotonic() + 5
        while not any("RUNNING" in line and f"\t{sink}\t" in line for line in self._sinks()):
            assert time.monotonic() < until, f"{sink} does not play"
            time.sleep(0.02)

    def _sinks(self) -> list[str]:
        return self.pactl("list", "short", "sinks").splitlines()


@contextlib.contextmanager
def running() -> Iterator[Pulse]:
    """A server of its own in a folder of its own, ended at the end of the block."""
    with TemporaryDirectory(prefix="pulse") as folder, _environment(Path(folder)) as server:
        listen = f"module-native-protocol-unix socket={folder}/native auth-anonymous=1 auth-cookie-enabled=0"
        words = ["pulseaudio", *WORDS.split(), "-L", listen]
        with subprocess.Popen(words, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                _wait(Path(folder) / "native", process)
                yield Pulse(server, process)
            finally:
                process.kill()


def _properties(kind: str, description: str, more: dict[str, str]) -> str:
    """`device_bus` is device.bus; a class of "sound" is what a sound card's have. No value may hold a double quote."""
    given = {name.replace("_", ".", 1): value for name, value in more.items()}
    every = {"device.description": description, "device.class": "sound"} | given
    pairs = " ".join(f'{name}="{value}"' for name, value in every.items())
    return f"{kind}_properties='{pairs.replace(chr(39), chr(92) + chr(39))}'"


def _feed(player: subprocess.Popen[bytes], data: bytes) -> None:
    assert player.stdin is not None
    with contextlib.suppress(OSError, ValueError):
        while True:
            player.stdin.write(data)


def _wait(socket: Path, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + STARTS_WITHIN_S
    while not socket.exists():
        assert process.poll() is None, "pulseaudio has ended"
        assert time.monotonic() < until, "pulseaudio does not start"
        time.sleep(0.01)


@contextlib.contextmanager
def _environment(folder: Path) -> Iterator[str]:
    """Everything that PulseAudio and its clients would put into the user's home is put into the folder."""
    server = f"unix:{folder}/native"
    ours = {
        "PULSE_SERVER": server, "PULSE_RUNTIME_PATH": str(folder), "PULSE_STATE_PATH": str(folder),
        "PULSE_COOKIE": str(folder / "cookie"), "PULSE_CONFIG_PATH": str(folder),
    }  # fmt: skip
    before = {name: os.environ.get(name) for name in ours}
    os.environ.update(ours)
    try:
        yield server
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value

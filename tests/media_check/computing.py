"""What tests of the computer check share: an errand, trees of files, and a card service of their own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from media_check.errand import Errand

DRIVER = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
ANSWER_TO_RESET = bytes.fromhex("3B80800101")  # the least that a card without contacts may say
GET_ATR = b"\x04"


def errand(seconds: float = 6.0, **changes: object) -> Errand:
    return Errand((), time.monotonic() + seconds, asyncio.Event(), **changes)  # type: ignore[arg-type]


def tree(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text + "\n")
    return root


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def possible() -> bool:
    """pcscd keeps its socket in /run, so it gets a mount namespace."""
    return os.geteuid() == 0 and DRIVER.exists() and all(map(shutil.which, ("pcscd", "unshare")))


@contextlib.contextmanager
def card_service(folder: Path, port: int | None) -> Iterator[subprocess.Popen[bytes]]:
    """A running pcscd, with vsmartcard's two virtual readers where there is a port. Its socket: folder/pcscd.comm."""
    configuration = tree(folder, {"conf/none": ""} if port is None else {"conf/vpcd": _reader(port)}) / "conf"
    script = 'mount -t tmpfs none /run && mkdir /run/pcscd && mount --bind "$0" /run/pcscd && exec pcscd -f -c "$1"'
    process = subprocess.Popen(
        ["unshare", "-m", "--propagation", "private", "sh", "-c", script, str(folder), str(configuration)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until(lambda: (folder / "pcscd.comm").exists())
        yield process
    finally:
        process.kill()
        process.wait()


def _reader(port: int) -> str:
    device = f"DEVICENAME /dev/null:0x{port:X}\nLIBPATH {DRIVER}\nCHANNELID 0x{port:X}"
    return f'FRIENDLYNAME "Virtual PCD"\n{device}'


@contextlib.contextmanager
def card(port: int) -> Iterator[None]:
    """A card in the first virtual reader, by vpcd's protocol: two octets of length, then the message."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as s:
        s.settimeout(None)
        threading.Thread(target=_answer, args=(s,), daemon=True).start()
        yield
        s.shutdown(socket.SHUT_RDWR)


def _answer(s: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while len(head := s.recv(2)) == 2:
            message = s.recv(int.from_bytes(head, "big"))
            if message == GET_ATR:
                s.sendall(len(ANSWER_TO_RESET).to_bytes(2, "big") + ANSWER_TO_RESET)
            elif len(message) > 1:
                s.sendall(b"\x00\x02\x6d\x00")


def until(happened: object, seconds: float = 5.0) -> None:
    assert callable(happened)
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)

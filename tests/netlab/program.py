"""The real program on an impaired path: `motesklar room` in one namespace, `motesklar check` in the other."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tests.netlab.namespaces import Namespace
from tests.netlab.path import CHECKOUT

TOKEN = "a token for the impaired path"
MOTESKLAR = [sys.executable, "-m", "agent"]
PATIENCE = 120


class Ends(Protocol):
    """What an impaired and a routed path have in common."""

    @property
    def laptop(self) -> Namespace: ...
    @property
    def room(self) -> Namespace: ...
    @property
    def room_address(self) -> str: ...


@dataclass
class Result:
    """One check: its exit code and its echo measurement."""

    code: int
    document: dict[str, Any]

    @property
    def echo(self) -> dict[str, Any]:
        return self.of("echo")

    @property
    def level(self) -> str:
        return str(self.document["verdict"]["level"])

    def of(self, name: str) -> dict[str, Any]:
        """The measurement of that name."""
        return next(m for m in self.document["measurements"] if m["name"] == name)

    def echo_of(self, link: str) -> dict[str, Any]:
        return next(m for m in self.document["measurements"] if (m["name"], m["subject"]) == ("echo", link))

    @property
    def values(self) -> dict[str, float]:
        return self.echo["values"]


class Room:
    """`motesklar room` in the room's namespace."""

    def __init__(self, path: Ends, folder: Path, host: str, *more: str) -> None:
        tokens = folder / "tokens.toml"
        tokens.write_text(f'[tokens]\nhabo = "{TOKEN}"\n')
        asked = ["--listen", f"{host}:8443", "--stamp-port", "8862", "--token-file", str(tokens), *more]
        self.process = path.room.popen(
            [*MOTESKLAR, "room", *asked], cwd=CHECKOUT, env=_environment(folder), stderr=subprocess.PIPE, text=True
        )
        assert self.process.stderr is not None
        line = self.process.stderr.readline()
        found = re.search(r"https://\S+", line)
        assert found, line + self.process.stderr.read()
        self.url = found[0]

    def stop(self) -> None:
        self.process.terminate()
        assert self.process.wait(10) == 0


def _environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "HOME": str(folder), "MOTESKLAR_TOKEN": TOKEN, "XDG_DATA_HOME": str(folder)}


@contextmanager
def room_on(path: Ends, folder: Path, host: str = "", *more: str) -> Iterator[Room]:
    """The room, on the path's IPv4 address unless another `host` is said (in brackets if IPv6)."""
    room = Room(path, folder, host or path.room_address, *more)
    try:
        yield room
    finally:
        room.stop()


def check(path: Ends, room: Room, folder: Path, *more: str, through: Sequence[str] = ()) -> Result:
    process = start_check(path, room, folder, *more, through=through)
    out, err = process.communicate(timeout=PATIENCE)
    return result_of(process, out, err)


def start_check(path: Ends, room: Room, folder: Path, *more: str, through: Sequence[str] = ()) -> subprocess.Popen[str]:
    """A check that goes on; result_of() reads what it printed. `through`: a command that starts it."""
    command = [*through, *MOTESKLAR, "check", "--room", room.url, "--no-devices", "--json", *more]
    pipe = subprocess.PIPE
    return path.laptop.popen(command, cwd=CHECKOUT, env=_environment(folder), stdout=pipe, stderr=pipe, text=True)


def result_of(process: subprocess.Popen[str], out: str, err: str) -> Result:
    assert "Traceback" not in err, err
    assert out, (process.returncode, err)
    return Result(process.returncode, json.loads(out))

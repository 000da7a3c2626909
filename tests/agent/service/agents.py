"""The real agent and a real room that keeps self-tests, each a process of its own, ended by pid."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import sqlite3
import subprocess
import time
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from testroom import certificate
from tests.agent.program import command, environment

TOKEN = "habo's secret of 24 octets"
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass
class Program:
    """One that runs. `lines`: what it has said on standard error."""

    process: asyncio.subprocess.Process
    lines: list[str] = field(default_factory=list)
    reading: asyncio.Task[None] | None = None

    async def said(self, words: str, times: int = 1, seconds: float = 20) -> list[str]:
        """Wait until it has said so."""
        async with asyncio.timeout(seconds):
            while len(found := [line for line in self.lines if words in line]) < times:
                assert self.process.returncode is None, self.lines
                await asyncio.sleep(0.02)
        return found

    async def end(self, number: signal.Signals, seconds: float = 10) -> int:
        """The exit code, within so long."""
        self.process.send_signal(number)
        code = await asyncio.wait_for(self.process.wait(), seconds)
        if self.reading is not None:
            await self.reading
        assert not any("Traceback" in line for line in self.lines), self.lines
        return code


@asynccontextmanager
async def running(
    home: Path, *arguments: object, prefix: tuple[str, ...] = (), stdout: int = subprocess.DEVNULL, **more: str
) -> AsyncIterator[Program]:
    process = await asyncio.create_subprocess_exec(
        *prefix, *command(*arguments), env=environment(home, **more), cwd=home, stdin=subprocess.DEVNULL,
        stdout=stdout, stderr=subprocess.PIPE,
    )  # fmt: skip
    program = Program(process)
    program.reading = asyncio.create_task(_read(program))
    try:
        yield program
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        await program.reading


async def _read(program: Program) -> None:
    assert program.process.stderr is not None
    async for line in program.process.stderr:
        program.lines.append(line.decode())


class Place:
    """A folder with the settings of an agent, and a room that is not there yet."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.settings = folder, folder / "settings.toml"
        pair = certificate.make()
        (folder / "chain.pem").write_bytes(pair.chain)
        (folder / "key.pem").write_bytes(pair.key)
        (folder / "tokens.toml").write_text(f'[tokens]\nhabo = "{TOKEN}"\n')
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            self.port = sock.getsockname()[1]
        self.url = f"https://127.0.0.1:{self.port}#sha256={pair.fingerprint.hex()}"

    def write(self, seconds: float = 1.0, every: float = 0.01, **agent: object) -> None:
        """Settings: a test every `every` minutes."""
        told = {
            "every_minutes": every,
            "listen": "127.0.0.1:0",
            "only": "echo",
            "flows": False,
            "battery": True,
        } | agent
        lines = [f"{name} = {json.dumps(value)}" for name, value in told.items()]
        room = f'[room]\nurl = "{self.url}"\ntoken = "{TOKEN}"\n[collector]\nurl = "room"\n'
        self.settings.write_text(f"{room}[check]\nseconds = {seconds}\n[agent]\n" + "\n".join(lines) + "\n")

    @asynccontextmanager
    async def room(self) -> AsyncIterator[Program]:
        """The room, when it answers."""
        arguments = ("room", "--listen", f"127.0.0.1:{self.port}", "--stamp-port", 0, "--no-calls", "--no-throughput")
        keys = ("--tls-cert", self.folder / "chain.pem", "--tls-key", self.folder / "key.pem")
        kept = ("--token-file", self.folder / "tokens.toml", "--store", self.folder / "fleet.db")
        async with running(self.folder, *arguments, *keys, *kept) as program:
            await program.said("self-tests are kept")
            yield program

    @asynccontextmanager
    async def agent(self, prefix: tuple[str, ...] = ()) -> AsyncIterator[Program]:
        async with running(self.folder, "agent", "--settings", self.settings, prefix=prefix) as program:
            await program.said("listening on")
            yield program

    def stored(self) -> list[tuple[str, str]]:
        """(run, machine) of all that the room has."""
        if not (path := self.folder / "fleet.db").exists():
            return []
        query = "SELECT run_id, pseudonym FROM self_tests LEFT JOIN machines ON machines.id = machine_id"
        with closing(sqlite3.connect(path)) as db:
            return db.execute(query).fetchall()


async def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.02)


def ask(program: Program, path: str) -> bytes:
    """The agent's own server."""
    (line,) = [line for line in program.lines if "listening on" in line][-1:]
    url = line.split("listening on ")[1].strip().removesuffix("/metrics") + path
    with _DIRECT.open(url, timeout=5) as answer:
        return bytes(answer.read())


async def health(program: Program, **wanted: Any) -> dict[str, Any]:
    """/health, when it says so."""
    ends = time.monotonic() + 20
    while True:
        found: dict[str, Any] = json.loads(await asyncio.to_thread(ask, program, "/health"))
        if wanted.items() <= found.items():
            return found
        assert time.monotonic() < ends, found
        await asyncio.sleep(0.05)

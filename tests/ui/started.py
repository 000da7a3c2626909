"""`motesklar ui` in a process of its own, and what a test sees of it."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import psutil

from tests.agent.service.agents import Program, running

URL = re.compile(r"^(http://127\.0\.0\.1:(\d+))/open/[\w-]{43}$", re.MULTILINE)


@contextlib.asynccontextmanager
async def started(home: Path, *arguments: object, prefix: tuple[str, ...] = (), **more: str) -> AsyncIterator[Program]:
    """When it has said its address."""
    async with running(home, "ui", *arguments, prefix=prefix, stdout=asyncio.subprocess.PIPE, **more) as program:
        await program.said("/open/")
        yield program


def address(program: Program) -> tuple[str, str]:
    """The opening one, and the page's."""
    found = URL.search("".join(program.lines))
    assert found, program.lines
    return found[0], found[1]


@contextlib.asynccontextmanager
async def opened(url: str) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        async with session.get(url) as answer:
            assert answer.status == 200
            assert "Mötesklar" in await answer.text()
        yield session


def lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


def script(folder: Path, does: str) -> Path:
    """In place of a browser."""
    (folder / "open").write_text(f"#!/bin/sh\n{does}\n")
    (folder / "open").chmod(0o755)
    return folder / "open"


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def children(program: Program) -> list[psutil.Process]:
    return psutil.Process(program.process.pid).children(recursive=True)


def gone(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True

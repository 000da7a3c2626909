"""The real program and its children, followed as its page follows it, for tests that stand in their way.

async with followed(home, environment) as it:
    await it.start()
    await it.to("listening")            # what is asked on the way is answered
    await it.signal(signal.SIGKILL)     # its children
    await it.to("end")
    assert it.told("microphone") == [...]
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from processes import tasks
from tests.agent.program import environment
from tests.agent.service.agents import Program
from tests.e2e.ui_hindered_program import GONE

State = Mapping[str, Any]
URL = re.compile(r"^(http://127\.0\.0\.1:\d+)/open/[\w-]{43}$", re.MULTILINE)
GONE_S = 0.3
PATIENCE_S = 40.0
ENDS_S = 3.0  # whatever has to, does so within
ANSWERS: dict[str, str] = {"heard": "yes", "speak": "go", "own_voice": "next", "picture": "good"}
PROGRAM = (sys.executable, "-m", "tests.e2e.ui_hindered_program", "ui", "--no-browser", "--lang", "sv")
SETTINGS = "[check]\nseconds = 1.0\n"


def at(step: str, *what: str) -> Callable[[State], bool]:
    return lambda state: any(
        s["name"] == step and s["doing"] == "running" and s["what"] in what for s in state["steps"]
    )


def asks(kind: str) -> Callable[[State], bool]:
    return lambda state: state["question"] is not None and state["question"]["kind"] == kind


MOMENTS: Mapping[str, Callable[[State], bool]] = {
    "looking": lambda state: any(step["what"] == "looking" for step in state["steps"]),
    "tone": at("speaker", "playing"),
    "heard": asks("heard"),
    "speak": asks("speak"),
    "listening": at("microphone", "speak_now"),
    "own_voice": asks("own_voice"),
    "picture": asks("picture"),
    "connection": at("connection", "measuring"),
    "joining": at("joining", "call"),
    "computer": at("computer", "encoding"),
    "end": lambda state: state["phase"] != "running",
}


@dataclass
class Followed:
    """One that runs. `state`: as its page has it."""

    program: Program
    home: Path
    url: str  # which opens the page, once
    base: str
    session: aiohttp.ClientSession
    state: State = field(default_factory=dict)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _listening: asyncio.Task[None] | None = None
    _answered: int = 0

    # ---- the page

    async def open(self) -> None:
        """As a browser opens it: with the address, and then the page listens."""
        async with self.session.get(self.url) as answer:
            assert answer.status == 200
        await self.open_tab()

    async def open_tab(self) -> None:
        """The page is there, and has been told how things are."""
        self._news.clear()
        self._listening = asyncio.create_task(self._listen())
        await asyncio.wait_for(self._news.wait(), ENDS_S)

    async def close_tab(self) -> None:
        if self._listening is not None:
            await tasks.end(self._listening)

    async def _listen(self) -> None:
        kind = ""
        with contextlib.suppress(aiohttp.ClientError):
            async with self.session.get(f"{self.base}/v1/events") as answer:
                async for line in answer.content:
                    kind = line.decode().removeprefix("event: ").strip() if line.startswith(b"event") else kind
                    if line.startswith(b"data: ") and kind == "state":
                        self.state = json.loads(line.removeprefix(b"data: "))
                        self._news.set()

    async def stopped(self, seconds: float) -> None:
        """The run has ended, while no page is there."""
        async with asyncio.timeout(seconds):
            while self.state["phase"] == "running":
                await asyncio.sleep(0.1)
                async with self.session.get(f"{self.base}/v1/state") as answer:
                    self.state = await answer.json()

    async def post(self, name: str, **body: object) -> int:
        headers = {"Origin": self.base, "Sec-Fetch-Site": "same-origin"}
        async with self.session.post(f"{self.base}/v1/{name}", json=body, headers=headers) as answer:
            return answer.status

    async def start(self) -> None:
        assert await self.post("start", company="alone") == 204
        await self.when(lambda state: state["phase"] == "running")

    async def redo(self, *steps: str) -> None:
        assert await self.post("redo", steps=steps) == 204
        await self.when(lambda state: state["phase"] == "running")

    async def answer(self, answer: str) -> None:
        """The question that is there; it is asked no more."""
        self._answered = self.state["question"]["number"]
        assert await self.post("answer", question=self._answered, answer=answer) == 204
        await self.when(lambda state: (state["question"] or {}).get("number") != self._answered)

    async def when(self, so: Callable[[State], bool], seconds: float = PATIENCE_S) -> None:
        """It is so."""
        async with asyncio.timeout(seconds):
            while not so(self.state):
                self._news.clear()
                await self._news.wait()

    async def to(self, moment: str, answers: Mapping[str, str] = ANSWERS) -> None:
        """That moment of MOMENTS; what is asked on the way is answered."""
        async with asyncio.timeout(PATIENCE_S):
            while not MOMENTS[moment](self.state):
                self._news.clear()
                question = self.state["question"]
                if question is not None and question["number"] > self._answered:
                    await self.answer(answers[question["kind"]])
                else:
                    assert moment == "end" or self.state["phase"] == "running", f"it ended before {moment}"
                    await self._news.wait()

    # ---- what it shows

    def step(self, name: str) -> Mapping[str, Any]:
        return next(step for step in self.state["steps"] if step["name"] == name)

    def told(self, name: str) -> list[str]:
        """The step's results in Swedish."""
        return [result["says"]["sv"] for result in self.step(name)["results"]]

    def levels(self, *names: str) -> list[str | None]:
        return [self.step(name)["level"] for name in names]

    # ---- its processes

    @property
    def pid(self) -> int:
        return self.program.process.pid

    def children(self) -> list[psutil.Process]:
        """Those that run."""
        found = psutil.Process(self.pid).children(recursive=True)
        return [process for process in found if not _gone(process)]

    async def signal(self, number: signal.Signals) -> None:
        """To every child that it has, once it has one."""
        async with asyncio.timeout(ENDS_S):
            while not (found := self.children()):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        for process in found:
            process.send_signal(number)

    def left(self) -> list[str]:
        """All that was begun by it, directly or not: they share its home."""
        return [" ".join(process.cmdline()) for process in psutil.process_iter() if self._is_ours(process)]

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return process.pid != self.pid and process.environ().get("HOME") == str(self.home) and not _gone(process)
        except psutil.Error:
            return False

    async def alone(self, seconds: float = ENDS_S) -> float:
        """Nothing of it is left but, if it runs, itself; after so many seconds."""
        begun = time.monotonic()
        while found := self.left():
            assert time.monotonic() - begun < seconds, found
            await asyncio.sleep(0.02)
        return time.monotonic() - begun


def _gone(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@contextlib.asynccontextmanager
async def followed(
    home: Path, more: Mapping[str, str], *arguments: str, prefix: Sequence[str] = (), tab: bool = True
) -> AsyncIterator[Followed]:
    """It runs, and `tab`: its page is open. `more`: its environment. At the end it is killed, and nothing is left."""
    (home / "settings.toml").write_text(SETTINGS)
    process = await asyncio.create_subprocess_exec(
        *prefix, *PROGRAM, "--settings", str(home / "settings.toml"), *arguments, cwd=home,
        env=environment(home, **{GONE: str(GONE_S), **more}), stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    program = Program(process)
    program.reading = asyncio.create_task(_read(program))
    jar = aiohttp.CookieJar(unsafe=True)
    try:
        await program.said("/open/")
        found = URL.search("".join(program.lines))
        assert found, program.lines
        async with aiohttp.ClientSession(cookie_jar=jar, read_bufsize=1 << 22) as session:
            it = Followed(program, home, found[0], found[1], session)
            if tab:
                await it.open()
            yield it
            await it.close_tab()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        await program.reading
    assert not any("Traceback" in line or "defect" in line for line in program.lines), program.lines
    await it.alone()


async def _read(program: Program) -> None:
    assert program.process.stderr is not None
    async for line in program.process.stderr:
        program.lines.append(line.decode())

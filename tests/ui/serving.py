"""The real server of the page on loopback, before a flow that does as it is told; and requests in octets."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from agent.options import Options
from agent.ui.guard import COOKIE, OPEN
from agent.ui.server import Page
from agent.ui.state import ANSWERS, STEPS, Question, State, Step, StepName
from media_check.errand import Company
from reports.policy import load_policy
from reports.record import DeviceKind, SelfTest
from tests.reports.store.rows import run

SAME = ("Sec-Fetch-Site: same-origin",)


def options() -> Options:
    return Options(policy=load_policy(None), room=None, seconds=1.0, language="sv", probes=())


class Told:
    """In place of the flow: a real State, one question, and a run that lasts until it is told to stop."""

    def __init__(
        self,
        asked: Options,
        changed: Callable[[], None],
        level: Callable[[float], None],
        frame: Callable[[bytes], None],
    ) -> None:
        self.state = State(lang=asked.language, steps=tuple(Step(name, 1.0) for name in STEPS))
        self.changed, self.level, self.frame = changed, level, frame
        self.self_test: SelfTest | None = None
        self.asked: list[object] = []
        self.defect: Exception | None = None
        self._stop = asyncio.Event()

    async def start(self, company: Company, *, only: Sequence[StepName] = ()) -> None:
        self.asked.append((company, tuple(only)))
        await self._run(company)

    async def compare(self) -> None:
        self.asked.append("compare")
        await self._run(self.state.company)

    async def _run(self, company: Company | None) -> None:
        self._stop.clear()
        self.state.company, self.state.phase, self.state.trouble = company, "running", ""
        self.state.question = Question(7, "speaker", "heard", ANSWERS["heard"])
        self.touch()
        try:
            if self.defect is not None:
                raise self.defect
            await self._stop.wait()
        finally:
            self.state.question = None
        self.state.phase, self.state.trouble = "start", "stopped"
        self.touch()

    def touch(self) -> None:
        self.state.revision += 1
        self.changed()

    def stop(self) -> None:
        self._stop.set()

    def answer(self, number: int, answer: str) -> bool:
        self.asked.append((number, answer))
        question = self.state.question
        return question is not None and number == question.number and answer in question.answers

    def choose(self, kind: DeviceKind, number: int) -> bool:
        self.asked.append((kind, number))
        return number == 1

    def ended(self, name: str) -> None:
        """A self-test has."""
        self.self_test = run(name)


@asynccontextmanager
async def serving(folder: Path | None = None, **more: Any) -> AsyncIterator[Page]:
    async with Page(options(), Told, folder=folder, **more) as page:
        yield page


def told(page: Page) -> Told:
    assert isinstance(page.flow, Told)
    return page.flow


async def key(page: Page) -> str:
    """The cookie, as the header that a browser sends."""
    answer = await say(page, get(OPEN + page.guard.token()))
    found = re.search(rf"^Set-Cookie: ({COOKIE}=[\w-]+);", answer, re.MULTILINE)
    assert found, answer
    return f"Cookie: {found[1]}"


def get(path: str, *headers: str, method: str = "GET", host: str = "127.0.0.1:PORT") -> bytes:
    """A request in octets; PORT becomes the server's."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", f"Host: {host}", *headers, "", ""]).encode()


def post(
    path: str, body: object, *headers: str, origin: str = "http://127.0.0.1:PORT", host: str = "127.0.0.1:PORT"
) -> bytes:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = (f"Origin: {origin}", "Content-Type: application/json", f"Content-Length: {len(raw)}", *headers)
    return get(path, *head, method="POST", host=host) + raw


async def say(page: Page, octets: bytes, seconds: float = 5) -> str:
    """The whole answer. The connection is closed after it: who says so first is this side."""
    reader, writer = await asyncio.open_connection("127.0.0.1", page.port)
    writer.write(octets.replace(b"\r\n", b"\r\nConnection: close\r\n", 1).replace(b"PORT", str(page.port).encode()))
    try:
        async with asyncio.timeout(seconds):
            return (await reader.read()).decode(errors="replace")
    except ConnectionError:
        return ""
    finally:
        writer.close()


def status(answer: str) -> int:
    found = re.match(r"HTTP/1\.[01] (\d{3}) ", answer)
    assert found, answer[:200]
    return int(found[1])


def code(answer: str) -> str:
    return str(json.loads(answer.partition("\r\n\r\n")[2])["code"])


class Visitor:
    """A browser's own page, with its cookie."""

    def __init__(self, page: Page, session: aiohttp.ClientSession) -> None:
        self.page, self.session = page, session
        self.url = f"http://127.0.0.1:{page.port}"
        self.headers = {"Origin": self.url, "Sec-Fetch-Site": "same-origin"}

    async def post(self, name: str, body: object) -> tuple[int, str]:
        """Status and code."""
        async with self.session.post(f"{self.url}/v1/{name}", json=body, headers=self.headers) as answer:
            return answer.status, (await answer.json())["code"] if answer.status != 204 else ""

    async def get(self, path: str) -> tuple[int, str, bytes]:
        """Status, content type, body."""
        async with self.session.get(f"{self.url}{path}", headers={"Sec-Fetch-Site": "same-origin"}) as answer:
            return answer.status, answer.content_type, await answer.read()

    @asynccontextmanager
    async def events(self) -> AsyncIterator[AsyncIterator[tuple[str, Any]]]:
        """(event, data) as they come."""
        async with self.session.get(f"{self.url}/v1/events", timeout=aiohttp.ClientTimeout(total=20)) as answer:
            assert answer.status == 200
            assert answer.content_type == "text/event-stream"
            yield _events(answer.content)


async def _events(content: aiohttp.StreamReader) -> AsyncIterator[tuple[str, Any]]:
    while block := await content.readuntil(b"\n\n"):
        fields = dict(line.split(": ", 1) for line in block.decode().strip().split("\n") if not line.startswith(":"))
        yield fields.get("event", ""), json.loads(fields["data"]) if "data" in fields else None


@asynccontextmanager
async def visiting(page: Page) -> AsyncIterator[Visitor]:
    """Opened as a browser does."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        async with session.get(page.opening(), headers={"Sec-Fetch-Site": "none"}) as answer:
            assert answer.status == 200
            assert answer.url.path == "/"
        yield Visitor(page, session)


async def until(condition: Callable[[], object], seconds: float = 3.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)

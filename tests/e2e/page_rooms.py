"""Rooms in a thread of their own, the system's Chromium, and axe-core from npm, for the tests of the page /test."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from testroom import certificate
from testroom.calls import CallSettings
from testroom.server import RoomSettings, TestRoom
from testroom.tokens import Tokens
from tests import npm

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium")
DONE = "#verdict:not([hidden]), #trouble:not([hidden])"
AXE = "axe-core@4.11.0"
TOKEN = "habo's secret of 24 octets"
ARGUMENTS = (
    "--use-fake-device-for-media-stream=fps=30",
    "--allow-loopback-in-peer-connection",
    "--no-sandbox",
    "--disable-background-networking",
    "--host-resolver-rules=MAP room.example 127.0.0.1",
)
KNOWN = ("Failed to load resource", "origin was untrustworthy")  # a refusal, a page without TLS: those are tested
SETTINGS: dict[str, CallSettings | None] = {
    "open": CallSettings(),
    "full": CallSettings(most=0),
    "off": None,
    "nowhere": CallSettings(address="192.0.2.1"),  # RFC 5737: nobody's
}

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="not installed: chromium")


class Rooms:
    """Each of SETTINGS when it is first asked for; `plain` is the page without TLS."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._stack = AsyncExitStack()
        self._rooms: dict[str, TestRoom] = {}
        self._pair = certificate.make()

    def __getitem__(self, name: str) -> TestRoom:
        if name not in self._rooms:
            settings = RoomSettings(
                certificate=self._pair, guests=True, tokens=Tokens({"habo": TOKEN}), calls=SETTINGS[name]
            )
            self._rooms[name] = self._run(self._stack.enter_async_context(TestRoom(settings)))
        return self._rooms[name]

    def with_store(self, file: Path) -> TestRoom:
        """A room that keeps self-tests."""
        settings = RoomSettings(certificate=self._pair, tokens=Tokens({"habo": TOKEN}), store=f"sqlite:///{file}")
        room: TestRoom = self._run(self._stack.enter_async_context(TestRoom(settings)))
        return room

    def url(self, name: str, lang: str = "en") -> str:
        return f"https://127.0.0.1:{self[name].port}/test?lang={lang}"

    def plain(self) -> str:
        """Not a secure context: neither TLS nor a name of this computer."""
        return f"http://room.example:{self._run(self._serve_plainly(self['off'].guests.routes()))}/test?lang=en"

    def stalling(self) -> str:
        """Gives a session's head and half of its body, and then nothing more: on the name of this computer, secure."""
        from aiohttp import web

        async def stall(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse(status=201, headers={"Content-Type": "application/json"})
            await response.prepare(request)
            await response.write(b'{"id": ')
            while request.transport is not None and not request.transport.is_closing():  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            return response

        routes = [route for route in self["off"].guests.routes() if route.path != "/v1/guest-sessions"]
        port = self._run(self._serve_plainly([*routes, web.post("/v1/guest-sessions", stall)]))
        return f"http://127.0.0.1:{port}/test?lang=en"

    async def _serve_plainly(self, routes: list[Any]) -> int:
        from aiohttp import web

        app = web.Application()
        app.add_routes(routes)
        runner = web.AppRunner(app)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return int(runner.addresses[0][1])

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def close(self) -> None:
        self._run(self._stack.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


@contextmanager
def browser(*arguments: str) -> Iterator[Browser]:
    """Chromium with a made camera and microphone; later arguments win over earlier ones."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, *arguments])
        try:
            yield started
        finally:
            started.close()


@contextmanager
def visiting(
    started: Browser, url: str, grant: tuple[str, ...] = ("camera", "microphone"), script: str = "", **options: Any
) -> Iterator[Page]:
    """A page whose console stays silent and whose scripts do not fail."""
    context = started.new_context(ignore_https_errors=True, **options)
    context.grant_permissions(list(grant))
    if script:
        context.add_init_script(script)
    page, complaints = context.new_page(), list[str]()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    try:
        page.goto(url)
        yield page
    finally:
        context.close()
    assert [text for text in complaints if not any(known in text for known in KNOWN)] == []


def axe_source() -> str:
    """The script."""
    return (npm.installed("axe", AXE) / "node_modules/axe-core/axe.min.js").read_text("utf-8")


def violations(page: Page, source: str) -> list[str]:
    """What axe-core finds wrong with the page as it is now: WCAG 2.2 A and AA, and its own best practices."""
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(source)
    found = page.evaluate("async () => (await axe.run(document)).violations")
    return [f"{v['id']}: {[n['html'] for n in v['nodes']]}" for v in found]

"""The staff page with any state of the table: serves its files, its events and its preview; notes what it is asked.

Run by itself it shows the states one after the other: `python -m tests.ui.page_server` and its address.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from agent.ui import responses
from agent.ui.events import HEARTBEAT_S
from agent.ui.state import State, as_json
from tests.ui.states import table

if TYPE_CHECKING:
    from aiohttp import web

FRAME_S = 0.08
REPORT = {"sv": "Mötesklar: Klart\nReferenskod MK-7Q4T-9XKD", "en": "Mötesklar: Ready\nReference code MK-7Q4T-9XKD"}
Asked = tuple[str, Mapping[str, Any]]


class PageServer:
    """On a free port of loopback, in a thread of its own.

    `asked`: (path, body) of each POST. `then`: called with each, in the server's thread; the state that it gives is
    shown. `refused`: path -> (status, code), instead of 204.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.then: Callable[[str, Mapping[str, Any]], State | None] = lambda path, body: None
        self.refused: dict[str, tuple[int, str]] = {}
        self.watching = 0  # pages that the preview goes to
        self._document: dict[str, Any] = {}
        self._revision = 0
        self._pages: set[asyncio.Queue[bytes]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._put(State("sv"))
        self.port = self._run(self._open())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def show(self, state: State) -> int:
        """On every open page, and on those that come. Its revision."""
        return int(self._run(self._shown(state)))

    async def _shown(self, state: State) -> int:
        self._put(state)
        return self._revision

    def level(self, value: float) -> None:
        self._loop.call_soon_threadsafe(self._tell, "level", {"level": value})

    def end(self) -> None:
        """What the program says when it ends."""
        self._loop.call_soon_threadsafe(self._tell, "end", {})

    def forget(self) -> None:
        self.asked.clear()
        self.refused.clear()
        self.then = lambda path, body: None

    def close(self) -> None:
        """As if the program were killed: no word to the pages."""
        if self._loop.is_closed():
            return
        self._run(self._runner.cleanup())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def _put(self, state: State) -> None:
        self._revision += 1
        state.revision = self._revision
        self._document = as_json(state)
        self._tell("state", self._document)

    def _tell(self, event: str, data: Mapping[str, Any]) -> None:
        for page in self._pages:
            page.put_nowait(_event(event, data))

    # ---- what the page gets

    async def _open(self) -> int:
        from aiohttp import web

        app = web.Application(middlewares=[self._headers])
        app.add_routes(
            [
                web.get("/", self._page),
                web.get("/ui/{name}", self._file),
                web.get("/v1/events", self._events),
                web.get("/v1/preview", self._preview),
                web.get("/v1/report", self._report),
                web.post("/v1/{what}", self._post),
            ]
        )
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return int(self._runner.addresses[0][1])

    @property
    def _headers(self) -> Any:
        from aiohttp import web

        @web.middleware
        async def add(request: web.Request, handler: Any) -> web.StreamResponse:
            response: web.StreamResponse = await handler(request)
            if not response.prepared:
                response.headers.update(responses.headers(self.port))
            return response

        return add

    async def _page(self, request: web.Request) -> web.Response:
        from aiohttp import web

        return web.Response(
            body=(responses.FOLDER / "page.html").read_bytes(), content_type="text/html", charset="utf-8"
        )

    async def _file(self, request: web.Request) -> web.Response:
        from aiohttp import web

        path = responses.FOLDER / request.match_info["name"]
        return web.Response(body=path.read_bytes(), content_type=responses.TYPES[path.suffix], charset="utf-8")

    async def _events(self, request: web.Request) -> web.StreamResponse:
        from aiohttp import web

        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(request)
        page: asyncio.Queue[bytes] = asyncio.Queue()
        page.put_nowait(_event("state", self._document))
        self._pages.add(page)
        try:
            while True:
                await response.write(await _next(page))
        except ConnectionError:
            return response
        finally:
            self._pages.discard(page)

    async def _preview(self, request: web.Request) -> web.StreamResponse:
        from aiohttp import web

        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.watching += 1
        try:
            gone = asyncio.ensure_future(socket.receive())
            while not gone.done():
                with contextlib.suppress(ConnectionError):
                    await socket.send_bytes(jpeg())
                await asyncio.wait((gone,), timeout=FRAME_S)
        finally:
            self.watching -= 1
        return socket

    async def _report(self, request: web.Request) -> web.Response:
        from aiohttp import web

        return web.Response(text=REPORT[request.query["lang"]])

    async def _post(self, request: web.Request) -> web.Response:
        from aiohttp import web

        body = await request.json()
        self.asked.append((request.path, body))
        if request.path in self.refused:
            status, code = self.refused[request.path]
            return web.Response(status=status, text=json.dumps({"code": code}), content_type="application/json")
        if (state := self.then(request.path, body)) is not None:
            self._put(state)
        return web.Response(status=204)


async def _next(page: asyncio.Queue[bytes]) -> bytes:
    """As the program does: where nothing happens, that it is alive."""
    try:
        return await asyncio.wait_for(page.get(), HEARTBEAT_S)
    except TimeoutError:
        return _event("alive", {"seconds": HEARTBEAT_S})


def _event(name: str, data: Mapping[str, Any]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()


@cache
def jpeg() -> bytes:
    """Somebody to the left in the picture, so that a mirrored one is told from one that is not."""
    import cv2
    import numpy as np

    picture = np.full((360, 640, 3), (176, 190, 196), np.uint8)
    cv2.ellipse(picture, (220, 340), (130, 130), 0, 0, 360, (122, 96, 60), -1)
    cv2.ellipse(picture, (220, 150), (62, 80), 0, 0, 360, (150, 178, 224), -1)
    cv2.rectangle(picture, (470, 40), (600, 200), (240, 244, 246), -1)
    return bytes(cv2.imencode(".jpg", picture)[1].tobytes())


def main() -> None:
    """Shows each state for some seconds, again and again."""
    import time

    server = PageServer()
    print(server.url)
    try:
        while True:
            for name, state in table().items():
                print(name)
                server.show(state)
                time.sleep(5)
    except KeyboardInterrupt:
        server.close()


if __name__ == "__main__":
    main()

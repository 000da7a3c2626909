"""The pages for IT support: how an organisation's machines are, drawn by the server, behind its token.

| request                                       | what                                                   |
|-----------------------------------------------|--------------------------------------------------------|
| GET /it, /it/network, /it/equipment, /it/room | the four views                                         |
| GET /it/machines                              | the machines that something was asked for              |
| GET /it/find                                  | to a self-test by its code, or machines by their name  |
| GET /it/machines/MACHINE                      | one machine's history                                  |
| GET /it/self-tests/RUN_ID                     | one self-test with its evidence                        |
| GET, POST /it/login; POST /it/logout          | a token for a cookie (testroom.it.session), and back   |

Nobody sees more than the organisation that the login is of. Pages need no script. What draws them is imported when
it is asked for: most rooms are embedded in a check.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING

from reports.identity import PSEUDONYM, RUN_ID
from reports.reference import read_code
from reports.store.shapes import Latest, StoreError
from reports.times import minute
from testroom.guests.page import FOLDER as GUESTS
from testroom.it import page, query
from testroom.it.entrance import Entrance, shown
from testroom.it.markup import Html, tag
from testroom.it.query import Query
from testroom.it.session import Login, Logins, spoken
from testroom.it.texts import FOLDER, say

if TYPE_CHECKING:
    from aiohttp import web

    from reports.record import SelfTest
    from reports.rules import Policy
    from reports.store.store import Store
    from testroom.server import TestRoom

READ_S = 5.0  # for the store's answer and the page that is made of it
_VIEWS = ("overview", "network", "equipment")
_Handler = Callable[["web.Request"], Awaitable["web.StreamResponse"]]
_Make = Callable[["Store"], str | None]
_Body = Callable[[Sequence[Latest], Query, Mapping[str, str]], Html]  # machines, and what was asked for


class SupportPages:
    """Mounted by the room when it has a store; without one it has no routes."""

    def __init__(self, room: TestRoom) -> None:
        self._room = room
        self.logins = Logins(room.settings.tokens)
        self._entrance = Entrance(self.logins, self.frame)
        # a reader that hangs must not take the threads that the rest of the room needs
        self._readers = ThreadPoolExecutor(2, "it")

    def close(self) -> None:
        """Wait for no reader."""
        self._readers.shutdown(wait=False, cancel_futures=True)

    def routes(self) -> list[web.RouteDef]:
        """What the room's HTTPS server serves of it."""
        from aiohttp import web

        if self._room.settings.store is None:
            return []
        get = partial(web.get, allow_head=False)
        return [
            *(get(page.VIEWS[view], self._fleet(f"view_{view}", partial(self._body, view), view)) for view in _VIEWS),
            *self._entrance.routes(),
            get(page.VIEWS["room"], self._room_view),
            get("/it/machines", self._fleet("machines_title", _listed)),
            get("/it/find", self._find),
            get("/it/machines/{machine}", self._machine),
            get("/it/self-tests/{run_id}", self._self_test),
            get("/it/it.css", _file("it.css", "text/css")),
            get("/it/icon.svg", _file("icon.svg", "image/svg+xml")),
        ]

    def frame(self, request: web.Request, login: Login | None, view: str = "") -> page.Frame:
        """What a page is shown in."""
        pages = {resource.canonical for resource in request.app.router.resources()}
        return page.Frame(
            q=query.read(request.query, spoken(request, login)),
            path=request.rel_url.raw_path,
            asked=list(request.query.items()),
            organisation=login.organisation if login else "",
            view=view,
            form=self.logins.by_token,
            readiness="/readiness" in pages,
        )

    def _fleet(self, title: str, body: _Body, view: str = "") -> _Handler:
        """A page about the machines of all units, or of the one that is chosen on it."""

        async def handle(request: web.Request) -> web.Response:
            login = self.logins.require(request)
            frame = self.frame(request, login, view)

            def make(store: Store) -> str:
                found = store.latest(login.organisation, frame.q.unit)
                framed = replace(frame, units=store.units(login.organisation))
                return page.document(framed, say(title, frame.q.lang), body(found, frame.q, request.query))

            return await self._answer(frame, make)

        return handle

    def _body(self, view: str, found: Sequence[Latest], q: Query, _: Mapping[str, str]) -> Html:
        from testroom.it import equipment, network, overview

        if view == "network":
            return network.view(found, q, self._policy())
        return overview.view(found, q) if view == "overview" else equipment.view(found, q)

    def _policy(self) -> Policy:
        from testroom.it.equipment_data import shipped_policy

        return self._room.settings.policy or shipped_policy()

    async def _room_view(self, request: web.Request) -> web.Response:
        from testroom.it import roomview

        frame = self.frame(request, self.logins.require(request), "room")
        load = await roomview.load()
        return shown(page.document(frame, say("view_room", frame.q.lang), roomview.view(self._room, load, frame.q)))

    async def _find(self, request: web.Request) -> web.Response:
        from aiohttp import web

        login = self.logins.require(request)
        frame, sought = self.frame(request, login), query.sought(request.query)
        code = read_code(sought)
        if code and (kept := self._room.guests.records.find(code)):
            return shown(_test_page(frame, kept))  # of a guest without a key: in this room's memory only

        def make(store: Store) -> str | None:
            test = store.by_code(login.organisation, code) if code else None
            path = f"/it/self-tests/{test.run_id}" if test else "/it/machines"
            raise web.HTTPSeeOther(frame.q.href(path) if test else frame.q.href(path, find=sought))

        return await self._answer(frame, make)

    async def _machine(self, request: web.Request) -> web.Response:
        from testroom.it import machines

        login = self.logins.require(request)
        frame, name = self.frame(request, login), request.match_info["machine"]

        def make(store: Store) -> str | None:
            found = store.latest(login.organisation, machine=name) if PSEUDONYM.fullmatch(name) else []
            if not found:
                return None
            past = store.history(login.organisation, name, frame.q.since)
            framed = replace(frame, period=True)
            body = machines.history(found[0], past, frame.q, self._policy())
            return page.document(framed, machines.title(found[0], frame.q.lang), body)

        return await self._answer(frame, make)

    async def _self_test(self, request: web.Request) -> web.Response:
        login = self.logins.require(request)
        frame, run_id = self.frame(request, login), request.match_info["run_id"]

        def make(store: Store) -> str | None:
            test = store.self_test(login.organisation, run_id) if RUN_ID.fullmatch(run_id) else None
            return None if test is None else _test_page(frame, test, _way_back(request, frame.q))

        return await self._answer(frame, make)

    async def _answer(self, frame: page.Frame, make: _Make) -> web.Response:
        """The page, made in a thread; or that there is no such thing, or that the store does not answer."""
        store, lang = self._room.fleet.store, frame.q.lang
        assert store is not None
        with contextlib.suppress(StoreError, TimeoutError):
            async with asyncio.timeout(READ_S):
                made = await asyncio.get_running_loop().run_in_executor(self._readers, make, store)
            if made is None:
                return shown(page.message(frame, say("unknown_title", lang), say("unknown", lang)), 404)
            return shown(made)
        return shown(page.message(frame, say("store_title", lang), say("store_silent", lang)), 503)


def _listed(found: Sequence[Latest], q: Query, asked: Mapping[str, str]) -> Html:
    from testroom.it import machines

    return machines.listed(found, q, asked)


def _test_page(frame: page.Frame, test: SelfTest, way_back: Html | None = None) -> str:
    from testroom.it import selftest

    title = f"{say('test_title', frame.q.lang)} {minute(test.started_at)}"
    return page.document(frame, title, way_back, selftest.view(test, frame.q))


def _way_back(request: web.Request, q: Query) -> Html | None:
    """To the machine that the link came from."""
    from testroom.it import parts

    machine = request.query.get("machine", "")
    if not PSEUDONYM.fullmatch(machine):
        return None
    return tag("p", tag("a", say("to_machine", q.lang), href=parts.machine_href(machine, q)))


@cache
def _bytes(name: str) -> bytes:
    """The style is these pages' own, the sign that of the page /test."""
    return ((GUESTS if name == "icon.svg" else FOLDER) / name).read_bytes()


def _file(name: str, content_type: str) -> _Handler:
    async def handle(_: web.Request) -> web.Response:
        from aiohttp import web

        return web.Response(body=_bytes(name), content_type=content_type, headers=page.HEADERS)

    return handle

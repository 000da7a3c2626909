"""The municipality's table, served by the room.

| request           | who                     | what                          |
|-------------------|-------------------------|-------------------------------|
| GET /readiness    | who is logged in to /it | the page                      |
| GET /v1/readiness | an organisation's token | JSON, or what Accept asks for |

Both take ?unit=NAME, ?lang=sv or en, and ?format=html, json, csv or pdf, which goes before Accept.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from reports.policy import Policy, load_policy
from reports.readiness.rows import report
from reports.store.shapes import StoreError
from testroom.answers import answer
from testroom.it import page
from testroom.it.entrance import shown
from testroom.it.texts import say
from testroom.readiness.formats import FORMATS, Made, Wanted, make, wanted

if TYPE_CHECKING:
    from aiohttp import web

    from testroom.server import TestRoom

PAGE, DOCUMENT = "/readiness", "/v1/readiness"
PATIENCE_S = 30.0  # PDF of some thousand machines takes seconds
MOST_WAITING = 8  # of each kind


class ReadinessPages:
    """Mounted by the room when it has a store; without one it has no routes."""

    def __init__(self, room: TestRoom) -> None:
        self._room = room
        # one at a time, because the reflector needs the processor too; and no page waits for somebody's PDF
        self._makers = {slow: ThreadPoolExecutor(1, "readiness") for slow in (False, True)}
        self._waiting = Counter[bool]()
        self._policy: Policy | None = room.settings.policy

    def close(self) -> None:
        """Wait for no maker."""
        for maker in self._makers.values():
            maker.shutdown(wait=False, cancel_futures=True)

    def routes(self) -> list[web.RouteDef]:
        """What the room's HTTPS server serves of it."""
        from aiohttp import web

        if self._room.settings.store is None:
            return []
        get = partial(web.get, allow_head=False)
        return [get(PAGE, self._page), get(DOCUMENT, self._document)]

    async def _page(self, request: web.Request) -> web.Response:
        login = self._room.it.logins.require(request)
        asked = wanted(request, "html", login)
        made = await self._give(request, login.organisation, asked, served=True)
        if isinstance(made, Made):
            return made.response()
        frame = self._room.it.frame(request, login)
        title, told = (say(f"store_{name}", asked.lang) for name in ("title", "silent"))
        return made if made.status == 400 else shown(page.message(frame, title, told), made.status)

    async def _document(self, request: web.Request) -> web.Response:
        organisation = self._room.organisation(request)
        made = await self._give(request, organisation, wanted(request, "json", None), served=False)
        return made.response() if isinstance(made, Made) else made

    async def _give(
        self, request: web.Request, organisation: str, asked: Wanted, *, served: bool
    ) -> Made | web.Response:
        """The table, or the refusal. `served`: with the page's ways to elsewhere."""
        if asked.format not in FORMATS:
            return answer(400, code="format_unknown", known=list(FORMATS))
        slow = asked.format == "pdf"
        if self._waiting[slow] >= MOST_WAITING:
            return answer(503, code="room_busy", retry_after_seconds=5)
        work = partial(self._make, organisation, request.query.get("unit"), asked, served=served)
        self._waiting[slow] += 1
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await asyncio.get_running_loop().run_in_executor(self._makers[slow], work)
        except StoreError:
            return answer(503, code="store_unavailable")
        except TimeoutError:
            return answer(503, code="room_busy", retry_after_seconds=30)
        finally:
            self._waiting[slow] -= 1

    def _make(self, organisation: str, unit: str | None, asked: Wanted, *, served: bool) -> Made:
        """In a thread. Raises StoreError."""
        store = self._room.fleet.store
        assert store is not None
        if self._policy is None:
            self._policy = load_policy()
        machines = store.latest(organisation, unit)
        units = store.units(organisation) if served else None
        return make(report(organisation, unit, machines, self._policy, time.time()), asked, units)

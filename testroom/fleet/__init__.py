"""What the room keeps for an organisation: its machines' self-tests.

| request                    | who             | what                                                          |
|----------------------------|-----------------|---------------------------------------------------------------|
| POST /v1/self-tests        | an organisation | 201 kept, 200 known already; {"run_id", "outcome"}            |
| GET /v1/self-tests/RUN_ID  | the same one    | 200 the self-test                                             |
| GET /v1/machines           | the same one    | 200 its machines as CSV                                       |
| PUT /v1/machines           | the same one    | 200 the names in a CSV are given; {"known", "new"}            |
| GET /v1/openapi.json       | anybody         | these in OpenAPI 3.1                                          |

A refusal is {"code", "where"} with a code of reports.collector.REFUSALS. The header Motesklar-Machine names the machine
by a pseudonym of its own: 128 random bits in hexadecimal digits.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

from reports.identity import MACHINE_HEADER, RUN_ID
from reports.serial import to_json
from reports.store.shapes import Aggregates, StoreError
from testroom.answers import answer
from testroom.fleet import bodies
from testroom.limits import Buckets

if TYPE_CHECKING:
    from aiohttp import web

    from reports.collector import Collector, Receipt, Refused
    from reports.store.store import Store
    from testroom.server import TestRoom

STATUSES = {
    "self_test_too_large": 413,
    "self_test_malformed": 400,
    "self_test_newer": 415,  # an agent keeps what is answered so, and tries again
    "self_test_too_old": 422,
    "self_test_in_the_future": 422,
    "self_test_slow": 408,
    "machine_malformed": 400,
    "too_many_self_tests": 429,
    "collector_busy": 503,
    "store_unavailable": 503,
}
_KEEP_AGGREGATES_S = 10.0  # several Prometheus servers may scrape
_FORGET_EVERY_S = 3600.0


class Fleet:
    """Mounted by the room when it has a store; without one it has no routes."""

    def __init__(self, room: TestRoom) -> None:
        self._room = room
        self.store: Store | None = None
        self.collector: Collector | None = None
        per_minute = room.settings.limits.self_tests_per_minute
        self._sent = Buckets(per_minute / 60, burst=per_minute)
        self._aggregates: tuple[float, Aggregates] | None = None
        self._forgetting: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Open the store, if the room is to have one. Raises StoreError."""
        if self._room.settings.store is None:
            return
        from reports.collector import Collector
        from reports.store.store import Store

        self.store = await asyncio.to_thread(Store.open, self._room.settings.store)
        self.collector = Collector(self.store, allow=lambda who: self._sent.allow(who, time.monotonic_ns()))
        self._forgetting = asyncio.create_task(self._forget())

    async def close(self) -> None:
        """Write what waits, then let go of the store."""
        if self._forgetting is not None:
            self._forgetting.cancel()
            await asyncio.wait([self._forgetting])
        if self.collector is not None:
            await self.collector.close()
        if self.store is not None:
            await asyncio.to_thread(self.store.close)

    def routes(self) -> list[web.RouteDef]:
        """What the room's HTTPS server serves of it."""
        from aiohttp import web

        if self._room.settings.store is None:
            return []
        return [
            web.post("/v1/self-tests", self._take),
            web.get("/v1/self-tests/{run_id}", self._look_up, allow_head=False),
            web.get("/v1/machines", self._names, allow_head=False),
            web.put("/v1/machines", self._name),
            web.get("/v1/openapi.json", self._openapi, allow_head=False),
        ]

    async def aggregates(self) -> Aggregates | None:
        """For /metrics, some seconds old at most; None: no store, or it does not answer."""
        now = time.monotonic()
        if self._aggregates is not None and now - self._aggregates[0] < _KEEP_AGGREGATES_S:
            return self._aggregates[1]
        if self.store is None:
            return None
        try:
            found = await asyncio.to_thread(self.store.aggregates)
        except StoreError:
            return None
        self._aggregates = (now, found)
        return found

    async def _take(self, request: web.Request) -> web.Response:
        organisation = self._room.organisation(request)
        assert self.collector is not None
        try:
            raw = await bodies.read(request, self.collector.limits.most_bytes)
        except bodies.BodyError as refused:
            return _refused(self.collector.refuse(refused.code, refused.where))
        machine = request.headers.get(MACHINE_HEADER, "").lower()
        return _told(await self.collector.take(organisation, raw, machine, time.time()))

    async def _look_up(self, request: web.Request) -> web.Response:
        organisation = self._room.organisation(request)
        assert self.store is not None
        run_id = request.match_info["run_id"]
        if not RUN_ID.fullmatch(run_id):  # none is kept by another name; PostgreSQL takes no NUL
            return answer(404, code="self_test_unknown")
        try:
            found = await asyncio.to_thread(self.store.self_test, organisation, run_id)
        except StoreError:
            return answer(503, code="store_unavailable")
        return answer(200, **to_json(found)) if found else answer(404, code="self_test_unknown")

    async def _names(self, request: web.Request) -> web.Response:
        from testroom.fleet import names

        organisation = self._room.organisation(request)
        assert self.store is not None
        return await names.give(self.store, organisation)

    async def _name(self, request: web.Request) -> web.Response:
        from testroom.fleet import names

        organisation = self._room.organisation(request)
        assert self.store is not None
        return await names.take(self.store, organisation, request)

    async def _openapi(self, _: web.Request) -> web.Response:
        from testroom.fleet import openapi

        return answer(200, **openapi.document())

    async def _forget(self) -> None:
        """Retention: what is older than the room's days goes."""
        while True:
            before = time.time() - self._room.settings.keep_days * 86400.0
            if self.store is not None:
                with contextlib.suppress(StoreError):  # it is tried again
                    await asyncio.to_thread(self.store.forget, before)
            await asyncio.sleep(_FORGET_EVERY_S)


def _told(result: Receipt | Refused) -> web.Response:
    from reports.collector import Refused

    if isinstance(result, Refused):
        return _refused(result)
    return answer(201 if result.outcome == "stored" else 200, run_id=result.run_id, outcome=result.outcome)


def _refused(refused: Refused) -> web.Response:
    return answer(STATUSES[refused.code], code=refused.code, where=refused.where)

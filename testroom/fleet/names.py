"""GET and PUT /v1/machines: the organisation's machines as CSV, and the same with the names that it gives them."""

from __future__ import annotations

import asyncio
import csv
import io
import time
from typing import TYPE_CHECKING

from reports.store.shapes import Latest, NamesError, StoreError
from testroom.answers import answer
from testroom.fleet import bodies

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiohttp import web

    from reports.store.store import Store

MOST_BYTES = 8 * 1024 * 1024
HEAD = ("machine", "name", "unit", "room", "last_seen")


async def give(store: Store, organisation: str) -> web.Response:
    """The machines of this organisation; `last_seen` in UTC, empty when never."""
    from aiohttp import web

    try:
        machines = await asyncio.to_thread(store.latest, organisation)
    except StoreError:
        return answer(503, code="store_unavailable")
    return web.Response(text=as_csv(machines), content_type="text/csv", charset="utf-8")


async def take(store: Store, organisation: str, request: web.Request) -> web.Response:
    """Names from a CSV as reports.store.naming reads it; all of it or nothing."""
    try:
        text = (await bodies.read(request, MOST_BYTES)).decode("utf-8")
        named = await asyncio.to_thread(store.name_machines, organisation, text)
    except bodies.BodyError as refused:
        return answer(413 if refused.code == "self_test_too_large" else 400, code="names_malformed")
    except UnicodeDecodeError:
        return answer(400, code="names_malformed", where="the file is not UTF-8")
    except NamesError as error:
        return answer(400, code="names_malformed", where=str(error))
    except StoreError:
        return answer(503, code="store_unavailable")
    return answer(200, known=named.known, new=named.new)


def as_csv(machines: Iterable[Latest]) -> str:
    """With `;` and a byte order mark, as a Swedish spreadsheet opens it."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";")
    writer.writerow(HEAD)
    for m in machines:
        writer.writerow((m.machine, m.name, m.unit, m.room, _when(m.last_seen)))
    return "\ufeff" + out.getvalue()


def _when(at: float | None) -> str:
    return "" if at is None else time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at))

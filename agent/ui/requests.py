"""What the staff page's server answers, once guard.py has let the request in (421, 403 and 401 come from there).

| request                       | answer                                                                            |
|-------------------------------|-----------------------------------------------------------------------------------|
| GET /open/TOKEN               | 303 to / with the cookie; else a page that says how to start again                |
| GET /, /ui/NAME               | the page and its files                                                            |
| GET /v1/state                 | the state as JSON                                                                 |
| GET /v1/events                | the same each time it changes: see events.py                                      |
| GET /v1/preview               | a WebSocket with the camera's pictures: see preview.py                            |
| GET /v1/report?lang=          | the last self-test as text; 409 {"code": "no_result"} before there is one         |
| GET /v1/report.pdf?lang=      | the same as PDF                                                                   |
| POST /v1/NAME                 | 204, 400, 409 {"code"}: see bodies.py for what each takes                         |

Codes of 400: bad_request. Of 409: running, busy (another program tests), not_asked, no_such_device, no_result.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from agent.ui import bodies, responses
from agent.ui.guard import COOKIE, OPEN, cookies_of
from agent.ui.running import BusyError, say_defect
from processes.aside import aside
from reports.reference import code_of
from testroom.guests.page import language

if TYPE_CHECKING:
    from aiohttp import web

    from agent.ui.server import Page
    from reports.advice import Lang
    from reports.record import SelfTest

BODY_S = 3.0
REPORT_S = 30.0
_OPENING = f"{OPEN}{{token}}"
_CODES: Mapping[int, str] = {404: "not_found", 405: "not_found", 429: "too_many"}

Handler = Callable[["web.Request"], Awaitable["web.StreamResponse"]]


class _Refused(Exception):  # noqa: N818 - an answer
    """`code` with the status."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


class Requests:
    """Of one page."""

    def __init__(self, page: Page) -> None:
        self._page, self._flow, self._guard = page, page.flow, page.guard

    def application(self) -> web.Application:
        """All routes, guarded."""
        from aiohttp import web

        @web.middleware
        async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._guarded(request, handler)

        app = web.Application(client_max_size=bodies.MOST_BYTES, middlewares=[guarded])
        app.on_response_prepare.append(self._headed)
        gets: Mapping[str, Handler] = {
            _OPENING: self._open,
            "/": self._whole,
            "/ui/{name}": self._file,
            "/v1/state": self._state,
            "/v1/events": self._page.events.serve,
            "/v1/preview": self._page.previews.serve,
            "/v1/report": self._report,
            "/v1/report.pdf": self._pdf,
        }
        app.add_routes(web.get(path, handler, allow_head=False) for path, handler in gets.items())
        app.add_routes(web.post(f"/v1/{name}", self._post) for name in bodies.SHAPES)
        return app

    # ---- each request

    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        from aiohttp import web

        # of the route that was found, so that no other way to write a path is taken for it
        resource = request.match_info.route.resource
        opening = resource is not None and resource.canonical == _OPENING
        refused = self._guard.refusal(request, opening=opening)
        if refused is not None:
            return _refusal(request, refused.status, refused.code)
        if not opening:
            self._page.door.keep(request)
        try:
            return await handler(request)
        except _Refused as error:
            return responses.code(error.status, error.code)
        except web.HTTPException as error:
            return responses.code(error.status, _CODES.get(error.status, "bad_request"))
        except (ConnectionError, asyncio.CancelledError):
            raise
        except Exception as error:  # noqa: BLE001 - the page says that something broke
            say_defect(error)
            return responses.code(500, "broken")

    async def _headed(self, _: web.Request, response: web.StreamResponse) -> None:
        responses.head(response, self._page.port)

    # ---- the page

    async def _open(self, request: web.Request) -> web.StreamResponse:
        from aiohttp import web

        value = self._guard.enter(request.match_info["token"], cookies_of(request))
        if value is None and not self._guard.knows(cookies_of(request)):
            return responses.start_again(401, _spoken(request))
        response = web.Response(status=303, headers={"Location": "/"})
        if value is not None:
            response.set_cookie(COOKIE, value, httponly=True, samesite="Strict", path="/")
        return response

    async def _whole(self, _: web.Request) -> web.StreamResponse:
        return responses.page()

    async def _file(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        return responses.file(name) if name in responses.files() else responses.code(404, "not_found")

    async def _state(self, _: web.Request) -> web.StreamResponse:
        from aiohttp import web

        return web.json_response(self._page.document())

    async def _report(self, request: web.Request) -> web.StreamResponse:
        from aiohttp import web

        from agent.ui import handover

        test, lang = self._last(request)
        made = await aside(lambda: handover.report_text(test, self._page.options, lang), REPORT_S)
        return web.Response(text=made)

    async def _pdf(self, request: web.Request) -> web.StreamResponse:
        from aiohttp import web

        from agent.ui import handover

        test, lang = self._last(request)
        made = await aside(lambda: handover.report_pdf(test, self._page.options, lang), REPORT_S)
        name = f'attachment; filename="motesklar-{code_of(test.run_id)}.pdf"'
        return web.Response(body=made, content_type="application/pdf", headers={"Content-Disposition": name})

    def _last(self, request: web.Request) -> tuple[SelfTest, Lang]:
        asked = request.query.getall("lang", [self._page.options.language])
        if len(asked) != 1 or asked[0] not in ("sv", "en") or request.query.keys() - {"lang"}:
            raise _Refused(400, "bad_request")
        if self._flow.self_test is None:
            raise _Refused(409, "no_result")
        return self._flow.self_test, "en" if asked[0] == "en" else "sv"

    # ---- what the page asks for

    async def _post(self, request: web.Request) -> web.StreamResponse:
        from aiohttp import web

        name = request.path.removeprefix("/v1/")
        try:
            body = bodies.read(name, await _raw(request))
        except bodies.BodyError:
            raise _Refused(400, "bad_request") from None
        self._page.life.used(time.monotonic())
        try:
            await self._asked(name, body)
        except BusyError as busy:
            raise _Refused(409, busy.code) from None
        return web.Response(status=204)

    async def _asked(self, name: str, body: bodies.Body) -> None:
        flow, running = self._flow, self._page.running
        if name == "start":
            await running.begin(lambda: flow.start(body["company"]))
        elif name == "stop":
            running.stop()
        elif name == "answer":
            if not flow.answer(body["question"], body["answer"]):
                raise _Refused(409, "not_asked")
        elif name == "choose":
            if not flow.choose(body["kind"], body["number"]):
                raise _Refused(409, "no_such_device")
        elif name == "redo":
            await self._redo(body)
        else:
            self._needs_result()
            await running.begin(flow.compare)

    async def _redo(self, body: bodies.Body) -> None:
        company = self._flow.state.company
        if company is None:
            raise _Refused(409, "no_result")
        await self._page.running.begin(lambda: self._flow.start(company, only=body["steps"]))

    def _needs_result(self) -> None:
        if self._flow.self_test is None:
            raise _Refused(409, "no_result")


async def _raw(request: web.Request) -> bytes:
    """Raises BodyError for what is no JSON, too long, or too long under way."""
    from aiohttp import web

    if request.content_type != "application/json" or (request.content_length or 0) > bodies.MOST_BYTES:
        raise bodies.BodyError("type or size")
    try:
        return await asyncio.wait_for(request.read(), BODY_S)
    except (web.HTTPRequestEntityTooLarge, web.RequestPayloadError, TimeoutError):
        raise bodies.BodyError("size, octets or time") from None


def _refusal(request: web.Request, status: int, code: str) -> web.Response:
    """A person, who sees it as a page, is told how to start again."""
    person = request.method == "GET" and not request.path.startswith("/v1/") and status != 421
    answer = responses.start_again(status, _spoken(request)) if person else responses.code(status, code)
    answer.force_close()
    return answer


def _spoken(request: web.Request) -> Lang:
    return language(None, request.headers.get("Accept-Language", ""))

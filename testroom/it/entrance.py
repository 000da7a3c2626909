"""The login form, what it sends, and the way out."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from testroom.it import page
from testroom.it.session import LOGIN, Login, Logins, drop_cookie, place_within, same_origin, set_cookie
from testroom.it.texts import say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

_BODY_S = 10.0
_MOST_BODY = 8192
_FORM = "application/x-www-form-urlencoded"


class Framing(Protocol):
    """What makes the frame of a page for a request."""

    def __call__(self, request: web.Request, login: Login | None) -> page.Frame:
        """The frame."""


class Entrance:
    """Its requests change something, so they are taken from the room's own pages only."""

    def __init__(self, logins: Logins, frame: Framing) -> None:
        self._logins, self._frame = logins, frame

    def routes(self) -> list[web.RouteDef]:
        """What the room's HTTPS server serves of it."""
        from aiohttp import web

        return [
            web.get(LOGIN, self._form, allow_head=False),
            web.post(LOGIN, self._enter),
            web.post("/it/logout", self._leave),
        ]

    async def _form(self, request: web.Request) -> web.Response:
        from aiohttp import web

        next_ = place_within(request.query.get("next", ""))
        if self._logins.find(request) is not None:
            raise web.HTTPSeeOther(next_)
        if not self._logins.by_token:
            frame = self._frame(request, None)
            lang = frame.q.lang
            return shown(page.message(frame, say("login_title", lang), say("no_organisations", lang)), 403)
        return self._again(request, next_)

    def _again(self, request: web.Request, next_: str, error: str = "", status: int = 200) -> web.Response:
        frame = self._frame(request, None)
        words = say(error, frame.q.lang) if error else ""
        return shown(page.login_form(frame, next_, words), status)

    async def _enter(self, request: web.Request) -> web.Response:
        from aiohttp import web

        if not same_origin(request):
            return self._again(request, "/it", "login_foreign", 403)
        if not self._logins.may_try(request.remote or ""):
            return self._again(request, "/it", "login_too_many", 429)
        sent = await _sent(request)
        next_ = place_within(str(sent.get("next", "")))
        value = self._logins.enter(str(sent.get("token", "")).strip())
        if value is None:
            return self._again(request, next_, "login_refused", 403)
        self._logins.leave(request)  # whoever was logged in here before
        if self._frame(request, None).asked:  # the language of the form goes along
            self._logins.remember(value, self._frame(request, None).q.lang)
        answer = web.Response(status=303, headers={**page.HEADERS, "Location": next_})
        set_cookie(answer, value)
        return answer

    async def _leave(self, request: web.Request) -> web.Response:
        from aiohttp import web

        if not same_origin(request):
            return self._again(request, "/it", "login_foreign", 403)
        self._logins.leave(request)
        answer = web.Response(status=303, headers={**page.HEADERS, "Location": LOGIN})
        drop_cookie(answer)
        return answer


def shown(html: str, status: int = 200) -> web.Response:
    """A page as an answer."""
    from aiohttp import web

    again = {"Retry-After": "30"} if status in (429, 503) else {}
    return web.Response(text=html, content_type="text/html", status=status, headers={**page.HEADERS, **again})


async def _sent(request: web.Request) -> Mapping[str, str]:
    """The form's fields; none when it is no such form, or too large or slow."""
    from urllib.parse import parse_qsl

    if request.content_type != _FORM or (request.content_length or 0) > _MOST_BODY:
        return {}
    try:
        async with asyncio.timeout(_BODY_S):
            raw = await request.content.read(_MOST_BODY + 1)
        return dict(parse_qsl(raw.decode("ascii"), max_num_fields=10)) if len(raw) <= _MOST_BODY else {}
    except (TimeoutError, ValueError):
        return {}

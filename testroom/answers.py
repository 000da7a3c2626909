"""The room's answers in JSON."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import web


def answer(status: int, **body: object) -> web.Response:
    """An answer; one that refuses for now says when to try again."""
    from aiohttp import web

    seconds = body.get("retry_after_seconds", 5)
    after = math.ceil(seconds) if isinstance(seconds, int | float) else 5
    headers = {"Retry-After": str(after)} if status in (429, 503) else {}
    return web.json_response(body, status=status, headers=headers)


def refusal(status: int, code: str, **more: object) -> web.HTTPException:
    """To be raised by a handler."""
    from aiohttp import web

    kinds: dict[int, type[web.HTTPException]] = {
        400: web.HTTPBadRequest,
        401: web.HTTPUnauthorized,
        403: web.HTTPForbidden,
        404: web.HTTPNotFound,
        429: web.HTTPTooManyRequests,
        503: web.HTTPServiceUnavailable,
    }
    return kinds[status](text=json.dumps({"code": code, **more}), content_type="application/json")

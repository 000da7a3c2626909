"""Reading a request's body that may be larger than the room's other requests, up to a limit and for a time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import web

PATIENCE_S = 15.0


class BodyError(Exception):
    """`code` of the refusal, of reports.collector.REFUSALS."""

    def __init__(self, code: str, where: str = "") -> None:
        super().__init__(code)
        self.code, self.where = code, where


async def read(request: web.Request, most: int, seconds: float = PATIENCE_S) -> bytes:
    """The body, uncompressed, of `most` octets at most. Raises BodyError."""
    from aiohttp import ClientError, web

    raw = bytearray()
    try:
        async with asyncio.timeout(seconds):
            # the application's own limit, which request.read() knows, is for small requests
            async for chunk in request.content.iter_chunked(1 << 16):
                raw += chunk
                if len(raw) > most:
                    raise BodyError("self_test_too_large")
    except TimeoutError:
        raise BodyError("self_test_slow") from None
    except (ClientError, web.RequestPayloadError):  # said to be compressed, and is not
        raise BodyError("self_test_malformed", "the body cannot be read") from None
    return bytes(raw)

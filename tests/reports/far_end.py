"""A far end of which a test decides the answers: a real HTTP server on loopback; and a spool to empty into it."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from reports.push import Destination, to_collector
from reports.spool import Spool

MACHINE = "0123456789abcdef" * 2
PROXIES = tuple(f"{name}_proxy" for name in ("http", "https", "all", "no"))


@dataclass
class FarEnd:
    """Answers as `says` tells: (status, headers) for the n-th request; what it took, in order."""

    says: Callable[[int, str], tuple[int, dict[str, str]]] = lambda _n, _body: (201, {})
    url: str = ""
    requests: list[web.Request] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        body = (await request.read()).decode()
        status, headers = self.says(len(self.bodies), body)
        self.requests.append(request)
        self.bodies.append(body)
        if status == 201:
            self.taken.append(body)
        return web.Response(status=status, headers=headers, text="words that nobody should read")


@asynccontextmanager
async def serving(far_end: FarEnd, context: ssl.SSLContext | None = None, port: int = 0) -> AsyncIterator[FarEnd]:
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", far_end.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, ssl_context=context)
    await site.start()
    far_end.url = f"http{'s' if context else ''}://127.0.0.1:{runner.addresses[0][1]}/v1/self-tests"
    try:
        yield far_end
    finally:
        await runner.cleanup()


def put(spool: Spool, *runs: str, to: str = "collector") -> None:
    for run in runs:
        assert spool.put(to, run, run.encode(), 1.8e9)


def collector(far_end: FarEnd) -> Destination:
    return to_collector(far_end.url, "a-token", MACHINE)

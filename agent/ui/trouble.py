"""When the program cannot start and nobody sees its standard error: the line is shown in the browser, once.

Somebody clicked on an icon: settings that are wrong would make nothing at all happen.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import TYPE_CHECKING

from agent.ui import browser, responses
from agent.ui.guard import HOST, Guard, address
from processes import aside

if TYPE_CHECKING:
    from aiohttp import web

    from reports.advice import Lang

WAIT_S = 60.0
_SHUTDOWN_S = 1.0


def unseen() -> bool:
    """Is there no terminal to read it on, and a screen to show it on?"""
    return (sys.stderr is None or not sys.stderr.isatty()) and browser.can_be_shown()


def show(line: str, lang: Lang) -> None:
    """Until the browser has it; WAIT_S at the most. What fails here is no worse than before."""
    with contextlib.suppress(OSError, TimeoutError):
        aside.run(_shown(line, lang))


async def _shown(line: str, lang: Lang) -> None:
    from aiohttp import web

    guard, seen = Guard(), asyncio.Event()

    async def give(request: web.Request) -> web.StreamResponse:
        refused = guard.refusal(request, opening=True)
        if refused is not None or guard.enter(request.match_info["token"]) is None:
            return responses.code(401, "no_session")
        seen.set()
        return responses.trouble(line, lang)

    port = 0

    async def headed(_: web.Request, response: web.StreamResponse) -> None:
        responses.head(response, port)

    app = web.Application()
    app.on_response_prepare.append(headed)
    app.router.add_get("/open/{token}", give, allow_head=False)
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=_SHUTDOWN_S)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, 0).start()
        port = int(runner.addresses[0][1])
        guard.at(port)
        async with asyncio.timeout(WAIT_S):
            if await browser.show(address(port, guard.token())):
                await seen.wait()
    finally:
        await runner.cleanup()

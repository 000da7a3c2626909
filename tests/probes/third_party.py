"""What stands for speedtest.net in a closed network: its settings, its list of servers, and one server.

`python -m tests.probes.third_party ADDRESS CERTIFICATE SAYS`, SAYS one of: well, forbidden, garbage. It prints a line
when it listens, HTTPS on 443 and HTTP on 8080.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from contextlib import suppress

from aiohttp import web

SETTINGS = """<settings>
<client ip="203.0.113.7" lat="57.9" lon="14.1" isp="An operator" country="SE"/>
<server-config threadcount="4" ignoreids="" />
<download testlength="10" threadsperurl="4"/>
<upload testlength="10" ratio="5" threads="2" maxchunkcount="50"/>
</settings>"""
SERVERS = """<settings><servers>
<server url="http://near.example:8080/speedtest/upload.php" lat="57.9" lon="14.1" name="Near" id="1"/>
</servers></settings>"""


async def _settings(_: web.Request) -> web.Response:
    if sys.argv[3] == "forbidden":
        raise web.HTTPForbidden
    return web.Response(text=SETTINGS if sys.argv[3] == "well" else "<html><p>Log in to the network first")


async def _servers(_: web.Request) -> web.Response:
    return web.Response(text=SERVERS)


async def _latency(_: web.Request) -> web.Response:
    return web.Response(text="test=test\n")


async def _picture(request: web.Request) -> web.Response:
    return web.Response(body=bytes(2 * int(request.match_info["side"]) ** 2))


async def _upload(request: web.Request) -> web.Response:
    counted = 0
    with suppress(ConnectionError):
        async for chunk in request.content.iter_any():
            counted += len(chunk)
    return web.Response(text=f"size={counted}")


async def serve() -> None:
    """Until it is ended."""
    app = web.Application()
    app.add_routes(
        [
            web.get("/speedtest-config.php", _settings),
            web.get("/speedtest-servers-static.php", _servers),
            web.get("/speedtest/latency.txt", _latency),
            web.get(r"/speedtest/random{side:\d+}x{again:\d+}.jpg", _picture),
            web.post("/speedtest/upload.php", _upload),
        ]
    )
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2])
    await web.TCPSite(runner, sys.argv[1], 443, ssl_context=context).start()
    await web.TCPSite(runner, sys.argv[1], 8080).start()
    print("listening", flush=True)
    await asyncio.sleep(60)


if __name__ == "__main__":
    asyncio.run(serve())

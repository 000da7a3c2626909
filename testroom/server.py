"""The test room's HTTPS server: issues sessions, reports on them, serves /metrics; and runs the reflector."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from probes.room import SESSION_SCHEMA
from testroom import certificate
from testroom.admission import Network
from testroom.answers import answer, refusal
from testroom.calls import Calls, CallSettings
from testroom.fleet import Fleet
from testroom.guests import Guests
from testroom.it import SupportPages
from testroom.limits import Buckets, Limits, is_loopback
from testroom.readiness import ReadinessPages
from testroom.reflector import Reflector
from testroom.sessions import RoomBusyError, Sessions
from testroom.speedtest import SpeedtestMini
from testroom.throughput import Throughput
from testroom.tokens import Tokens

if TYPE_CHECKING:
    from aiohttp import web

    from reports.rules import Policy

_MOST_BODY = 65536
_MOST_REQUEST = 4096
_IDLE_S = 120.0  # a connection on which no whole request comes


@dataclass(frozen=True, slots=True)
class RoomSettings:
    """How to run a room. Without `tokens` only callers on this computer get a session."""

    host: str = "127.0.0.1"
    port: int = 0
    stamp_port: int = 0
    certificate: certificate.Pair | None = None  # None: made for this run, in memory
    tokens: Tokens | None = None
    open_stamp: tuple[Network, ...] = ()
    limits: Limits = field(default_factory=Limits)
    throughput: bool = True  # ndt7 and speedtest's mini protocol, for sessions of this room
    open_ndt7: bool = False  # and for anybody's ndt7 client
    plain_ndt7_port: int | None = None  # ndt7 without TLS as well, and nothing else; for benchmarks
    calls: CallSettings | None = None  # None: the room takes no calls
    guests: bool = False  # the page /test for anybody who reaches the room
    store: str | None = None  # URL of the database that keeps organisations' self-tests; None: none is kept
    keep_days: float = 365.0  # how long it keeps them
    policy: Policy | None = None  # how long a self-test counts; None: the shipped one's
    bulk: bool = False  # made for many senders at once: see testroom.bulk


class TestRoom:
    """`async with TestRoom(settings) as room:` runs it; `room.url` holds its fingerprint."""

    __test__ = False

    def __init__(self, settings: RoomSettings) -> None:
        self.settings = settings
        self.sessions = Sessions(settings.limits)
        self.reflector = Reflector(self.sessions, settings.limits, settings.open_stamp, bulk=settings.bulk)
        self.throughput = Throughput(self.sessions, open_to_all=settings.open_ndt7)
        self._speedtest = SpeedtestMini(self, self.throughput.turn)
        self.calls = Calls(self.sessions, settings.calls)
        self.guests = Guests(self)
        self.fleet = Fleet(self)
        self.it = SupportPages(self)
        self.readiness = ReadinessPages(self)
        self.port = self.stamp_port = self.plain_port = 0
        self.fingerprint = b""
        self._requests = Buckets(settings.limits.requests_per_minute / 60, burst=settings.limits.requests_per_minute)
        self._exit = contextlib.AsyncExitStack()

    @property
    def url(self) -> str:
        """What `--room` takes, for a caller on this computer."""
        host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.settings.host, self.settings.host)
        host = f"[{host}]" if ":" in host and not host.startswith("[") else host
        return f"https://{host}:{self.port}#sha256={self.fingerprint.hex()}"

    async def __aenter__(self) -> TestRoom:
        try:
            await self._open()
        except BaseException:
            await self._exit.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._exit.aclose()

    async def _open(self) -> None:
        pair = self.settings.certificate or certificate.make()
        self.fingerprint = pair.fingerprint
        self.stamp_port = self.reflector.open(self.settings.host, self.settings.stamp_port)
        self._exit.push_async_callback(asyncio.to_thread, self.reflector.close)
        self._exit.push_async_callback(self.calls.close)
        await self.calls.open()
        self._exit.push_async_callback(self.fleet.close)
        await self.fleet.open()
        self._exit.callback(self.it.close)
        self._exit.callback(self.readiness.close)
        self.port = await self._listen(self._application(), self.settings.port, _context(pair))
        if self.settings.plain_ndt7_port is not None:
            self.plain_port = await self._listen(self._plain_application(), self.settings.plain_ndt7_port, None)
        self._exit.push_async_callback(self._speedtest.close)
        self._exit.callback(self.throughput.close)
        expiry = asyncio.create_task(self._expire())
        self._exit.callback(expiry.cancel)

    async def _listen(self, app: web.Application, port: int, context: ssl.SSLContext | None) -> int:
        """Serve it until the end; the port."""
        from aiohttp import web

        runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=1.0, handle_signals=False, keepalive_timeout=_IDLE_S
        )
        await runner.setup()
        self._exit.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, self.settings.host or None, port, ssl_context=context)
        await site.start()
        # with port 0 each family has its own; the url names an IPv4 address where there is one
        return int(min(runner.addresses, key=len)[1])

    def _plain_application(self) -> web.Application:
        from aiohttp import web

        app = web.Application(client_max_size=_MOST_BODY)
        app.add_routes(self.throughput.routes())
        return app

    def _application(self) -> web.Application:
        from aiohttp import web

        app = web.Application(client_max_size=_MOST_BODY)
        app.add_routes(
            [
                web.get("/", self._hello),
                web.post("/v1/sessions", self._issue),
                web.get("/v1/sessions/{id}", self._report),
                web.delete("/v1/sessions/{id}", self._end),
                web.get("/metrics", self._metrics),
                *self._throughput_routes(),
                *self.calls.routes(),
                *self.guests.routes(),
                *self.fleet.routes(),
                *self.it.routes(),
                *self.readiness.routes(),
            ]
        )
        return app

    def _throughput_routes(self) -> list[web.RouteDef]:
        if not (self.settings.throughput or self.settings.open_ndt7):
            return []
        return self.throughput.routes() + self._speedtest.routes()

    async def _expire(self) -> None:
        while True:
            await asyncio.sleep(5)
            self.sessions.expire()

    async def _hello(self, _: web.Request) -> web.Response:
        from aiohttp import web

        return web.Response(text="A test room of Mötesklar. Point `motesklar check --room` here.\n")

    async def _issue(self, request: web.Request) -> web.Response:
        organisation = self.organisation(request)
        seconds, rate = await _wanted(request)
        try:
            session = self.sessions.issue(organisation, request.remote or "", seconds, rate)
        except RoomBusyError as busy:
            return answer(503, code=busy.code, retry_after_seconds=busy.retry_after_s)
        return answer(
            201,
            schema=SESSION_SCHEMA,
            id=session.identifier,
            ssid=session.ssid,
            key=base64.b64encode(session.secret).decode(),
            stamp_port=self.stamp_port,
            expires_in_seconds=session.expires_at - time.monotonic(),
            server_time=time.time(),
            ice_servers=self.calls.ice_servers(session),
        )

    def organisation(self, request: web.Request) -> str:
        """The organisation of the caller's token. Raises the HTTP refusal."""
        address = request.remote or ""
        if not self._requests.allow(address, time.monotonic_ns()):
            raise refusal(429, "room_too_many_requests")
        if self.settings.tokens is None:
            if is_loopback(address):
                return "this computer"
            raise refusal(403, "room_token_refused")
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        organisation = self.settings.tokens.organisation(token) if scheme.lower() == "bearer" else None
        if organisation is None:
            raise refusal(401, "room_token_refused")
        return organisation

    async def _report(self, request: web.Request) -> web.Response:
        session = self.sessions.find(request.match_info["id"])
        return answer(200, **session.report()) if session else answer(404, code="session_expired")

    async def _end(self, request: web.Request) -> web.Response:
        session = self.sessions.find(request.match_info["id"])
        if session is None:
            return answer(404, code="session_expired")
        self.sessions.end(session)
        return answer(200, **session.report())

    async def _metrics(self, _: web.Request) -> web.Response:
        from aiohttp import web

        from testroom import metrics

        aggregates = await self.fleet.aggregates()
        return web.Response(body=metrics.exposition(self, aggregates), headers={"Content-Type": metrics.CONTENT_TYPE})


async def _wanted(request: web.Request) -> tuple[float, float]:
    """The asked-for seconds and packets per second; anything absurd is a 400."""
    import json

    try:
        raw = await request.read()
        body = json.loads(raw if len(raw) <= _MOST_REQUEST else b"")
        seconds, rate = body["seconds"], body["packets_per_second"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise refusal(400, "room_protocol") from None
    if not (_is_sensible(seconds) and _is_sensible(rate)):
        raise refusal(400, "room_protocol")
    return float(seconds), float(rate)


def _is_sensible(number: object) -> bool:
    return isinstance(number, int | float) and not isinstance(number, bool) and 0 < number < 1e6


def _context(pair: certificate.Pair) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    pair.load_into(context)
    return context

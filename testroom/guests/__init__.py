"""The page /test: the same call from the user's own browser, for guests who install nothing.

| request                  | who             | what                                                                 |
|--------------------------|-----------------|----------------------------------------------------------------------|
| GET /test, /test/FILE    | anybody (*)     | the page                                                             |
| POST /v1/guest-sessions  | anybody (*)     | 201 {"id", "ice_servers", "expires_in_seconds", "server_time"}       |
| POST /v1/records         | a guest session | 201 {"level", "reference", "stored", "words"}; one per session        |
| GET /v1/records/CODE     | an organisation | 200 the self-test behind a reference code                            |

A record that comes with an organisation's guest key (header Motesklar-Guest-Key) is kept among its self-tests, if the
room has a store; any other for a day, in memory. A code finds its own organisation's self-tests and those in memory.
(*) anybody who reaches the room when `RoomSettings.guests` is set, else only this computer.
A guest's session allows a call and one record: no STAMP (nobody is told its key) and no throughput.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, TypeVar

from reports.reference import code_of, read_code
from reports.serial import to_json
from reports.store.shapes import StoreError
from testroom.answers import answer, refusal
from testroom.guests import page as guest_page
from testroom.guests.codes import Records
from testroom.guests.record import MOST_BYTES, RecordRefusedError, read_record
from testroom.limits import Buckets, is_loopback
from testroom.sessions import GRACE_S, RoomBusyError, StampSession

if TYPE_CHECKING:
    from aiohttp import web

    from reports.record import SelfTest
    from testroom.server import TestRoom

Response = TypeVar("Response", bound="web.Response | web.HTTPException")
ORGANISATION = "guests"
SESSION_S = 60.0
GUEST_KEY = "Motesklar-Guest-Key"
_BODY_S = 10.0  # for a body to come
_STORE_S = 4.0  # for the store to answer, while a guest waits


@dataclass(frozen=True, slots=True)
class GuestLimits:
    """How many guests. A whole hospital may share one address."""

    sessions: int = 400
    sessions_per_minute: float = 60.0  # of one address, and as many at once
    requests_per_minute: float = 600.0  # of one address, for anything


class Guests:
    """The page, its short sessions, and the verdict on what the browser measured."""

    def __init__(self, room: TestRoom, limits: GuestLimits | None = None) -> None:
        self._room = room
        self.limits = limits or GuestLimits()
        self.records = Records()
        self._requests = _buckets(self.limits.requests_per_minute)
        self._issued = _buckets(self.limits.sessions_per_minute)

    def routes(self) -> list[web.RouteDef]:
        """What the room's HTTPS server serves for guests."""
        from aiohttp import web

        return [
            web.get(guest_page.PAGE, self._page),
            web.get(guest_page.PAGE + "/{name}", self._file),
            web.post("/v1/guest-sessions", self._issue),
            web.post("/v1/records", self._record),
            web.get("/v1/records/{code}", self._look_up),
        ]

    async def _page(self, request: web.Request) -> web.Response:
        from aiohttp import web

        self._admit(request)
        lang = guest_page.language(request.query.get("lang"), request.headers.get("Accept-Language", ""))
        headers = guest_page.HEADERS | {"Content-Language": lang, "Vary": "Accept-Language"}
        return web.Response(text=guest_page.page(lang), content_type="text/html", headers=headers)

    async def _file(self, request: web.Request) -> web.Response:
        self._admit(request)
        name = request.match_info["name"]
        if name not in guest_page.files():
            raise _plain(refusal(404, "room_test_not_offered"))
        return guest_page.file_answer(name)

    async def _issue(self, request: web.Request) -> web.Response:
        self._admit(request)
        _check_origin(request)
        if not self._issued.allow(_network_of(request), time.monotonic_ns()):
            raise _plain(refusal(429, "room_too_many_requests"))
        try:
            session = self._session(request)
        except RoomBusyError as busy:
            return _plain(answer(503, code=busy.code, retry_after_seconds=busy.retry_after_s))
        fields = {"id": session.identifier, "ice_servers": self._room.calls.ice_servers(session)}
        left = session.expires_at - time.monotonic()
        return _plain(answer(201, **fields, expires_in_seconds=left, server_time=time.time()))

    def _session(self, request: web.Request) -> StampSession:
        """A guest's session. RoomBusyError: there are enough of them."""
        sessions = self._room.sessions
        sessions.expire()
        here = [s for s in sessions.by_ssid.values() if s.guest]
        if len(here) >= self.limits.sessions:
            soonest = min(s.expires_at for s in here) - time.monotonic()
            raise RoomBusyError("room_busy", max(1.0, soonest))
        return sessions.issue(ORGANISATION, request.remote or "", SESSION_S - GRACE_S, 1.0, guest=True)

    async def _record(self, request: web.Request) -> web.Response:
        """Judge what the browser measured. One record of each session."""
        from testroom.guests.verdict import self_test, shown

        self._admit(request)
        _check_origin(request)
        session = self._guest(request)
        try:
            record = read_record(await _body(request))
        except RecordRefusedError as refused:
            raise _plain(refusal(400, "room_protocol", where=str(refused))) from None
        if session.recorded:
            return _plain(answer(409, code="room_too_many_requests"))
        session.recorded = True
        judged = self_test(record)
        stored = await self._stored_for_organisation(request, judged)
        code = code_of(judged.run_id) if stored else self.records.keep(judged)
        return _plain(answer(201, **shown(judged, code, stored=stored)))

    async def _stored_for_organisation(self, request: web.Request, judged: SelfTest) -> bool:
        """Does an organisation keep it? A wrong key, or a store that does not answer, takes no verdict from a guest."""
        from reports.collector import Receipt

        tokens, collector = self._room.settings.tokens, self._room.fleet.collector
        organisation = tokens.guests_of(request.headers.get(GUEST_KEY, "")) if tokens else None
        if organisation is not None and collector is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_STORE_S):
                    kept = await collector.keep(organisation, judged, time.time())
                return isinstance(kept, Receipt)
        return False

    async def _look_up(self, request: web.Request) -> web.Response:
        """For an organisation's support; the check in the code tells a mistyped one from an unknown one."""
        organisation = self._room.organisation(request)
        code = read_code(request.match_info["code"])
        if code is None:
            return _plain(answer(400, code="record_mistyped"))
        try:
            found = self.records.find(code) or await self._stored(organisation, code)
        except (StoreError, TimeoutError):
            return _plain(answer(503, code="store_unavailable"))
        if found is None:
            return _plain(answer(404, code="record_unknown"))
        return _plain(answer(200, **to_json(found), reference=code))

    async def _stored(self, organisation: str, code: str) -> SelfTest | None:
        """Raises StoreError, TimeoutError."""
        store = self._room.fleet.store
        if store is None:
            return None
        async with asyncio.timeout(_STORE_S):
            return await asyncio.to_thread(store.by_code, organisation, code)

    def _guest(self, request: web.Request) -> StampSession:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        session = self._room.sessions.find(token) if scheme.lower() == "bearer" else None
        if session is None or not session.guest:
            raise _plain(refusal(401 if not token else 403, "room_token_refused"))
        return session

    def _admit(self, request: web.Request) -> None:
        """Raises the HTTP refusal for whom the page is not, and who asks too often."""
        if not (self._room.settings.guests or is_loopback(request.remote or "")):
            raise _plain(refusal(404, "room_test_not_offered"))
        if not self._requests.allow(_network_of(request), time.monotonic_ns()):
            raise _plain(refusal(429, "room_too_many_requests"))


def _buckets(per_minute: float) -> Buckets:
    return Buckets(per_minute / 60, burst=per_minute)


def _plain(response: Response) -> Response:
    response.headers.update(guest_page.HEADERS)
    return response


def _network_of(request: web.Request) -> str:
    """Whom to count for: an IPv4 address, or the /64 that one IPv6 customer has."""
    try:
        address = ip_address((request.remote or "").partition("%")[0])
    except ValueError:
        return ""
    return str(int(address) >> 64) if isinstance(address, IPv6Address) else str(address)


def _check_origin(request: web.Request) -> None:
    """Another site's page may not use a visitor's browser: JSON asks first, and the origin must be ours."""
    origin = request.headers.get("Origin")
    if request.content_type != "application/json":
        raise _plain(refusal(400, "room_protocol"))
    if origin is not None and origin.partition("://")[2] != request.host:
        raise _plain(refusal(403, "room_protocol"))


async def _body(request: web.Request) -> bytes:
    from aiohttp import web

    if (request.content_length or 0) > MOST_BYTES:
        raise RecordRefusedError("size")
    try:
        return await asyncio.wait_for(request.read(), _BODY_S)
    except web.HTTPRequestEntityTooLarge:  # it came in pieces, without saying how much
        raise RecordRefusedError("size") from None
    except TimeoutError:
        raise RecordRefusedError("time") from None

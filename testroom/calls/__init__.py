"""The room's end of a call: offer and answer over HTTPS as in WHIP (RFC 9725), who may call, and how many at once."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from testroom.answers import answer, refusal
from testroom.calls.offer import MOST_OCTETS
from testroom.calls.process import CallProcess, WorkerGoneError
from testroom.calls.rules import CALLS_PER_CORE, LONGEST_S, MOST_AT_ONCE, MOST_CONNECTING_S, MOST_OF_A_SESSION

if TYPE_CHECKING:
    from aiohttp import web

    from testroom.calls.turn import Turn
    from testroom.sessions import Sessions, StampSession

_ANSWER_S, _ASK_S, _BODY_S = 5.0, 1.0, 5.0
_LOOK_S = 0.3
_NOTHING = ("audio_packets", "video_frames", "audio_returned", "video_returned")


@dataclass(frozen=True, slots=True)
class CallSettings:
    """How the room takes calls. `address`: what the answer names, else where the request came in."""

    calls_per_core: int = CALLS_PER_CORE
    workers: int = 1  # processes, each with a core to itself
    most: int | None = None  # calls at once, whatever the cores
    address: str | None = None
    ports: tuple[int, int] | None = None  # UDP, first and last
    turn: Turn | None = None

    @property
    def places(self) -> int:
        """Calls at once."""
        return self.most if self.most is not None else self.calls_per_core * self.workers


@dataclass(slots=True)
class _Call:
    session: StampSession
    process: CallProcess
    began: float
    account: dict[str, Any] = field(default_factory=lambda: {"state": "connecting"} | dict.fromkeys(_NOTHING, 0))

    @property
    def open(self) -> bool:
        return bool(self.account["state"] != "ended")

    @property
    def ends_at(self) -> float:
        """At the latest."""
        return self.began + (MOST_CONNECTING_S if self.account["state"] == "connecting" else LONGEST_S)


class Calls:
    """Every call of the room."""

    def __init__(self, sessions: Sessions, settings: CallSettings | None) -> None:
        self._sessions, self.settings = sessions, settings
        self._calls: dict[str, _Call] = {}  # of sessions that live, ended calls too
        self.processes: list[CallProcess] = []
        self.started = self.connected = 0
        self.refused: Counter[str] = Counter()
        self._watch: asyncio.Task[None] | None = None

    @property
    def open_now(self) -> int:
        """Calls that take a place."""
        return sum(call.open for call in self._calls.values())

    @property
    def restarts(self) -> int:
        """How often a call process had to be started anew."""
        return sum(process.restarts for process in self.processes)

    def returned(self) -> Counter[str]:
        """Frames sent back since the start, by kind."""
        totals: Counter[str] = Counter(audio=0, video=0)
        for process in self.processes:
            totals.update(process.totals)
        return totals

    async def open(self) -> None:
        """Make ready for calls: the processes start, and nobody waits for them."""
        if self.settings is None:
            return
        for number in range(self.settings.workers):
            self.processes.append(CallProcess(lambda n=number: self._lost(n), self._told))  # type: ignore[misc]
            self.processes[number].start()
        self._watch = asyncio.create_task(self._follow_sessions())

    async def close(self) -> None:
        """End every call."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        await asyncio.gather(*(process.close() for process in self.processes))

    def routes(self) -> list[web.RouteDef]:
        """What the room's HTTPS server serves for calls."""
        from aiohttp import web

        return [
            web.post("/v1/call", self._begin),
            web.options("/v1/call", self._describe),
            web.get("/v1/call/{id}", self._report, allow_head=False),
            web.delete("/v1/call/{id}", self._end),
        ]

    def ice_servers(self, session: StampSession) -> list[dict[str, Any]]:
        """The relays for this session's calls, with its own time-limited credentials: RTCIceServer dictionaries."""
        if self.settings is None or self.settings.turn is None:
            return []
        return [self.settings.turn.server(session.expires_at - time.monotonic())]

    def _lost(self, number: int) -> None:
        for call in self._calls.values():
            if call.process is self.processes[number]:
                call.account["state"] = "ended"

    def _told(self, line: dict[str, Any]) -> None:
        call = self._calls.get(line.pop("call", ""))
        event = line.pop("event", "")
        if call is None:
            return
        if event == "connected" and call.open:
            self.connected += 1
            call.account["state"] = "connected"
        elif event == "ended":
            call.account = line

    def _lives(self, session: StampSession) -> bool:
        return self._sessions.by_ssid.get(session.ssid) is session

    async def _follow_sessions(self) -> None:
        """A call ends with its session."""
        while True:
            await asyncio.sleep(_LOOK_S)
            self._sessions.expire()
            over = [i for i, call in self._calls.items() if not self._lives(call.session)]
            for identifier in over:
                call = self._calls.pop(identifier)
                if call.open:
                    with contextlib.suppress(WorkerGoneError):
                        await call.process.ask(_ASK_S, do="end", call=identifier)

    async def _begin(self, request: web.Request) -> web.Response:
        """POST /v1/call."""
        from aiohttp import web

        try:
            session = self._caller(request)
            offer = await _offer(request)
            self._admit(session)
        except web.HTTPException as refused:
            self._count(refused)
            raise
        identifier = secrets.token_urlsafe(18)
        call = self._calls[identifier] = _Call(session, self._least_busy(), time.monotonic())
        try:
            said = await call.process.ask(_ANSWER_S, do="call", call=identifier, sdp=offer, **self._where(request))
        except WorkerGoneError:
            said = {"refused": "room_busy"}
        if "sdp" not in said or not call.open:
            return self._turn_away(identifier, said)
        self.started += 1
        headers = {"Location": f"/v1/call/{identifier}"}
        return web.Response(status=201, text=said["sdp"], content_type="application/sdp", headers=headers)

    def _turn_away(self, identifier: str, said: dict[str, Any]) -> web.Response:
        """The process did not take it. An offer that was none stays, ended, as one of its session's calls."""
        if said.get("refused") == "room_protocol":
            self.refused["protocol"] += 1
            if (call := self._calls.get(identifier)) is not None:  # else its session has ended meanwhile
                call.account["state"] = "ended"
            return answer(400, code="room_protocol")
        self._calls.pop(identifier, None)
        self.refused["no_worker"] += 1
        return answer(503, code="room_busy", retry_after_seconds=1.0)

    def _count(self, refused: web.HTTPException) -> None:
        reasons = {400: "protocol", 401: "token", 403: "token", 404: "off", 429: "session_limit", 503: "busy"}
        self.refused[reasons.get(refused.status, "protocol")] += 1

    def _caller(self, request: web.Request) -> StampSession:
        """Whose session it is. Raises the HTTP refusal."""
        if self.settings is None:
            raise refusal(404, "room_test_not_offered")
        scheme, _, identifier = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not identifier.strip():
            raise refusal(401, "room_token_refused")
        session = self._sessions.find(identifier.strip())
        if session is None:
            raise refusal(403, "room_token_refused")
        return session

    def _admit(self, session: StampSession) -> None:
        assert self.settings is not None
        own = [call for call in self._calls.values() if call.session is session]
        if len(own) >= MOST_OF_A_SESSION or sum(call.open for call in own) >= MOST_AT_ONCE:
            raise refusal(429, "room_too_many_requests")
        taken = [call.ends_at for call in self._calls.values() if call.open]
        if len(taken) >= self.settings.places:
            seconds = round(max(1.0, min(taken, default=0.0) - time.monotonic()), 1)
            again = refusal(503, "room_busy", retry_after_seconds=seconds)
            again.headers["Retry-After"] = str(int(seconds + 1))
            raise again

    def _least_busy(self) -> CallProcess:
        load = Counter(id(call.process) for call in self._calls.values() if call.open)
        return min(self.processes, key=lambda process: load[id(process)])

    def _where(self, request: web.Request) -> dict[str, Any]:
        """Where the call's port is opened, and what the answer calls it: by default where the request came in."""
        assert self.settings is not None
        name = request.transport.get_extra_info("sockname") if request.transport else None
        here = str(name[0]).removeprefix("::ffff:") if name else "127.0.0.1"
        named = self.settings.address
        return {"bind": [named, here] if named else [here], "say": named, "ports": self.settings.ports}

    async def _describe(self, request: web.Request) -> web.Response:
        """OPTIONS /v1/call: what WHIP clients ask first."""
        from aiohttp import web

        servers = self.ice_servers(self._caller(request))
        response = web.Response(status=204, headers={"Accept-Post": "application/sdp"})
        for server in servers:
            for url in server["urls"]:
                given = f'username="{server["username"]}"; credential="{server["credential"]}"'
                response.headers.add("Link", f'<{url}>; rel="ice-server"; {given}; credential-type="password"')
        return response

    async def _report(self, request: web.Request) -> web.Response:
        return await self._ask(request, "state")

    async def _end(self, request: web.Request) -> web.Response:
        return await self._ask(request, "end")

    async def _ask(self, request: web.Request, what: str) -> web.Response:
        identifier = request.match_info["id"]
        call = self._calls.get(identifier)
        self._sessions.expire()
        if call is None or not self._lives(call.session):
            return answer(404, code="session_expired")
        if call.open:
            with contextlib.suppress(WorkerGoneError):
                said = await call.process.ask(_ASK_S, do=what, call=identifier)
                if call.open and "state" in said:
                    call.account = {key: value for key, value in said.items() if key != "answer"}
        return answer(200, **call.account)


async def _offer(request: web.Request) -> str:
    """The body, if it can be an offer. Raises the HTTP refusal."""
    if request.content_type != "application/sdp" or (request.content_length or 0) > MOST_OCTETS:
        raise refusal(400, "room_protocol")
    from aiohttp import web

    try:
        async with asyncio.timeout(_BODY_S):
            body = await request.read()
        if len(body) > MOST_OCTETS:
            raise ValueError
        return body.decode()
    except (ValueError, TimeoutError, web.HTTPRequestEntityTooLarge):
        raise refusal(400, "room_protocol") from None

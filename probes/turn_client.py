"""Asking a STUN or TURN server (RFC 8489, RFC 8656), with its own words for why not.

aioice's own client says nothing of a wrong password, and cannot be bound to a link; its codec is used, no more.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aioice import stun

from probes.turn_wire import RTO_S, Datagrams, Outcome, Unanswered, Wire, answers, left
from processes.tasks import end

UDP_PROTOCOL = 17 << 24  # REQUESTED-TRANSPORT (RFC 8656, section 18.8)
BY_CODE: dict[int, Outcome] = {300: "alternate", 401: "unauthorized", 403: "forbidden", 486: "quota"}


@dataclass(frozen=True, slots=True)
class Seen:
    """One answer to a binding: this socket's address as the server sees it, and the round trip in seconds."""

    address: tuple[str, int]
    seconds: float


@dataclass(frozen=True, slots=True)
class Allocation:
    """What came of asking for a relay. `seconds` until the answer, from when one began; `code`: the server's."""

    outcome: Outcome
    seconds: float | None = None
    code: int | None = None
    detail: str = ""

    def __str__(self) -> str:
        words = f"error {self.code}" if self.outcome == "error" else self.outcome.replace("_", " ")
        return f"{words}, {self.detail}" if self.detail else words


# ---- bindings ---------------------------------------------------------------------------------------------------


async def bindings(wire: Datagrams, server: tuple[str, int], until: float, wanted: int = 3) -> list[Seen]:
    """So many, or fewer when they do not come. Each asking has its own number: an answer's time is never ambiguous."""
    came: list[Seen] = []
    asked: set[asyncio.Task[Seen | None]] = set()
    try:
        while len(came) < wanted and left(until):
            asked.add(asyncio.create_task(_binding(wire, server, until)))
            done, asked = await asyncio.wait(
                asked, timeout=min(RTO_S, left(until)), return_when=asyncio.FIRST_COMPLETED
            )
            came += [found for task in done if (found := task.result()) is not None]
    finally:
        await end(*asked)
    return came[:wanted]


async def _binding(wire: Datagrams, server: tuple[str, int], until: float) -> Seen | None:
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    begun = time.monotonic()
    try:
        answer = await wire.once(request, until, server)
    except OSError:  # TimeoutError among them
        return None
    seconds = time.monotonic() - begun
    # MAPPED-ADDRESS: what servers older than RFC 5389 send
    mapped = answer.attributes.get("XOR-MAPPED-ADDRESS") or answer.attributes.get("MAPPED-ADDRESS")
    if mapped is None or answer.message_class is not stun.Class.RESPONSE or not answers(answer, request):
        return None
    return Seen(mapped, seconds)


# ---- allocations ------------------------------------------------------------------------------------------------


async def allocate(
    wire: Wire,
    until: float,
    username: str = "",
    credential: str = "",
    *,
    needed: bool = True,
    begun: float | None = None,
) -> Allocation:
    """Ask for a relay and give it back at once. Not `needed`: a server that refuses is there, and that is "ok".

    `begun`: since when the time counts (time.monotonic()), if that was before now.
    """
    dialog, begun = _Dialog(wire, until, username, credential), begun or time.monotonic()
    try:
        answer = await dialog.ask(stun.Method.ALLOCATE, {"REQUESTED-TRANSPORT": UDP_PROTOCOL})
        found = _judged(answer, time.monotonic() - begun, needed)
        if answer.message_class is stun.Class.RESPONSE:
            with contextlib.suppress(Unanswered):  # then it ends by itself, in ten minutes
                await dialog.ask(stun.Method.REFRESH, {"LIFETIME": 0})
    except Unanswered as error:
        return Allocation(error.outcome, detail=error.detail)
    except asyncio.CancelledError:
        wire.tell(dialog.signed(stun.Method.REFRESH, {"LIFETIME": 0}))  # for it may have been given
        raise
    return found


def _judged(answer: stun.Message, seconds: float, needed: bool) -> Allocation:
    code = answer.error_code
    if answer.message_class is stun.Class.RESPONSE:
        if "XOR-RELAYED-ADDRESS" in answer.attributes:
            return Allocation("ok", seconds)
        return Allocation("error", seconds, code, "it gives a relay without an address")
    if not needed and code != 300:
        return Allocation("ok", seconds, code)
    return Allocation(BY_CODE.get(code or 0, "error"), seconds, code)


class _Dialog:
    """Requests with a long-term credential (RFC 8489, section 9.2)."""

    def __init__(self, wire: Wire, until: float, username: str, credential: str) -> None:
        self._wire, self._until = wire, until
        self._username, self._credential = username, credential
        self._realm, self._nonce, self._key = "", b"", b""
        self._renewed = False

    async def ask(self, method: stun.Method, attributes: Mapping[str, Any]) -> stun.Message:
        """The answer. After a first 401 and a first 438 the question is put again. Raises Unanswered."""
        while True:
            request = self.signed(method, attributes)
            answer = await self._wire.ask(request, self._until, self._acceptable)
            if not self._learns(answer):
                return answer

    def signed(self, method: stun.Method, attributes: Mapping[str, Any]) -> stun.Message:
        """A new request, signed as soon as the server has said for which realm."""
        request = stun.Message(method, stun.Class.REQUEST, attributes=dict(attributes))
        if self._key:
            request.attributes |= {"USERNAME": self._username, "REALM": self._realm, "NONCE": self._nonce}
            request.add_message_integrity(self._key)
        return request

    def _acceptable(self, answer: stun.Message) -> bool:
        """A success must be signed. An error need not be: its words are wanted, and it is believed in nothing else."""
        return answer.message_class is stun.Class.ERROR or not self._key or answer.check_message_integrity(self._key)

    def _learns(self, answer: stun.Message) -> bool:
        """Does the answer tell how to ask again?"""
        realm, nonce = answer.attributes.get("REALM"), answer.attributes.get("NONCE")
        if not self._username or nonce is None:
            return False
        if answer.error_code == 401 and realm is not None and not self._key:
            self._realm, self._nonce = realm, nonce
            words = f"{self._username}:{realm}:{self._credential}".encode()
            self._key = hashlib.md5(words, usedforsecurity=False).digest()  # RFC 8489, section 18.5.1.1
            return True
        if answer.error_code == 438 and self._key and not self._renewed:
            self._nonce, self._renewed = nonce, True
            return True
        return False

"""Offer and answer with the room over HTTPS, as in WHIP (RFC 9725), and what the room saw of the call at its end."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from probes.room import RoomSession
from probes.room_failures import OF_A_TEST, by_error, refusal
from probes.session import ProbeFailure

if TYPE_CHECKING:
    from aiohttp import ClientSession

OFFER_S, END_S = 3.0, 1.5
PATH, SDP = "/v1/call", "application/sdp"
_NAMES = ("audio_packets", "video_frames", "audio_returned", "video_returned")


@dataclass(frozen=True, slots=True)
class Counts:
    """What reached the room, and what it sent back."""

    received: int
    returned: int


class Signalling:
    """The calls of one session; `took`: seconds from each offer to its answer."""

    def __init__(self, room: RoomSession) -> None:
        if room.http is None:
            raise ProbeFailure("room_test_not_offered", step="signalling")
        self._http: ClientSession = room.http
        self._headers = {"Authorization": f"Bearer {room.identifier}"}
        self._calls: dict[str, str] = {}
        self.took: dict[str, float] = {}

    async def offer(self, name: str, offer: str) -> str:
        """The room's answer. ProbeFailure: why there is none."""
        begun = time.monotonic()
        try:
            answer = await self._post(name, offer)
        except ProbeFailure as failure:
            failure.step = "signalling"
            raise
        except Exception as error:
            said = by_error(error)
            raise ProbeFailure(said.code, said.detail, "signalling") from error
        self.took[name] = time.monotonic() - begun
        return answer

    async def _post(self, name: str, offer: str) -> str:
        headers = {**self._headers, "Content-Type": SDP}
        async with (
            asyncio.timeout(OFFER_S),
            self._http.post(PATH, data=offer.encode(), headers=headers, allow_redirects=False) as answer,
        ):
            if answer.status != 201:
                raise await refusal(answer, OF_A_TEST)
            path = answer.headers.get("Location", "")
            if answer.content_type != SDP or not path.startswith(f"{PATH}/"):
                raise ProbeFailure("room_protocol")
            self._calls[name] = path
            return await answer.text()

    async def hang_up(self, name: str) -> Counts | None:
        """End a call. None: the room does not say what it saw of it, or there is no such call."""
        path = self._calls.pop(name, None)
        if path is None:
            return None
        try:
            async with asyncio.timeout(END_S), self._http.delete(path, headers=self._headers) as answer:
                said = await answer.json()
                audio, video, audio_back, video_back = (int(said[name]) for name in _NAMES)
        except Exception:  # noqa: BLE001 - without it less is known; what was measured stands
            return None
        return Counts(audio + video, audio_back + video_back)

    async def end(self) -> None:
        """Every call that is left."""
        await asyncio.gather(*(self.hang_up(name) for name in list(self._calls)))

"""Many callers in a process of its own: {"url", "calls": N, "seconds": S} -> what was sent and what came back.

{"one_more": true, "url"} holds nothing: it says how the room answers one more call while {"hold": N} others are open.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from bench.call_caller import PICTURE, SOUND, Caller
from bench.call_media import Media, make
from bench.processes import answer, questions
from testroom.event_loop import loop_factory

_LATE_S = 0.7


@asynccontextmanager
async def _visitor(url: str) -> AsyncIterator[aiohttp.ClientSession]:
    address, _, fingerprint = url.partition("#sha256=")
    connector = aiohttp.TCPConnector(ssl=aiohttp.Fingerprint(bytes.fromhex(fingerprint)))
    async with aiohttp.ClientSession(address, connector=connector) as http:
        yield http


async def _session(http: aiohttp.ClientSession) -> str:
    async with http.post("/v1/sessions", json={"seconds": 120, "packets_per_second": 10}) as response:
        return str((await response.json())["id"])


async def _many(asked: dict[str, Any], media: Media) -> dict[str, Any]:
    callers = [Caller(media) for _ in range(asked["calls"])]
    async with _visitor(asked["url"]) as http:
        begun = time.monotonic()
        for caller in callers:
            if (status := await caller.open(http, await _session(http))) != 201:
                return {"error": f"the room answered {status}"}
        opened = time.monotonic() - begun
        refused = await _one_more(http, media) if asked["one_more"] else None
        cpu = time.process_time()
        until = time.monotonic() + asked["seconds"]
        await asyncio.gather(*(caller.talk(until) for caller in callers))
        cpu = time.process_time() - cpu
        await asyncio.sleep(_LATE_S)
        accounts = [await caller.close(http) for caller in callers]
    trips = sorted(trip for caller in callers for trip in caller.trips)
    return {
        "opened_s": opened,
        "refused": refused,
        "cpu": cpu / asked["seconds"],
        "packets": [sum(c.packets_sent for c in callers), sum(c.packets_back for c in callers)],
        "sounds": [sum(c.sent[SOUND] for c in callers), sum(c.back[SOUND] for c in callers)],
        "pictures": [sum(c.sent[PICTURE] for c in callers), sum(c.back[PICTURE] for c in callers)],
        "lost_on_the_way": sum(a["audio_lost"] + a["video_packets_lost"] for a in accounts),
        "trip_p50": trips[len(trips) // 2] if trips else None,
        "trip_p95": trips[len(trips) * 95 // 100] if trips else None,
    }


async def _one_more(http: aiohttp.ClientSession, media: Media) -> list[Any]:
    """How the room answers a call that has no place: status, body, Retry-After."""
    caller = Caller(media)
    begun = time.monotonic()
    headers = {"Authorization": f"Bearer {await _session(http)}", "Content-Type": "application/sdp"}
    async with http.post("/v1/call", data="v=0", headers=headers) as response:
        said = [response.status, await response.json(), response.headers.get("Retry-After")]
    caller._sock.close()
    return [*said, time.monotonic() - begun]


def main() -> None:
    media = make()
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        for asked in questions():
            if "calls" in asked:
                answer(runner.run(_many(asked, media)))
            else:
                answer({"packets_per_s": media.packets_per_s, "bits_per_s": media.bits_per_s})


if __name__ == "__main__":
    main()

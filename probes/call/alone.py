"""The sound by itself, where the picture does not hold: is it the network, or only what the pictures take of it?

As after a call without cameras from its start: first all is silent until the queues on the way are empty.
Only the child process imports this module.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from probes.call.counting import SOUND_GAPS, audio_gap_ratio
from probes.call.wire import ALONE_BYTES, ALONE_S, BACK_S, DRAIN_S, MOST_DRAIN_S, QUIET_S, Errand

if TYPE_CHECKING:
    from probes.call.attempt import Attempt

LOOK_S = 0.02
LEAST_BACK_S = 0.3  # for a first sound to come back, or it is not tried
BEHIND_S = SOUND_GAPS * ALONE_S  # in a queue that fills: longer tests would lose it


async def sound_alone(won: Attempt, errand: Errand, moved_bytes: int) -> dict[str, Any]:
    """Silence, and then sound without pictures, which is counted.

    Facts: sound_alone_gap_ratio, and call_carries where it is "sound_only"; or sound_alone_unknown with the reason.
    """
    now, latest = time.monotonic(), errand.until - ALONE_S
    if now + DRAIN_S > latest - LEAST_BACK_S:
        return {"sound_alone_unknown": "no time"}
    if moved_bytes + ALONE_BYTES > errand.budget_bytes:
        return {"sound_alone_unknown": "data budget"}
    won.hush()
    if not await _drained(won, now, min(latest - LEAST_BACK_S, now + MOST_DRAIN_S)):
        return {"sound_alone_unknown": "no time: much was still on the way"}
    won.speak()
    gaps = await _gaps(won, latest)
    if gaps is None:
        return {"sound_alone_unknown": "no time"}
    found: dict[str, Any] = {"sound_alone_gap_ratio": round(gaps, 3)}
    return found | ({"call_carries": "sound_only"} if gaps < SOUND_GAPS else {})


async def _drained(won: Attempt, begun: float, latest: float) -> bool:
    """Wait until nothing has come for QUIET_S, and for DRAIN_S at least."""
    while (now := time.monotonic()) <= latest:
        if now - max(won.seen.last_packet or begun, begun + DRAIN_S - QUIET_S) >= QUIET_S:
            return True
        await asyncio.sleep(LOOK_S)
    return False


async def _gaps(won: Attempt, latest: float) -> float | None:
    """From the first sound that comes back, for ALONE_S. None: it had less than BACK_S to come, until `latest`."""
    sound, before = won.seen.sound, len(won.seen.sound) + 1  # the first that comes was in the encoder all the while
    patience = time.monotonic() + BACK_S
    while len(sound) <= before:
        if (now := time.monotonic()) > min(patience, latest):
            return 1.0 if now > patience else None
        await asyncio.sleep(LOOK_S)
    start = sound[before][0]
    await asyncio.sleep(start + ALONE_S - time.monotonic())
    gaps = audio_gap_ratio(sound[before:], start, start + ALONE_S, BEHIND_S)
    return 1.0 if gaps is None else gaps

"""The sound by itself: what is made of what comes back after a silence, and when it is not tried at all."""

from __future__ import annotations

import asyncio
import time
from typing import cast

import pytest

from probes.call import alone as call_alone
from probes.call.alone import sound_alone
from probes.call.attempt import Attempt
from probes.call.counting import Seen
from probes.call.picture import Scene
from probes.call.sound import phrase
from probes.call.wire import ALONE_BYTES, Errand

TICKS = 960


class Far:
    """An attempt whose other end returns every packet but those `lost`, `pace` times as fast as it should."""

    def __init__(self, lost: range = range(0), pace: float = 1.0, trickle_s: float = 0.0) -> None:
        self.seen, self._lost, self._pace = Seen(last_packet=time.monotonic()), lost, pace
        self._until = time.monotonic() + trickle_s
        self._tasks = [asyncio.create_task(self._trickle())]

    async def _trickle(self) -> None:
        while time.monotonic() < self._until:
            self.seen.last_packet = time.monotonic()
            await asyncio.sleep(0.01)

    def hush(self) -> None:
        self.seen.sound.append((time.monotonic(), 0))

    def speak(self) -> None:
        self._tasks.append(asyncio.create_task(self._return()))

    async def _return(self) -> None:
        begun = time.monotonic()
        self.seen.sound.append((begun, TICKS))  # from before the silence
        for number in range(200):
            await asyncio.sleep(begun + number * 0.02 / self._pace - time.monotonic())
            if number not in self._lost:
                self.seen.sound.append((time.monotonic(), (500 + number) * TICKS))


def errand(seconds: float = 30, budget: float = 1e9) -> Errand:
    return Errand("127.0.0.1", 1.5, 1_000_000, budget, time.monotonic() + seconds)


@pytest.mark.parametrize(
    ("far", "expected"),
    [
        ({}, {"sound_alone_gap_ratio": 0.0, "call_carries": "sound_only"}),
        ({"lost": range(5, 10)}, {"sound_alone_gap_ratio": pytest.approx(0.2, abs=0.05)}),
        ({"lost": range(200)}, {"sound_alone_gap_ratio": 1.0}),
        ({"pace": 0.6}, {"sound_alone_gap_ratio": pytest.approx(0.4, abs=0.06)}),  # it is not lost yet
        ({"trickle_s": 9.0}, {"sound_alone_unknown": "no time: much was still on the way"}),
    ],
)
async def test_what_comes_back(far: dict[str, object], expected: object, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in {"DRAIN_S": 0.1, "QUIET_S": 0.1, "MOST_DRAIN_S": 0.3, "BACK_S": 0.2, "ALONE_S": 0.5}.items():
        monkeypatch.setattr(call_alone, name, seconds)
    monkeypatch.setattr(call_alone, "BEHIND_S", 0.05)
    assert await sound_alone(cast(Attempt, Far(**far)), errand(), 0) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seconds", "budget", "why"), [(2.4, 1e9, "no time"), (30, 1000 + ALONE_BYTES - 1, "data budget")]
)
async def test_without_means_it_is_not_tried(seconds: float, budget: float, why: str) -> None:
    assert await sound_alone(cast(Attempt, None), errand(seconds, budget), 1000) == {"sound_alone_unknown": why}


async def test_the_stack_stops_and_goes_on_as_told() -> None:
    """`_enabled` and `_retransmit` are aiortc's own and may change."""
    attempt = Attempt("direct", None, Scene(), phrase())
    senders = attempt.peer.getSenders()
    voice = senders[0].track
    for sender in senders:
        assert sender._enabled is True
        assert asyncio.iscoroutinefunction(sender._retransmit)
    attempt.hush()
    assert [(s.track, s._enabled) for s in senders] == [(None, False), (None, False)]  # type: ignore[comparison-overlap]
    attempt.speak()
    assert [(s.track, s._enabled) for s in senders] == [(voice, True), (None, False)]
    await attempt.close()

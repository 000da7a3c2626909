"""How the call goes, for the parent: what was counted, what it cost, and how it was connected.

Only the child process imports this module.
"""

from __future__ import annotations

import os
import time
from typing import Any

from probes import cpu
from probes.call.attempt import Attempt
from probes.call.counting import count
from probes.call.picture import HEIGHT, WIDTH
from probes.call.wire import Report

HEADERS_BYTES = 28  # IPv4 and UDP; a relay's and IPv6's come on top
LEAST_S = 0.3


class Reporter:
    """From the moment when media may begin. `joined`: when the call was begun."""

    def __init__(self, won: Attempt, joined: float) -> None:
        self._won, self._joined = won, joined
        self._begun = time.monotonic()
        self._used, self._busy = time.process_time(), cpu.sample()

    async def report(self, end: float, fraction: float) -> Report:
        """What is known of the time until `end`."""
        seen = self._won.seen
        counted = count(seen, self._joined, end, (WIDTH, HEIGHT))
        report = Report(
            values=self._won.took() | counted.values | self._cpu(),
            facts=self._facts(counted.carries),
            unknown=counted.unknown,
            fraction=fraction,
            frames_sent=len(seen.pictures),
            frames_received=len(seen.frames),
        )
        await self.weigh(report)
        return report

    async def weigh(self, report: Report) -> None:
        """What it has cost until now."""
        report.sent_octets, report.received_octets, datagrams = await self._won.carried()
        report.moved_bytes = report.sent_octets + report.received_octets + HEADERS_BYTES * datagrams

    def _facts(self, carried: str) -> dict[str, Any]:
        won, frames = self._won, self._won.seen.frames
        facts: dict[str, Any] = {"media_path": won.way, "candidate_pair": won.pair()}
        facts |= {f"{kind}_codec": name for kind, name in won.codecs().items()}
        if frames:
            width, height = frames[-1].size
            facts["frame_size"] = f"{width}x{height}"
        if damaged := sum(f.number is None for f in frames):
            facts["frames_damaged"] = damaged
        if carried:
            facts["call_carries"] = carried
        if (busy := cpu.busy_ratio(self._busy, cpu.sample())) is not None:
            facts["computer_busy_ratio"] = round(busy, 3)
        return facts

    def _cpu(self) -> dict[str, float]:
        took, used = time.monotonic() - self._begun, time.process_time() - self._used
        return {"call_cpu_ratio": min(1.0, used / took / _cores())} if took > LEAST_S else {}


def _cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

"""The wifi radio while the probes measure: signal, rate, and how much it had to send again."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from reports.record import Link, Wifi

EVERY_S, ANSWER_S = 0.5, 0.4
NAMES = ("wifi_signal_dbm", "wifi_rate_bytes_per_second", "wifi_retry_ratio")
NOT_ASKED = "the radio cannot be asked on this system"
SILENT = "the radio did not say"


@dataclass(slots=True)
class Summary:
    """What the samples say. A name of NAMES is missing in `values` when the driver does not give it."""

    values: dict[str, float] = field(default_factory=dict)
    facts: dict[str, float] = field(default_factory=dict)


def retry_ratio(samples: Sequence[Wifi]) -> float | None:
    """Frames sent again, of all sent. A counter that falls belongs to a new access point: it begins anew there."""
    sent = again = 0
    for a, b in pairwise(samples):
        if a.tx_packets is None or b.tx_packets is None or a.tx_retries is None or b.tx_retries is None:
            continue
        if b.tx_packets >= a.tx_packets and b.tx_retries >= a.tx_retries:
            sent += b.tx_packets - a.tx_packets
            again += b.tx_retries - a.tx_retries
    return again / (sent + again) if sent else None


def summary(samples: Sequence[Wifi]) -> Summary:
    """Medians, the worst of each, and the share of frames sent again."""
    made = Summary()
    if signals := [s.signal_dbm for s in samples if s.signal_dbm is not None]:
        made.values["wifi_signal_dbm"] = median(signals)
        made.facts["wifi_signal_worst_dbm"] = min(signals)
    if rates := [s.tx_rate_bytes_per_second for s in samples if s.tx_rate_bytes_per_second is not None]:
        made.values["wifi_rate_bytes_per_second"] = median(rates)
        made.facts["wifi_rate_least_bytes_per_second"] = min(rates)
    if (ratio := retry_ratio(samples)) is not None:
        made.values["wifi_retry_ratio"] = ratio
    return made


async def watch(link: Link, into: list[Wifi]) -> None:
    """Ask the radio every EVERY_S until cancelled; where it cannot be asked, `into` stays empty."""
    if sys.platform != "linux":
        return
    from probes.links.wifi_linux import station

    with suppress(OSError):
        async with station(socket.if_nametoindex(link.name)) as ask:
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(ANSWER_S):
                        said = await ask()
                    if said is not None:
                        into.append(said)
                await asyncio.sleep(EVERY_S)

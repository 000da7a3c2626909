"""The capacity probe in a process of its own, in the laptop's namespace: a run for each line of input, a line of JSON.

python -m tests.netlab.capacity_runs URL TOKEN DEVICE ADDRESS
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import asdict
from typing import Any

from probes import capacity, trains
from probes.room import parse_room
from reports.record import Link
from tests.probes.rooms import errand


async def run(
    url: str, token: str, device: str, address: str, budget: float, keep: list[trains.Trains]
) -> dict[str, Any]:
    link = Link(device, "wired", 1.0, (), carrier=True, addresses=(address,), mtu_bytes=1500)
    session = errand(parse_room(url, token or None), link=link, budget_bytes=budget)
    begun = time.monotonic()
    draft = await capacity.probe(session)
    flights = {way: asdict(getattr(keep[-1], way)) for way in ("up", "down")} if keep else {}
    return asdict(draft.measurement()) | {"wall_s": time.monotonic() - begun, "flights": flights}


def main() -> None:
    keep: list[trains.Trains] = []

    class Kept(trains.Trains):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            keep.append(self)

    capacity.Trains = Kept  # type: ignore[misc]
    for line in sys.stdin:
        result = asyncio.run(run(*sys.argv[1:5], float(line), keep))
        keep.clear()
        print(json.dumps(result, default=dict), flush=True)


if __name__ == "__main__":
    main()

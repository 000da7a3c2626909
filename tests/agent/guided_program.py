"""`python -m tests.agent.guided_program check --guided …`: motesklar, whose devices and network do as they are told.

The environment's WORLD is a JSON document. `says`: what checks and probes find, each a list of facts for its first,
second, … time (the last one for good). `wifi`: it is in use, and a cable is there. `lasts`: the check or probe that is
not done the time of that number. `stops` false: a run takes longer to stop than anybody waits.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from agent.cli import main
from agent.ui.flow import Flow
from reports.draft import Draft
from tests.ui.flows import ETH, WIFI, World

WORLD = "MOTESKLAR_TEST_WORLD"


@dataclass
class Told(World):
    """`asked`: as in WORLD. `times`: how often each has been done."""

    asked: dict[str, Any] = field(default_factory=dict)
    times: Counter[str] = field(default_factory=Counter)

    async def one(self, name: str, handle: str = "") -> Draft:
        self.times[name] += 1
        facts = self.asked.get("says", {}).get(name)
        if facts:
            self.says[name] = replace(self.says[name], facts=facts[min(self.times[name], len(facts)) - 1])
        if self.asked.get("lasts", {}).get(name) == self.times[name]:
            await asyncio.sleep(60)
        return await super().one(name, handle)


if __name__ == "__main__":
    world = Told(asked=json.loads(os.environ[WORLD]))
    world.links = (replace(ETH, is_default=False), replace(WIFI, is_default=True)) if "wifi" in world.asked else (ETH,)
    with pytest.MonkeyPatch.context() as patch:
        world.put(patch)
        if not world.asked.get("stops", True):
            patch.setattr(Flow, "stop", lambda _: None)
        main()

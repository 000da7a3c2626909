"""What the relay is told at its start, as JSON on its command line."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from tests.netlab.impairment import Impairment


@dataclass(frozen=True, slots=True)
class Device:
    """One end's device: its name and addresses with prefix length."""

    name: str
    addresses: tuple[str, ...]
    gateway: str | None = None  # IPv4 default route through this device
    metric: int = 100  # of that route


@dataclass(frozen=True, slots=True)
class Config:
    """What the relay is told at its start. Namespaces are paths that setns(2) takes."""

    laptop_namespace: str
    room_namespace: str
    laptop: Device
    room: Device
    up: Impairment
    down: Impairment
    log: str
    seed: int = 0
    busy: bool = False  # never sleep: one core is the relay's own

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Config:
        """Raises ValueError, TypeError."""
        given: dict[str, Any] = json.loads(text)
        for name in given.keys() & {"up", "down"}:
            given[name] = Impairment.from_json(given[name])
        for name in given.keys() & {"laptop", "room"}:
            given[name] = Device(**(given[name] | {"addresses": tuple(given[name]["addresses"])}))
        return cls(**given)

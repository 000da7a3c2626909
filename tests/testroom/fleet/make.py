"""A room with a store, and self-tests of this moment."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from reports.record import Measurement
from reports.serial import to_json
from testroom.server import TestRoom
from testroom.tokens import Tokens
from tests.reports.store.rows import A, run
from tests.testroom.https import TOKEN, serving, visitor

OTHER_TOKEN = "mullsjo's secret of 24 octets"
TOKENS = Tokens({"habo": TOKEN, "mullsjo": OTHER_TOKEN})
HEADERS = {"Content-Type": "application/json", "Motesklar-Machine": A}


@asynccontextmanager
async def collecting(
    folder: Path, **settings: Any
) -> AsyncIterator[tuple[TestRoom, aiohttp.ClientSession, aiohttp.ClientSession]]:
    """The room, and clients of two organisations."""
    address = f"sqlite:///{folder / 'fleet.db'}"
    async with (
        serving(**({"tokens": TOKENS, "store": address} | settings)) as (room, _),
        visitor(room, TOKEN) as habo,
        visitor(room, OTHER_TOKEN) as mullsjo,
    ):
        yield room, habo, mullsjo


def body(run_id: str = "r1", *measurements: Measurement, ago: float = 60.0) -> bytes:
    return json.dumps(to_json(run(run_id, time.time() - ago, *measurements))).encode()


async def post(http: aiohttp.ClientSession, raw: bytes, **headers: str) -> tuple[int, dict[str, Any]]:
    async with http.post("/v1/self-tests", data=raw, headers=HEADERS | headers) as answer:
        return answer.status, await answer.json()


async def get(http: aiohttp.ClientSession, path: str) -> tuple[int, dict[str, Any]]:
    async with http.get(path) as answer:
        return answer.status, await answer.json()

"""An agent that is newer than the room, both ends real: what can be taken arrives, what cannot waits in the spool."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from reports import newer, reading
from reports.push import drain, to_collector
from reports.push_answers import Pace
from reports.spool import Spool
from testroom.server import TestRoom
from tests.reports.far_end import MACHINE, PROXIES
from tests.testroom.fleet.make import body, collecting
from tests.testroom.https import TOKEN

FAST = Pace(first=0.02, most=0.05, between=0.0)


def newly(run_id: str, change: Callable[[dict[str, Any]], Any]) -> bytes:
    document = json.loads(body(run_id))
    change(document)
    return json.dumps(document).encode()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)


def kept(room: TestRoom) -> set[str]:
    assert room.fleet.store is not None
    return {past.run_id for past in room.fleet.store.history("habo", MACHINE, 0.0)}


async def test_nothing_of_a_newer_agent_is_thrown_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    runs = {
        "later schema": newly("schema", lambda d: d.update(schema="motesklar.selftest/2")),
        "value": newly("value", lambda d: d["measurements"][0]["values"].update(smell_up_ratio=0.1)),
        "plain": body("plain"),
    }
    said: list[str] = []
    async with collecting(tmp_path) as (room, _, _):
        with closing(Spool(tmp_path / "spool.db", 10**7)) as spool:
            for name, raw in runs.items():
                assert spool.put("collector", name, raw, 1.8e9)
            address = room.url.partition("#")[0] + "/v1/self-tests"
            stop, trust = asyncio.Event(), aiohttp.Fingerprint(room.fingerprint)
            to = to_collector(address, TOKEN, MACHINE)
            task = asyncio.create_task(drain(spool, to, stop, trust=trust, pace=FAST, say=said.append))
            await until(lambda: kept(room) == {"value", "plain"})  # they pass the one that waits
            await until(lambda: "updated first" in spool.counts().reason)
            assert (spool.counts().waiting, spool.counts().refused) == (1, 0)
            assert room.fleet.collector is not None
            assert room.fleet.collector.left_out == {"value": 1}
            monkeypatch.setattr("reports.serial.SCHEMA_NAME", "motesklar.selftest/2")  # the room is updated
            monkeypatch.setattr(newer, "_VERSION", "2")
            await until(lambda: kept(room) == {"value", "plain", "schema"})
            await until(lambda: spool.counts().waiting == 0)
            stop.set()
            await asyncio.wait_for(task, 5)
            assert (spool.counts().sent, spool.counts().refused, spool.counts().dropped) == (3, 0, 0)
    assert any("updated first" in words for words in said)


def test_the_answer_for_it_is_one_that_an_agent_waits_on() -> None:
    from reports.push_answers import answered
    from testroom.fleet import STATUSES

    answer = answered(STATUSES["self_test_newer"], {}, 0.0)
    assert (answer.fate, answer.of_this_one) == ("later", True)
    assert issubclass(reading.NewerRecordError, reading.RecordError)

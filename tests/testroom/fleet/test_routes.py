"""Self-tests over HTTPS: taken once, refused with a reason, and never another organisation's."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from reports.collector import REFUSALS
from testroom.fleet import STATUSES
from testroom.limits import Limits
from tests.reports.store.rows import A
from tests.testroom.fleet.make import body, collecting, get, post
from tests.testroom.https import TOKEN, serving, visitor


async def test_taken_known_and_found_again(tmp_path: Path) -> None:
    async with collecting(tmp_path) as (room, habo, _):
        assert await post(habo, body()) == (201, {"run_id": "r1", "outcome": "stored"})
        assert await post(habo, body()) == (200, {"run_id": "r1", "outcome": "known"})
        status, found = await get(habo, "/v1/self-tests/r1")
        assert (status, found["run_id"], found["schema"]) == (200, "r1", "motesklar.selftest/1")
        assert await get(habo, "/v1/self-tests/r2") == (404, {"code": "self_test_unknown"})
        assert await get(habo, "/v1/self-tests/%00") == (404, {"code": "self_test_unknown"})
        assert room.fleet.store is not None
        assert [m.machine for m in room.fleet.store.latest("habo")] == [A]


async def test_another_organisations_token_neither_reads_nor_writes(tmp_path: Path) -> None:
    async with collecting(tmp_path) as (room, habo, mullsjo):
        await post(habo, body("r1"))
        assert await get(mullsjo, "/v1/self-tests/r1") == (404, {"code": "self_test_unknown"})
        assert await post(mullsjo, body("r1", ago=30)) == (201, {"run_id": "r1", "outcome": "stored"})
        _, ours = await get(habo, "/v1/self-tests/r1")
        _, theirs = await get(mullsjo, "/v1/self-tests/r1")
        assert ours["started_at"] < theirs["started_at"] - 20
        assert room.fleet.store is not None
        assert len(room.fleet.store.latest("habo")) == len(room.fleet.store.latest("mullsjo")) == 1


@pytest.mark.parametrize("token", [None, "", "wrong, and of enough octets"])
async def test_nobody_without_a_token(tmp_path: Path, token: str | None) -> None:
    async with collecting(tmp_path) as (room, habo, _), visitor(room, token) as stranger:
        assert (await post(stranger, body()))[0] == 401
        assert (await get(stranger, "/v1/self-tests/r1"))[0] == 401
        assert (await get(habo, "/v1/self-tests/r1"))[0] == 404


ROWS = [
    (b"{}", {}, 400, "self_test_malformed"),
    (b"", {}, 400, "self_test_malformed"),
    (body().ljust(256 * 1024 + 1), {}, 413, "self_test_too_large"),
    (gzip.compress(b" " * 30_000_000), {"Content-Encoding": "gzip"}, 413, "self_test_too_large"),
    (b"no gzip", {"Content-Encoding": "gzip"}, 400, "self_test_malformed"),
    (body(), {"Motesklar-Machine": "my-computer"}, 400, "machine_malformed"),
    (body(ago=40 * 86400), {}, 422, "self_test_too_old"),
    (body(ago=-3600), {}, 422, "self_test_in_the_future"),
]


async def test_refused_and_counted(tmp_path: Path) -> None:
    async with collecting(tmp_path) as (room, habo, _):
        for raw, headers, status, code in ROWS:
            found, said = await post(habo, raw, **headers)
            assert (found, said["code"]) == (status, code)
        assert room.fleet.collector is not None
        assert room.fleet.collector.refused.total() == len(ROWS)
        assert room.fleet.collector.taken.total() == 0
        assert (await post(habo, body()))[0] == 201
        assert (await post(habo, gzip.compress(body("r2")), **{"Content-Encoding": "gzip"}))[0] == 201


async def test_a_body_without_end_is_refused_before_it_ends(tmp_path: Path) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b" " * 300_000
        await asyncio.sleep(60)

    async with (
        collecting(tmp_path) as (_, habo, _),
        asyncio.timeout(5),
        habo.post("/v1/self-tests", data=endless()) as answer,
    ):
        assert answer.status == 413


async def test_an_organisation_has_its_share_and_no_more(tmp_path: Path) -> None:
    async with collecting(tmp_path, limits=Limits(self_tests_per_minute=2)) as (_, habo, mullsjo):
        statuses = [(await post(habo, body(f"r{i}")))[0] for i in range(3)]
        assert statuses == [201, 201, 429]
        assert (await post(mullsjo, body()))[0] == 201


async def test_a_room_without_a_store_takes_none() -> None:
    async with serving() as (room, _), visitor(room, TOKEN) as http:
        for method, path in (("POST", "/v1/self-tests"), ("GET", "/v1/self-tests/r1"), ("GET", "/v1/openapi.json")):
            async with http.request(method, path) as answer:
                assert answer.status == 404


async def test_old_self_tests_are_forgotten_at_the_start(tmp_path: Path) -> None:
    async with collecting(tmp_path) as (_, habo, _):
        await post(habo, body("old", ago=20 * 86400))
        await post(habo, body("new"))
    async with collecting(tmp_path, keep_days=10) as (room, habo, _):
        assert room.fleet.store is not None
        for _ in range(100):
            if room.fleet.store.self_test("habo", "old") is None:
                break
            await asyncio.sleep(0.02)
        assert (await get(habo, "/v1/self-tests/old"))[0] == 404
        assert (await get(habo, "/v1/self-tests/new"))[0] == 200


def test_each_refusal_has_a_status() -> None:
    assert STATUSES.keys() == REFUSALS.keys()

"""A browser's self-test for an organisation: kept among its own, found by its code, and by nobody else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from reports.reference import code_of
from reports.store.incoming import record_of
from reports.store.shapes import NO_LINK, StoreError
from testroom.guests import GUEST_KEY
from testroom.guests.record import read_record
from testroom.guests.verdict import self_test
from testroom.server import TestRoom
from testroom.tokens import Tokens
from tests.testroom.fleet.make import OTHER_TOKEN, body, collecting, post
from tests.testroom.guests.test_guests import look_up, session
from tests.testroom.guests.test_record import GOOD, changed
from tests.testroom.https import TOKEN, serving, visitor

KEY = "habo-2027"
TOKENS = Tokens({"habo": TOKEN, "mullsjo": OTHER_TOKEN}, {"habo": KEY})


@asynccontextmanager
async def keeping(folder: Path, **settings: Any) -> AsyncIterator[tuple[TestRoom, aiohttp.ClientSession]]:
    options = {"guests": True, "tokens": TOKENS, "store": f"sqlite:///{folder / 'fleet.db'}"} | settings
    async with serving(**options) as (room, http):
        yield room, http


async def code_given(http: aiohttp.ClientSession, key: str | None = KEY, *, stored: bool = True) -> str:
    """The code that the guest is shown, who is told whether an organisation keeps what was measured."""
    headers = {"Authorization": f"Bearer {(await session(http))[1]['id']}"} | ({GUEST_KEY: key} if key else {})
    async with http.post("/v1/records", json=GOOD, headers=headers) as answer:
        assert answer.status == 201
        told = await answer.json()
        assert told["stored"] is stored
        code: str = told["reference"]
        return code


async def test_it_is_kept_for_the_organisation_whose_key_the_page_had(tmp_path: Path) -> None:
    async with keeping(tmp_path) as (room, http):
        code = await code_given(http)
        assert len(room.guests.records) == 0
        assert room.fleet.store is not None
        assert room.fleet.store.latest("habo") == []  # it is no machine's
        counts = {(c.organisation, c.link_kind, c.value) for c in room.fleet.store.aggregates().counts}
        assert ("habo", NO_LINK, 1.0) in counts
    async with keeping(tmp_path) as (room, _):  # after a restart
        status, found = await look_up(room, code.lower().replace("-", ""), TOKEN)
        assert (status, found["reference"]) == (200, code)
        assert (code_of(found["run_id"]), found["agent"]["platform"]) == (code, "chrome 156")
        assert await look_up(room, code, OTHER_TOKEN) == (404, {"code": "record_unknown"})
        async with visitor(room, TOKEN) as habo, habo.get(f"/v1/self-tests/{found['run_id']}") as answer:
            assert answer.status == 200


@pytest.mark.parametrize("key", [None, "habo-2026", "", TOKEN, "\xe5"])
async def test_without_a_key_that_is_good_it_is_in_memory_as_ever(tmp_path: Path, key: str | None) -> None:
    async with keeping(tmp_path) as (room, http):
        code = await code_given(http, key, stored=False)
        assert len(room.guests.records) == 1
        assert (await look_up(room, code, OTHER_TOKEN))[0] == 200
        assert room.fleet.store is not None
        assert room.fleet.store.aggregates().counts == ()


async def test_a_room_without_a_store_knows_no_keys() -> None:
    async with serving(guests=True, tokens=TOKENS) as (room, http):
        code = await code_given(http, stored=False)
        assert len(room.guests.records) == 1
        assert (await look_up(room, code, TOKEN))[0] == 200


async def test_a_store_that_is_away_takes_no_verdict_from_a_guest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise StoreError("away")

    async with keeping(tmp_path) as (room, http):
        monkeypatch.setattr(room.fleet.store, "take", away)
        code = await code_given(http, stored=False)
        assert (await look_up(room, code, TOKEN))[0] == 200
        monkeypatch.setattr(room.fleet.store, "by_code", away)
        other = code_of("another")
        assert await look_up(room, other, TOKEN) == (503, {"code": "store_unavailable"})


async def test_a_guest_key_opens_nothing(tmp_path: Path) -> None:
    async with keeping(tmp_path) as (room, _), visitor(room, KEY) as stranger:
        for path in ("/v1/self-tests/r1", "/v1/machines", "/v1/records/3333-3333"):
            async with stranger.get(path) as answer:
                assert answer.status == 401
        assert (await post(stranger, body()))[0] == 401


async def test_a_receipts_code_is_found_too(tmp_path: Path) -> None:
    async with collecting(tmp_path) as (room, habo, _):
        await post(habo, body("r1"))
        status, found = await look_up(room, code_of("r1"), TOKEN)
        assert (status, found["run_id"]) == (200, "r1")
        assert (await look_up(room, code_of("r1"), OTHER_TOKEN))[0] == 404


@pytest.mark.parametrize(
    ("said", "kind"), [(None, NO_LINK), ("wifi", "wifi"), ("cellular", "mobile"), ("ethernet", "wired")]
)
def test_the_kind_of_link_is_what_the_browser_says_or_none(said: str | None, kind: str) -> None:
    facts = {"connection": said} if said else {}
    test = self_test(read_record(changed(facts=facts)))
    record = record_of("habo", "", test, test.started_at, "browser")
    assert (record.link_kind, record.source, record.machine) == (kind, "browser", "")
    assert record.values["rtt_p95_seconds"] == 0.03
    assert record_of("habo", "", test, test.started_at).link_kind == ("other" if kind == NO_LINK else kind)

"""An organisation fetches its machines as CSV, fills in names, and hands the file in."""

from __future__ import annotations

from pathlib import Path

from tests.reports.store.rows import A
from tests.testroom.fleet.make import body, collecting, post


async def test_the_csv_comes_out_goes_in_and_comes_out_the_same(tmp_path: Path) -> None:
    async with collecting(tmp_path) as (_, habo, mullsjo):
        await post(habo, body())
        async with habo.get("/v1/machines") as answer:
            assert answer.content_type == "text/csv"
            text = (await answer.read()).decode("utf-8")
        assert text.startswith(f"\ufeffmachine;name;unit;room;last_seen\r\n{A};;;;20")
        named = text.replace(f"{A};;;", f"{A};Dator 7;Hemvården;Eken")
        async with habo.put("/v1/machines", data=named.encode()) as answer:
            assert (answer.status, await answer.json()) == (200, {"known": 1, "new": 0})
        async with habo.get("/v1/machines") as answer:
            assert (await answer.read()).decode("utf-8") == named
        async with mullsjo.get("/v1/machines") as answer:
            assert A not in await answer.text()


async def test_what_cannot_be_read_changes_nothing(tmp_path: Path) -> None:
    async with collecting(tmp_path) as (room, habo, _):
        for raw in (b"", b"\xff\xfe", b"machine,name\nx,y"):
            async with habo.put("/v1/machines", data=raw) as answer:
                assert (answer.status, (await answer.json())["code"]) == (400, "names_malformed")
        assert room.fleet.store is not None
        assert room.fleet.store.latest("habo") == []


async def test_nobody_without_a_token(tmp_path: Path) -> None:
    async with collecting(tmp_path) as (_, habo, _):
        wrong = {"Authorization": "Bearer wrong, and of enough octets"}
        async with habo.get("/v1/machines", headers=wrong) as answer:
            assert answer.status == 401
        async with habo.put("/v1/machines", data=b"machine\n", headers=wrong) as answer:
            assert answer.status == 401

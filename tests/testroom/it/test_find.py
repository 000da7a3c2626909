"""A machine by its name, a self-test by its code, and nothing of anybody else's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reports.reference import code_of, new_code
from testroom.guests.record import read_record
from testroom.guests.verdict import self_test
from tests.testroom.guests.test_record import GOOD
from tests.testroom.it.fleets import machine
from tests.testroom.it.make import OTHER_TOKEN, Page, get, log_in, municipality


async def asked(http: object, find: str) -> tuple[int, str, str]:
    """Status, where to, and the page's text."""
    async with http.get("/it/find", params={"find": find, "lang": "en"}, allow_redirects=False) as answer:  # type: ignore[attr-defined]
        return answer.status, answer.headers.get("Location", ""), await answer.text()


async def test_a_code_leads_to_its_self_test_however_it_is_written(tmp_path: Path) -> None:
    async with municipality(tmp_path, 3) as (room, http):
        await log_in(http)
        run = next(m.test.run_id for m in room.fleet.store.latest("habo") if m.test)  # type: ignore[union-attr]
        code = code_of(run)
        for written in (code, code.lower(), f" {code.replace('-', ' ')} "):
            assert (await asked(http, written))[:2] == (303, f"/it/self-tests/{run}")
        await log_in(http, token=OTHER_TOKEN)
        assert (await asked(http, code))[1].startswith("/it/machines?find=")


async def test_a_guests_self_test_without_a_key_is_shown_from_memory(tmp_path: Path) -> None:
    async with municipality(tmp_path, 1, guests=True) as (room, http):
        code = room.guests.records.keep(self_test(read_record(json.dumps(GOOD))))
        assert (await asked(http, code))[1].startswith("/it/login?next=/it/find")
        await log_in(http)
        status, _, text = await asked(http, code)
        assert (status, "chrome 156" in Page(text).text) == (200, True)


@pytest.mark.parametrize(("find", "machines"), [
    ("HB-10", 2), ("hb-1001", 1), (machine(2)[:10], 1), ("nobody", 0), (new_code(), 0), ("%", 0), ("\0", 2),
])  # fmt: skip
async def test_a_name_leads_to_the_machines_that_have_it(tmp_path: Path, find: str, machines: int) -> None:
    async with municipality(tmp_path, 3) as (_, http):
        await log_in(http)
        status, way, _ = await asked(http, find)
        assert status == 303
        status, text = await get(http, way)
        assert status == 200
        assert len({link for link in Page(text).links if link.startswith("/it/machines/")}) == machines


async def test_the_field_is_on_every_page_and_keeps_what_was_asked(tmp_path: Path) -> None:
    async with municipality(tmp_path, 1) as (_, http):
        await log_in(http)
        for path in ("/it", "/it/room", f"/it/machines/{machine(1)}", "/it/machines?find=HB%22"):
            (field,) = Page((await get(http, path))[1]).all("input", name="find", type="search")
            assert field["value"] == ('HB"' if "find" in path else "")

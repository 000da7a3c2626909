"""The pages as HTML: whole, the same in both languages, of one organisation only, quick with two thousand machines."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from reports.advice import LANGUAGES
from reports.store.shapes import StoreError
from testroom.it.texts import FOLDER, texts
from tests.reports.store.rows import record
from tests.testroom.it.fleets import machine, made
from tests.testroom.it.make import OTHER_TOKEN, Page, get, log_in, municipality

VIEWS = ("/it", "/it/network", "/it/equipment", "/it/room", "/it/machines")
SOURCES = "".join(path.read_text("utf-8") for path in FOLDER.parent.glob("*.py"))
MADE_UP = (
    "state",
    "view",
    "days",
    "age",
    "against",
    "room",
    "refused",
    "fault",
)  # heads of keys that code puts together


def test_both_languages_say_the_same_things() -> None:
    assert texts("sv").keys() == texts("en").keys()
    for key, sentence in texts("sv").items():
        assert sentence.strip()
        assert re.findall(r"{\w+}", sentence) == re.findall(r"{\w+}", texts("en")[key])


def test_each_text_is_used_and_each_used_is_there() -> None:
    used = set(re.findall(r"[\"']([a-z_]+)[\"']", SOURCES))
    unused = {key for key in texts("sv") if key not in used and key.partition("_")[0] not in MADE_UP}
    assert unused - {f"{unit}_ago_one" for unit in ("minutes", "hours", "days")} == set()
    assert set(re.findall(r'\bsay\("([a-z_0-9]+)"', SOURCES)) - texts("sv").keys() == set()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("it")


async def test_every_page_is_whole_in_both_languages(tmp_path: Path) -> None:
    async with municipality(tmp_path, 30, each=3) as (room, http):
        await log_in(http)
        tested = next(m for m in room.fleet.store.latest("habo") if m.test)  # type: ignore[union-attr]
        pages = (*VIEWS, f"/it/machines/{tested.machine}", f"/it/self-tests/{tested.test.run_id}")  # type: ignore[union-attr]
        for path in (*pages, "/it/machines?level=not_ready", "/it?unit==Elevh%C3%A4lsan&days=1"):
            said = set()
            for lang in LANGUAGES:
                status, text = await get(http, path + ("&" if "?" in path else "?") + f"lang={lang}")
                page = Page(text)
                assert status == 200
                assert page.all("html") == [{"lang": lang}]
                assert len(page.all("h1")) == 1
                assert not re.search(r"\{\w+\}|…\s*(ms|%)|None|nan\b", page.text), path
                assert not re.search(r"https?://", "".join(page.links))
                said.add(page.text)
            assert len(said) == 2


async def test_every_link_leads_to_a_page(tmp_path: Path) -> None:
    async with municipality(tmp_path, 12, each=2) as (_, http):
        await log_in(http)
        ways, seen = ["/it?days=90"], set()
        while ways and len(seen) < 55:
            way = ways.pop(-(len(seen) % 2))  # from both ends
            status, text = await get(http, way)
            assert status == 200, way
            seen.add(way)
            more = [href.partition("#")[0] for href in Page(text).links if href.startswith("/it")]
            ways += [
                href for href in dict.fromkeys(more) if href not in seen and href not in ways and "lang=" not in href
            ]
        assert any("/it/self-tests/" in way for way in seen)
        assert all("days=90" in way for way in Page((await get(http, "/it?days=90"))[1]).links if "/machines" in way)


async def test_headers_forbid_scripts_frames_and_keeping(tmp_path: Path) -> None:
    async with municipality(tmp_path, 3) as (_, http):
        await log_in(http)
        for path in (*VIEWS, "/it/it.css", "/it/icon.svg", "/it/self-tests/nothing"):
            async with http.get(path) as answer:
                rules = answer.headers["Content-Security-Policy"]
                assert "default-src 'none'" in rules
                assert "script" not in rules
                assert "unsafe" not in rules
                assert "frame-ancestors 'none'" in rules
                assert answer.headers["Cache-Control"] == "no-store"
                assert answer.headers["Referrer-Policy"] == "same-origin"
                assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_another_organisation_sees_nothing_of_it(tmp_path: Path) -> None:
    async with municipality(tmp_path, 12) as (room, http):
        await log_in(http, token=OTHER_TOKEN)
        store = room.fleet.store
        assert store is not None
        tested = next(m for m in store.latest("habo") if m.test and m.name)
        assert tested.test is not None
        for path in VIEWS:
            _, text = await get(http, path)
            for theirs in ("HB-10", "Hemv", "Elevh", tested.machine[:8], "habo"):
                assert theirs not in text
        for path in (f"/it/machines/{tested.machine}", f"/it/self-tests/{tested.test.run_id}"):
            status, text = await get(http, path)
            assert status == 404
            assert tested.name not in text
        assert (await get(http, "/it?unit==Elevh%C3%A4lsan"))[0] == 200
        # the same machine and run of both: each sees its own
        store.take([record("mine", tested.machine, time.time(), "mullsjo")])
        page = Page((await get(http, f"/it/machines/{tested.machine}"))[1])
        assert tested.name not in page.text
        assert {link.partition("?")[0] for link in page.links if "/self-tests/" in link} == {"/it/self-tests/mine"}


async def test_names_are_text(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>\"'&"
    quoted = evil.replace('"', '""')
    async with municipality(tmp_path, 2) as (room, http):
        row = f'{machine(1)};"{quoted}";"{quoted}";"{quoted}"'
        room.fleet.store.name_machines("habo", f"machine;name;unit;room\n{row}")  # type: ignore[union-attr]
        await log_in(http)
        for path in (*VIEWS, f"/it/machines/{machine(1)}", "/it/machines?fails=%3Cscript%3E&level=x&owner=y&from=-1"):
            _, text = await get(http, path)
            Page(text)  # nothing but text
            assert path == "/it/room" or path == "/it/network" or "&lt;script&gt;" in text


@pytest.mark.parametrize("path", [
    "/it/machines/x", "/it/machines/%00", "/it/self-tests/%00", "/it/self-tests/..%2F..%2Fetc",
    "/it/self-tests/" + "a" * 65,
])  # fmt: skip
async def test_what_is_not_there_is_said(tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with municipality(tmp_path, 2) as (room, http):
        await log_in(http)
        monkeypatch.setattr(type(room.fleet.store), "self_test", broken)  # PostgreSQL takes no NUL: it is not asked
        status, text = await get(http, path, **{"Accept-Language": "en"})
        assert status == 404
        assert "Not found" in Page(text).text


@pytest.mark.parametrize("query", [
    "unit=%00", "unit==%00", "unit=%ED%A0%80", "unit==%ED%A0%80", "days=0", "days=99999999999999999999", "days=-1",
    "lang=xx",
    "unit==" + "x" * 500, "from=999999999999",
])  # fmt: skip
async def test_odd_questions_get_the_usual_answer(tmp_path: Path, query: str) -> None:
    async with municipality(tmp_path, 3) as (_, http):
        await log_in(http)
        for path in ("/it", "/it/machines"):
            assert (await get(http, f"{path}?{query}"))[0] == 200


def broken(*_: object) -> None:
    raise StoreError("gone")


async def test_a_store_that_does_not_answer_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with municipality(tmp_path, 2) as (room, http):
        await log_in(http)

        monkeypatch.setattr(type(room.fleet.store), "latest", broken)
        status, text = await get(http, "/it", **{"Accept-Language": "en"})
        assert (status, "does not answer" in Page(text).text, "gone" in text) == (503, True, False)
        monkeypatch.setattr("testroom.it.READ_S", 0.1)
        monkeypatch.setattr(type(room.fleet.store), "latest", lambda *_: time.sleep(0.5))
        assert (await get(http, "/it"))[0] == 503


async def test_two_thousand_machines_take_less_than_a_second(tmp_path: Path) -> None:
    async with municipality(tmp_path) as (room, http):
        store = room.fleet.store
        assert store is not None
        now = time.time()
        kinds = [made(i, 0, now - 3600) for i in range(1, 41)]
        store.take(_copies(kinds, 2000, now))
        await log_in(http)
        took = {}
        for path in (*VIEWS, f"/it/machines/{machine(7)}"):
            begun = time.process_time()  # the room's threads and the client are in this process
            status, text = await get(http, path)
            took[path] = time.process_time() - begun
            assert status == 200
        assert "000" in text or "2" in text
        assert {path: round(s, 2) for path, s in took.items() if s > 1.0} == {}


def _copies(tests: list[object], count: int, now: float) -> list[object]:
    from dataclasses import replace

    from reports.store.incoming import record_of

    bare = [record_of("habo", "", test, now) for test in tests]  # type: ignore[arg-type]
    return [replace(bare[i % len(bare)], machine=machine(i), run_id=f"r{i}", source="agent") for i in range(count)]


async def test_the_room_tells_what_it_did_and_refused(tmp_path: Path) -> None:
    async with municipality(tmp_path) as (room, http):
        room.reflector.counts.received, room.calls.started = 1234, 7
        room.reflector.counts.refused["stranger"] = 5
        room.calls.refused["a new reason"] = 3
        await log_in(http)
        told = Page((await get(http, "/it/room?lang=en"))[1]).text
        for words in ("Received 1,234", "Begun 7", "Refused: no valid session 5", "Refused: a new reason 3"):
            assert words in told
        assert "Sessions: 0 of 2,000" in told

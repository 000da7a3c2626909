"""The table from a room: the page for who is logged in, the document for a token, and never another organisation's."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import aiohttp
import pytest

from reports.readiness.serial import SCHEMA_NAME
from testroom.readiness.formats import FORMATS, _accepted, policy
from tests.testroom.fleet.make import TOKENS, body, collecting, post
from tests.testroom.https import TOKEN, serving, visitor

NAMES = "machine;name;unit;room\r\n{};Dator 1;Norr;Rum 2\r\n{};=2+3;;\r\n"
CSV = NAMES.format("a" * 32, "b" * 32)
COOKIE = "__Host-motesklar"


async def fetch(http: aiohttp.ClientSession, path: str, **headers: str) -> tuple[int, aiohttp.ClientResponse, bytes]:
    async with http.get(path, headers=headers, allow_redirects=False) as answer:
        return answer.status, answer, await answer.read()


async def fill(habo: aiohttp.ClientSession) -> None:
    assert (await post(habo, body("r1")))[0] == 201
    async with habo.put("/v1/machines", data=CSV.encode()) as answer:
        assert answer.status == 200


FORMS = [
    ("", {}, "application/json", b'"schema": "motesklar.readiness/1"'),
    ("?format=csv", {}, "text/csv", b"Dator 1"),
    ("?format=pdf", {}, "application/pdf", b"%PDF-"),
    ("?format=html&lang=sv", {}, "text/html", "Redo för videomöten: habo".encode()),
    ("", {"Accept": "text/csv"}, "text/csv", b"\xef\xbb\xbf"),
    ("", {"Accept": "application/pdf;q=0.9, text/html;q=0.2"}, "application/pdf", b"%PDF-"),
    ("?format=json", {"Accept": "text/csv"}, "application/json", b"{"),
]


async def test_the_document_in_each_format(tmp_path: Path) -> None:
    async with collecting(tmp_path) as (_, habo, _):
        await fill(habo)
        for query, headers, kind, found in FORMS:
            status, answer, raw = await fetch(habo, f"/v1/readiness{query}", **headers)
            assert (status, answer.content_type) == (200, kind), query
            assert found in raw
            assert answer.headers["Cache-Control"] == "no-store"
        document = json.loads((await fetch(habo, "/v1/readiness?unit=Norr"))[2])
        assert (document["schema"], document["unit"]) == (SCHEMA_NAME, "Norr")
        assert [(m["name"], m["standing"]) for m in document["machines"]] == [("Dator 1", "ready")]


async def test_what_is_refused(tmp_path: Path) -> None:
    async with collecting(tmp_path) as (room, habo, mullsjo), visitor(room) as stranger:
        await fill(habo)
        assert (await fetch(stranger, "/v1/readiness"))[0] == 401
        assert (await fetch(habo, "/v1/readiness?format=exe"))[0] == 400
        others = json.loads((await fetch(mullsjo, "/v1/readiness?unit=Norr"))[2])
        assert (others["organisation"], others["machines"]) == ("mullsjo", [])
        assert b"Dator 1" not in (await fetch(mullsjo, "/v1/readiness?format=html"))[2]


async def test_the_page_is_for_who_is_logged_in(tmp_path: Path) -> None:
    async with collecting(tmp_path) as (room, habo, _), visitor(room) as stranger:
        await fill(habo)
        status, answer, _ = await fetch(habo, "/readiness?lang=en")  # a token is no login
        assert status == 303
        assert answer.headers["Location"].startswith("/it/login?next=/readiness?lang%3Den")
        cookie = room.it.logins.enter(TOKEN)
        status, answer, raw = await fetch(stranger, "/readiness?lang=en", Cookie=f"{COOKIE}={cookie}")
        assert (status, answer.content_type) == (200, "text/html")
        assert answer.headers["Content-Security-Policy"] == policy()
        assert "unsafe" not in policy()
        text = raw.decode()
        for link in (
            "/it",
            "/readiness?lang=sv",
            "/readiness?lang=en&amp;format=pdf",
            "/readiness?lang=en&amp;unit=Norr",
        ):
            assert f'href="{link}"' in text
        status, answer, raw = await fetch(stranger, "/readiness?format=csv", Cookie=f"{COOKIE}={cookie}")
        assert answer.headers["Content-Disposition"].startswith('attachment; filename="motesklar-')
        assert b"'=2+3" in raw
        _, _, raw = await fetch(stranger, "/readiness", Cookie=f"{COOKIE}={cookie}")
        assert b'<html lang="en">' in raw  # the language that was asked for last


async def test_a_room_without_a_store_has_neither() -> None:
    async with serving(tokens=TOKENS) as (room, _), visitor(room, TOKEN) as http:
        assert [(await fetch(http, path))[0] for path in ("/readiness", "/v1/readiness")] == [404, 404]


async def test_many_at_once_are_told_to_wait(tmp_path: Path) -> None:
    async with collecting(tmp_path) as (_, habo, _):
        await fill(habo)
        statuses = await asyncio.gather(*((fetch(habo, "/v1/readiness?format=pdf")) for _ in range(30)))
        found = {status for status, _, _ in statuses}
        assert found == {200, 503}
        assert all(answer.headers["Retry-After"] for status, answer, _ in statuses if status == 503)
        assert (await fetch(habo, "/v1/readiness"))[0] == 200


@pytest.mark.parametrize(
    ("header", "chosen"),
    [("", "json"), ("*/*", "json"), ("text/csv;q=0", "json"), ("text/html, application/json", "json"),
     ("text/csv;q=x, application/pdf;q=0.1", "pdf"), ("TEXT/CSV", "csv"), ("image/png", "json")],
)  # fmt: skip
def test_accept(header: str, chosen: str) -> None:
    assert _accepted(header, "json") == chosen
    assert chosen in FORMATS

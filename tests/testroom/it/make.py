"""A room with a municipality in its store, and somebody who has logged in."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import aiohttp

from testroom.it.markup import _VOID
from testroom.server import TestRoom
from tests.testroom.fleet.make import OTHER_TOKEN, TOKENS
from tests.testroom.https import TOKEN, serving
from tests.testroom.it.fleets import names, records

__all__ = ["OTHER_TOKEN", "TOKEN", "Page", "get", "log_in", "municipality", "origin"]


@asynccontextmanager
async def municipality(
    folder: Path, machines: int = 0, each: int = 1, **settings: Any
) -> AsyncIterator[tuple[TestRoom, aiohttp.ClientSession]]:
    address = f"sqlite:///{folder / 'fleet.db'}"
    async with serving(**({"tokens": TOKENS, "store": address} | settings)) as (room, _):
        assert room.fleet.store is not None
        if machines:
            room.fleet.store.take(records(machines, time.time(), each))
            room.fleet.store.name_machines("habo", names(machines))
        connector = aiohttp.TCPConnector(ssl=aiohttp.Fingerprint(room.fingerprint))
        jar = aiohttp.CookieJar(unsafe=True)  # of an address too
        async with aiohttp.ClientSession(origin(room), connector=connector, cookie_jar=jar) as http:
            yield room, http


def origin(room: TestRoom) -> str:
    return room.url.partition("#")[0]


async def log_in(http: aiohttp.ClientSession, token: str = TOKEN, **more: Any) -> aiohttp.ClientResponse:
    """As the form does it."""
    headers = {"Origin": str(http._base_url).rstrip("/")} | more.pop("headers", {})
    fields = {"token": token, "next": "/it"} | more
    return await http.post("/it/login", data=fields, headers=headers, allow_redirects=False)


async def get(http: aiohttp.ClientSession, path: str, **headers: str) -> tuple[int, str]:
    async with http.get(path, allow_redirects=False, headers=headers) as answer:
        return answer.status, await answer.text()


class Page(HTMLParser):
    """What a page is made of. AssertionError: it is not well formed, or has something inline."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        assert self.open == []
        ids = [attributes["id"] for _, attributes in self.seen if "id" in attributes]
        assert len(ids) == len(set(ids))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        assert tag not in ("script", "style")
        assert not any(name == "style" or name.startswith("on") for name, _ in attrs)
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data.strip())

    def all(self, tag: str, **attributes: str) -> list[dict[str, str | None]]:
        wanted = {key.rstrip("_"): value for key, value in attributes.items()}
        return [found for name, found in self.seen if name == tag and wanted.items() <= found.items()]

    @property
    def links(self) -> list[str]:
        return [str(a["href"]) for a in self.all("a")]

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))

"""`motesklar readiness`: the municipality's table, from a room or from a store, into files or the terminal."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agent.files import check_file, replace_file
from agent.options import UsageError
from probes.room import Room
from reports.advice import Lang
from reports.policy import Policy
from reports.readiness.shapes import Report
from reports.store.address import address, file_of
from reports.vocabulary import FAILURES

if TYPE_CHECKING:
    from aiohttp import ClientSession

ANSWER_S, CONNECT_S = 60.0, 8.0
MOST_BYTES = 256 * 1024 * 1024  # some 200 000 machines


@dataclass(frozen=True, slots=True)
class Asked:
    """Where from: `room`, or `store` with `organisation`. Where to: `files` by format; none: the terminal."""

    language: Lang
    policy: Policy
    files: Mapping[str, Path]
    room: Room | None = None
    store: str | None = None
    organisation: str | None = None
    unit: str | None = None


def run(asked: Asked) -> None:
    """Fetch the table and write it. Raises UsageError: a line that says what is wrong."""
    _check(asked)
    for name, path in asked.files.items():
        check_file(f"--{name}", path)
    report = _of_room(asked) if asked.store is None else _of_store(asked)
    if asked.unit and not report.machines:
        raise UsageError(f"--unit: there is no machine in {asked.unit!r}")
    for name, path in asked.files.items():
        replace_file(f"--{name}", path, _content(name, report, asked.language))
    if not asked.files:
        _show(report, asked.language)


def _check(asked: Asked) -> None:
    if asked.store is not None and asked.organisation is None:
        raise UsageError("--store holds several organisations: say which by --organisation")
    if asked.store is None and asked.organisation is not None:
        raise UsageError("--organisation goes with --store; a room knows the organisation by its token")
    if asked.store is None and asked.room is None:
        raise UsageError("whose readiness? Give --room URL, or --store FILE with --organisation NAME")
    if asked.store is None and asked.room is not None and asked.room.plain:
        raise UsageError("a plain STAMP reflector keeps no self-tests; give the room's https address")


def _content(name: str, report: Report, language: Lang) -> bytes:
    from reports.readiness import csv, html, pdf, serial

    if name == "json":
        return serial.as_bytes(report)
    if name == "csv":
        return csv.render(report, language)
    return html.render(report, language).encode() if name == "html" else pdf.render(report, language)


def _show(report: Report, language: Lang) -> None:
    from rich.console import Console

    from reports.readiness import table

    table.render(report, language, Console())


def _of_store(asked: Asked) -> Report:
    try:
        from reports.store.store import Store
    except ImportError:
        raise UsageError("--store needs the room's parts: install motesklar[room]") from None
    from reports.readiness.rows import report
    from reports.store.shapes import StoreError

    try:
        store = Store.open(_address(asked.store or ""))
        try:
            machines = store.latest(asked.organisation or "", asked.unit)
        finally:
            store.close()
    except StoreError as error:
        raise UsageError(str(error)) from None
    return report(asked.organisation or "", asked.unit, machines, asked.policy, time.time())


def _address(named: str) -> str:
    """A file that is not there must not be made."""
    url = address(named)
    if (file := file_of(url)) is not None and not file.is_file():
        raise UsageError(f"--store: there is no file {file}")
    return url


def _of_room(asked: Asked) -> Report:
    import asyncio

    from probes.session import ProbeFailure
    from reports.readiness.serial import from_json
    from reports.serial import RecordError

    assert asked.room is not None
    try:
        return from_json(asyncio.run(_fetch(asked.room, asked.unit)))
    except ProbeFailure as failure:
        code = str(failure)
        why = "it keeps no self-tests" if code == "room_test_not_offered" else FAILURES.get(code, code)
        raise UsageError(f"the room gives no readiness table: {why}") from None
    except RecordError as error:
        raise UsageError(f"the room's answer is not to be understood: {error}") from None


async def _fetch(room: Room, unit: str | None) -> object:
    """GET /v1/readiness. ProbeFailure says why there is none."""
    from aiohttp import ClientSession, ClientTimeout, Fingerprint, TCPConnector

    from probes import trust
    from probes.room_failures import by_error
    from probes.session import ProbeFailure

    trusted = Fingerprint(room.fingerprint) if room.fingerprint else trust.context()
    headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {room.token}"} if room.token else {})
    timeout = ClientTimeout(total=ANSWER_S, sock_connect=CONNECT_S)
    try:
        async with ClientSession(
            room.url, connector=TCPConnector(ssl=trusted), headers=headers, timeout=timeout
        ) as http:
            return await _ask(http, {} if unit is None else {"unit": unit})
    except ProbeFailure:
        raise
    except Exception as error:
        raise by_error(error) from error


async def _ask(http: ClientSession, query: Mapping[str, str]) -> object:
    import json

    from probes.room_failures import OF_A_TEST, refusal
    from probes.session import ProbeFailure

    async with http.get("/v1/readiness", params=query, allow_redirects=False) as answer:
        if answer.status != 200:
            raise await refusal(answer, OF_A_TEST)
        body = bytearray()
        async for part in answer.content.iter_any():
            body += part
            if len(body) > MOST_BYTES:
                raise ProbeFailure("room_protocol", "too much")
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise ProbeFailure("room_protocol", "no JSON") from None

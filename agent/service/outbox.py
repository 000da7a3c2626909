"""Where reports go by the settings, and their way there: into the spool, and from it by processes that send and end."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agent.options import UsageError
from agent.service.state import SPOOL
from agent.settings import Settings
from probes.room import Room, RoomUrlError, parse_room
from reports.push_post import Destination, DestinationError, to_collector, to_remote_write
from reports.pushgateway import JOB
from reports.record import SelfTest
from reports.spool import Spool

if TYPE_CHECKING:
    from reports.push_post import Trust

COLLECTOR, REMOTE_WRITE = "collector", "remote_write"
ROOM = "room"  # collector.url: the one of [room]
PATH = "/v1/self-tests"
_LABEL = re.compile(r"\s*([a-zA-Z][a-zA-Z0-9_]*)\s*=\s*([^,=]+?)\s*")


@dataclass(frozen=True, slots=True)
class Way:
    """One destination. `labels`: of remote write; None: the document goes there, to the collector.

    `fingerprint`: SHA-256 of the far end's certificate, instead of a known issuer.
    """

    destination: Destination
    labels: Mapping[str, str] | None = None
    fingerprint: bytes | None = None

    def body(self, test: SelfTest) -> bytes:
        """What is sent of a self-test: never an address."""
        if self.labels is not None:
            from reports import remote_write

            return remote_write.encode(remote_write.series(test, self.labels))
        from reports.serial import to_json

        return json.dumps(to_json(test), ensure_ascii=False, allow_nan=False).encode()

    def trust(self) -> Trust:
        """What makes the far end's certificate good: this computer's own store, or the fingerprint."""
        if self.fingerprint is None:
            from probes import trust

            return trust.context()
        from aiohttp import Fingerprint

        return Fingerprint(self.fingerprint)


def ways(settings: Settings, machine: str) -> list[Way]:
    """All that the settings name. Raises UsageError."""
    return [way for way in (collector(settings, machine), _remote_write(settings, machine)) if way is not None]


def collector(settings: Settings, machine: str, url: str | None = None) -> Way | None:
    """The collector of the settings, or of this room. None: there is none. Raises UsageError."""
    url = url or settings.collector.url
    if not url:
        return None
    room = _room_of(settings, url)
    if not room.token:
        raise UsageError("the collector wants a token: collector.token, or room.token when it is the same room")
    try:
        destination = to_collector(room.url + PATH, room.token, machine, COLLECTOR)
    except DestinationError as error:
        raise UsageError(f"collector.url: {error}") from None
    return Way(destination, fingerprint=room.fingerprint)


def _room_of(settings: Settings, url: str) -> Room:
    token = settings.collector.token or settings.room.token
    url = (settings.room.url or "") if url == ROOM else url
    try:
        room = parse_room(url, token)
    except RoomUrlError as error:
        raise UsageError(f"collector.url: {error}") from None
    if room.plain:
        raise UsageError("collector.url: a plain STAMP reflector keeps no self-tests; name a room by https")
    return room


def _remote_write(settings: Settings, machine: str) -> Way | None:
    if not settings.push.remote_write:
        return None
    try:
        destination = to_remote_write(settings.push.remote_write, settings.push.token, REMOTE_WRITE)
    except DestinationError as error:
        raise UsageError(f"push.remote_write: {error}") from None
    return Way(destination, {"job": JOB, "instance": machine, **labels(settings.push.labels or "")})


def labels(text: str) -> dict[str, str]:
    """From `name=value, …`. Raises UsageError."""
    found: dict[str, str] = {}
    for part in filter(str.strip, text.split(",")):
        match = _LABEL.fullmatch(part)
        if match is None:
            raise UsageError(f"push.labels looks like organisation=habo, unit=hemtjanst, not {text!r}")
        found[match[1]] = match[2]
    return found


def open_spool(settings: Settings, folder: Path) -> Spool:
    """Raises SpoolError."""
    return Spool(folder / SPOOL, int(settings.push.spool_mb * 1e6))


def put(spool: Spool, to: list[Way], test: SelfTest) -> None:
    """Safely on the disk when it returns. Raises SpoolError."""
    for way in to:
        spool.put(way.destination.name, test.run_id, way.body(test), time.time())

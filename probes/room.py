"""The test room as a probe sees it: asking for a session over HTTPS by one link, and the report at its end.

A room is named by URL: https://HOST:PORT, with #sha256=FINGERPRINT for a certificate of its own, or
stamp://HOST[:PORT] for any plain STAMP reflector, which knows no sessions and gives no report.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import math
import re
import socket
import time
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote, urlsplit

from probes import ice_servers, stamp, trust
from probes.links.binding import socket_factory
from probes.room_failures import by_error, refusal
from probes.roundtrip import Fates
from probes.sender import Access
from probes.session import ProbeFailure
from probes.sticky import Sticky

if TYPE_CHECKING:
    from aiohttp import ClientSession
    from aiohttp.abc import AbstractResolver

    from reports.record import Link

TCP_S, ANSWER_S = 4.0, 8.0  # to be connected; to have the session
REPORT_S = 4.0
SEGMENT_BYTES = 1200  # with TCP's and IPv6's headers below 1280, which every IPv6 path carries
SESSION_SCHEMA = "motesklar.session/1"
_COUNTS = ("received", "duplicates", "reordered", "throttled")


class RoomUrlError(ValueError):
    """The room's URL is not one; the message says what one looks like."""


@dataclass(frozen=True, slots=True)
class Room:
    """Where the room is and what opens it. `fingerprint`: SHA-256 of its certificate, instead of a known issuer."""

    host: str
    port: int
    plain: bool = False
    fingerprint: bytes | None = None
    token: str | None = None

    @property
    def local(self) -> bool:
        """Is it this computer? Then no packet of the test passes a link."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host.lower() == "localhost"

    @property
    def url(self) -> str:
        """Of its HTTPS, with no path."""
        return f"https://[{self.host}]:{self.port}" if ":" in self.host else f"https://{self.host}:{self.port}"

    async def open(
        self, link: Link | None, seconds: float, packets_per_second: float, resolver: AbstractResolver | None = None
    ) -> RoomSession:
        """A session for one link. ProbeFailure says why there is none. `resolver`: instead of the system's."""
        if self.plain:
            return await _plain_session(self, link)
        made: list[socket.socket] = []
        found = Sticky(resolver)
        http = _http(self, link, made, found)
        try:
            session = await _ask(http, made, seconds, packets_per_second)
        except BaseException:
            await http.close()
            raise
        found.kept = session.address[0]  # where this session is known
        return session


@dataclass(slots=True)
class RoomSession:
    """A session's UDP address and key. `clock_offset_seconds`: the room's clock less ours, to within the RTT.

    `expired`: at its end the room did not know the session any more. `identifier`: not to be guessed, and so also the
    access token for the room's other tests; empty for plain STAMP. `ice_servers`: relays that the room names for calls.
    """

    address: tuple[str, int]
    access: Access
    clock_offset_seconds: float | None = None
    expired: bool = False
    identifier: str = ""
    ice_servers: tuple[ice_servers.IceServer, ...] = ()
    http: ClientSession | None = None
    _path: str = ""

    async def close(self) -> Fates | None:
        """End the session and fetch what the reflector saw; None when it cannot be had."""
        if self.http is None:
            return None
        try:
            async with asyncio.timeout(REPORT_S), self.http.delete(self._path) as answer:
                self.expired = answer.status == 404
                return _fates(await answer.json()) if answer.status == 200 else None
        except Exception:  # noqa: BLE001 - without the report less is known; the measurement stands
            return None
        finally:
            await self.http.close()


def parse_room(url: str, token: str | None = None) -> Room:
    """Read a room's URL. RoomUrlError says in a line what is wrong."""
    try:
        parts = urlsplit(url)
        port = parts.port
        (parts.hostname or "").encode("idna")  # what looking the name up would do
    except ValueError as error:
        raise RoomUrlError(f"{url!r} is not a room's address: {error}") from None
    if parts.scheme not in ("https", "stamp") or not parts.hostname:
        raise RoomUrlError(f"a room's address looks like https://room.example:8443 or stamp://router:862, not {url!r}")
    if parts.scheme == "stamp":
        return Room(parts.hostname, port or stamp.PORT, plain=True)
    return Room(parts.hostname, port or 443, fingerprint=_fingerprint(parts.fragment), token=token)


def _fingerprint(fragment: str) -> bytes | None:
    if not fragment:
        return None
    digits = fragment.removeprefix("sha256=").replace(":", "")
    if not re.fullmatch(r"[0-9a-fA-F]{64}", digits):
        raise RoomUrlError("after # comes sha256= and the 64 hexadecimal digits that the room printed")
    return bytes.fromhex(digits)


def _http(room: Room, link: Link | None, made: list[socket.socket], resolver: Sticky | None = None) -> ClientSession:
    from aiohttp import ClientSession, ClientTimeout, Fingerprint, TCPConnector

    trusted = Fingerprint(room.fingerprint) if room.fingerprint else trust.context()
    family = _family(link)
    factory = socket_factory(link, partial(_prepare, made))
    connector = TCPConnector(
        ssl=trusted, resolver=cast("AbstractResolver | None", resolver), use_dns_cache=False,
        socket_factory=factory, family=family, force_close=False,
    )  # fmt: skip
    headers = {"Authorization": f"Bearer {room.token}"} if room.token else {}
    timeout = ClientTimeout(total=ANSWER_S, sock_connect=TCP_S)
    return ClientSession(room.url, connector=connector, headers=headers, timeout=timeout)


def _family(link: Link | None) -> socket.AddressFamily:
    """Only families of which the link has an address."""
    if link is None:
        return socket.AF_UNSPEC
    families = {socket.AF_INET6 if ":" in a else socket.AF_INET for a in link.addresses}
    return families.pop() if len(families) == 1 else socket.AF_UNSPEC


def _prepare(made: list[socket.socket], sock: socket.socket) -> None:
    """These connections move little and must survive a path that swallows large packets: both ends send small ones."""
    with contextlib.suppress(OSError, AttributeError):  # Windows has it for reading only
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT_BYTES)
    made.append(sock)


def _peer(made: list[socket.socket]) -> str:
    """The address that answered, of the room's several perhaps: the test packets go there too."""
    for sock in reversed(made):
        with contextlib.suppress(OSError):
            return str(sock.getpeername()[0])
    raise ProbeFailure("room_unreachable")


async def _ask(
    http: ClientSession, made: list[socket.socket], seconds: float, packets_per_second: float
) -> RoomSession:
    wanted = {"seconds": seconds, "packets_per_second": packets_per_second}
    before = time.time()
    try:
        async with http.post("/v1/sessions", json=wanted, allow_redirects=False) as answer:
            middle = (before + time.time()) / 2
            if answer.status != 201:
                raise await refusal(answer)
            host = _peer(made)
            granted = await answer.json()
    except ProbeFailure:
        raise
    except Exception as error:
        raise by_error(error) from error
    return _session(granted, host, http, middle)


def _session(granted: dict[str, Any], host: str, http: ClientSession, middle: float) -> RoomSession:
    try:
        if granted["schema"] != SESSION_SCHEMA:
            raise ValueError(granted["schema"])
        key = stamp.Key(base64.b64decode(granted["key"], validate=True))
        return RoomSession(
            (host, _sixteen_bits(granted["stamp_port"])),
            Access(_sixteen_bits(granted["ssid"]), key),
            _finite(granted["server_time"]) - middle,
            identifier=quote(str(granted["id"]), safe=""),
            ice_servers=ice_servers.parse(granted.get("ice_servers")),
            http=http,
            _path=f"/v1/sessions/{granted['id']}",
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ProbeFailure("room_protocol") from error


def _sixteen_bits(value: Any) -> int:
    """1 … 65535: a port, or a session identifier (zero is for those without a session)."""
    number = int(value)
    if not 0 < number < 0x1_0000:
        raise ValueError(number)
    return number


def _finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(number)
    return number


def _fates(report: dict[str, Any]) -> Fates | None:
    try:
        received, duplicates, reordered, throttled = counts = [int(report[name]) for name in _COUNTS]
        if min(counts) < 0:
            return None
        return Fates(received, duplicates, reordered, throttled, base64.b64decode(report["seen"], validate=True))
    except (KeyError, TypeError, ValueError):
        return None


async def _plain_session(room: Room, link: Link | None) -> RoomSession:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(TCP_S):
            found = await loop.getaddrinfo(room.host, room.port, family=_family(link), type=socket.SOCK_DGRAM)
    except (OSError, TimeoutError):
        raise ProbeFailure("room_name_unknown") from None
    host, port = found[0][4][:2]
    return RoomSession((str(host), int(port)), Access(follow_up=False))

"""STUN and TURN servers as a room hands them out: WebRTC's RTCIceServer dictionaries, URIs of RFC 7064 and 7065."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Transport = Literal["udp", "tcp", "tls"]
_URI = re.compile(
    r"(?P<scheme>stuns?|turns?):(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s:?\[\]]+)(?::(?P<port>\d{1,5}))?(?:\?transport=(?P<transport>udp|tcp))?"
)


@dataclass(frozen=True, slots=True)
class IceServer:
    """One server by one transport. `relay`: TURN; without it STUN only. User name and password may be empty."""

    host: str
    port: int
    transport: Transport
    relay: bool = True
    username: str = ""
    credential: str = ""


def parse_uri(uri: str, username: str = "", credential: str = "") -> IceServer:
    """One URI. ValueError says what one looks like. `turns:` is TLS over TCP; DTLS is not spoken here."""
    found = _URI.fullmatch(uri)
    if found is None or not 0 < int(found["port"] or 1) < 0x1_0000:
        raise ValueError(f"a TURN server looks like turn:HOST:3478?transport=udp or turns:HOST:443, not {uri!r}")
    secure = found["scheme"].endswith("s")
    if secure and found["transport"] == "udp":
        raise ValueError(f"TURN by DTLS is not supported; leave out ?transport=udp in {uri!r}")
    transport: Transport = "tls" if secure else "tcp" if found["transport"] == "tcp" else "udp"
    port = int(found["port"] or (5349 if secure else 3478))
    relay = found["scheme"].startswith("turn")
    return IceServer(found["host"].strip("[]"), port, transport, relay, username, credential)


def parse(servers: object) -> tuple[IceServer, ...]:
    """What a room sent. What this program does not know (another scheme, another shape) is passed over."""
    return tuple(_each(servers)) if isinstance(servers, Sequence) and not isinstance(servers, str) else ()


def _each(servers: Sequence[Any]) -> Iterator[IceServer]:
    for server in servers:
        if not isinstance(server, Mapping):
            continue
        urls = server.get("urls", ())
        name, password = (str(server.get(key) or "") for key in ("username", "credential"))
        for uri in [urls] if isinstance(urls, str) else urls if isinstance(urls, Sequence) else ():
            try:
                yield parse_uri(str(uri), name, password)
            except ValueError:
                continue

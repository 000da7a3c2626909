"""Whom the join path wants to reach: the hosts of the profile and the room, each with the role by which it is named."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from probes.session import Session


@dataclass(frozen=True, slots=True)
class Named:
    """`vital`: without it there is no meeting."""

    host: str
    role: str
    vital: bool = False


def hosts(session: Session) -> tuple[Named, ...]:
    """Each host once, by its first role; the portal first. "" and the room on this computer are left out."""
    first: dict[str, Named] = {}
    for named in _every(session):
        if named.host:
            first.setdefault(named.host, named)
    return tuple(first.values())


def _every(session: Session) -> Iterator[Named]:
    profile = session.profile
    yield Named(host_of(profile.portal), "portal", vital=True)
    for i, media in enumerate(profile.media, 1):
        yield Named(media.host, f"media {i}", vital=True)
    for i, provider in enumerate(profile.identity_providers, 1):
        yield Named(provider.host, f"identity provider {i}")
    if has_room(session):
        yield Named(session.room.host, "room")
    yield Named(host_of(profile.captive_check), "captive check")


def has_room(session: Session) -> bool:
    """A room elsewhere that gives sessions?"""
    return not (session.room.local or session.room.plain)


def host_of(url: str | None) -> str:
    """The URL's host in small letters; "" when it has none."""
    return urlsplit(url or "").hostname or ""


def is_literal(host: str) -> bool:
    """An address instead of a name?"""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True

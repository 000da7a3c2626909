"""The profile of a meeting service: where it is and who helps. agent/profiles/*.toml are read into this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reports.record import Owner


@dataclass(frozen=True, slots=True)
class IdentityProvider:
    """A login service that the portal sends the browser to. Its HTTPS port must be reached."""

    name: str
    host: str
    port: int = 443


@dataclass(frozen=True, slots=True)
class MediaHost:
    """A media server (STUN and TURN) of the meeting service. A port that is None is not used."""

    host: str
    udp_port: int | None = 3478
    tcp_port: int | None = None
    tls_port: int | None = 443


@dataclass(frozen=True, slots=True)
class Support:
    """Whom to turn to; the first of a profile's list first. Texts by language ("sv", "en")."""

    owner: Owner
    name: Mapping[str, str]
    phone: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """A meeting service. `portal`: https URL of its login page. `issuers`: organisations that make its certificates.

    `captive_check`: an http URL that answers 204, or redirects to its own host, where nothing intervenes.
    """

    name: str = "generic-webrtc"
    title: str = ""
    portal: str | None = None
    captive_check: str | None = None
    issuers: tuple[str, ...] = ()
    identity_providers: tuple[IdentityProvider, ...] = ()
    media: tuple[MediaHost, ...] = ()
    browsers: Mapping[str, int] = field(default_factory=dict)  # lowest version by name: chrome, edge, firefox, safari
    card: bool = False  # these people log in by a smart card
    dial_in: Mapping[str, str] = field(default_factory=dict)  # a note by language
    support: tuple[Support, ...] = ()

    @property
    def names_service(self) -> bool:
        """Is there anything of the service itself to reach?"""
        return self.portal is not None or bool(self.media) or bool(self.identity_providers)


GENERIC = Profile()  # no service named: only the test room tells

"""The faults between a laptop and its meeting, each made for real, and what is to be said of each.

What `motesklar join` names first is (step, code, owner). RTP, DTLS and STUN are told apart by a datagram's first byte
(RFC 7983), as a firewall does; in the room's namespace also what the room's relay sends to it on the loopback device.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.netlab.dns_answerer import EVERY
from tests.netlab.router import RoutedPath
from tests.netlab.service import OTHER_SECRET, Service
from tests.netlab.service_host import (
    DEAD_PROXY_PORT,
    LOGIN,
    MEDIA,
    NAMES,
    PORTAL,
    PROXY,
    PROXY_PORT,
    RELAY,
    SECOND_LOGIN,
)

YOU, MUNICIPAL, REGION = "you", "municipal_it", "region_it"
CLOCK_OFF_S = -600
FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)  # Debian's package faketime
WRONG_CLOCK = {
    "LD_PRELOAD": str(FAKETIME),
    "FAKETIME": f"{CLOCK_OFF_S}s",
    "FAKETIME_DONT_FAKE_MONOTONIC": "1",
}

ROOM, FROM_ROOM = f"ip daddr {RoutedPath.room_address}", f"ip saddr {RoutedPath.room_address}"
UDP = "meta l4proto udp"
DTLS, MEDIA_PACKETS = f"{UDP} @th,64,8 20-63", f"{UDP} @th,64,8 128-191"  # the first byte after UDP's header
RESET = "tcp dport 443 reject with tcp reset"
BLOCKED = ("turn", "udp_blocked", MUNICIPAL)


@dataclass(frozen=True)
class Fault:
    """`first` None: nothing is named. `well`: steps that are ready all the same. `path`: by which the call goes."""

    name: str
    make: Callable[[Service], object]
    first: tuple[str, str, str] | None
    level: str = "not_ready"
    well: str = ""
    path: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)


def nothing(it: Service) -> None:
    """It is in the program's environment, or it is not."""


def names(trouble: str, name: str, *, everywhere: bool = True) -> Callable[[Service], object]:
    """What both name servers, or one of them, make of a name."""
    wrong = {"trouble": {name: trouble}}
    return lambda it: it.zones(wrong, wrong if everywhere else {})


def being(**changes: object) -> Callable[[Service], object]:
    return lambda it: it.be(**changes)


def to(name: str, what: str) -> Callable[[Service], object]:
    """What the operator does with packets to a host of the service."""
    address, address_v6 = NAMES[name]
    return lambda it: it.rule("operator", f"ip daddr {address} {what}", f"ip6 daddr {address_v6} {what}")


def at_room(packets: str) -> Callable[[Service], object]:
    """Where all has to pass that reaches the room, also by its relay."""
    return lambda it: it.rule("room", f"{ROOM} {packets} drop", hook="input")


def nothing_back(it: Service) -> None:
    """Dropped on its way: on its way out the sender would hear of it."""
    rule = f"{FROM_ROOM} {MEDIA_PACKETS} drop"
    it.rule("operator", rule)
    it.rule("room", rule, hook="input")


def black_hole(it: Service) -> None:
    it.rule("gateway", 'iifname "to_laptop" drop')


def udp_to_room_dropped(it: Service) -> None:
    """Its relay is another host."""
    it.rule("operator", f"{ROOM} {UDP} drop")


def no_udp(it: Service, *rules: str) -> None:
    """But names. (Of two comparisons in one rule this nft would make one.)"""
    it.rule("operator", "udp dport 53 accept", "udp sport 53 accept", f"{UDP} drop", *rules)


def only_by_proxy(it: Service) -> None:
    """The web is reached through it only."""
    for name in WEB:
        to(name, "tcp dport 443 drop")(it)


def second_of_two(it: Service) -> None:
    it.tell_profile(LOGIN, SECOND_LOGIN)
    to(SECOND_LOGIN, "drop")(it)


WEB = (PORTAL, LOGIN, SECOND_LOGIN)
BY_PROXY = f"http://{PROXY}"
BEFORE, SERVICE, LATER = "address captive", "dns tcp tls portal", "stun turn"
CALL = "room signalling ice dtls"


def one_name_server(called: str, trouble: str, name: str, code: str) -> Fault:
    """Of two; the other answers, so that all goes on."""
    make = names(trouble, name, everywhere=False)
    return Fault(called, make, ("dns", code, MUNICIPAL), "degraded", f"{BEFORE} tcp tls portal {LATER}")


# What has nothing to do with a call: told without a room, as most computers will.
WITHOUT_ROOM = (
    Fault("no route", Service.no_default_route, ("address", "no_route", YOU)),
    Fault("captive portal", Service.captive, ("captive", "captive_portal", YOU)),
    Fault("NXDOMAIN", names("NXDOMAIN", PORTAL), ("dns", "dns_nxdomain", MUNICIPAL), well=f"address {LATER}"),
    Fault("SERVFAIL", names("SERVFAIL", PORTAL), ("dns", "dns_servfail", MUNICIPAL), well=f"address {LATER}"),
    Fault("name servers silent", names("silence", EVERY), ("dns", "dns_no_answer", MUNICIPAL), well="address"),
    one_name_server("one of two name servers silent", "silence", EVERY, "dns_resolver_silent"),
    one_name_server("name servers contradict each other", "NXDOMAIN", PORTAL, "dns_disagreement"),
    Fault("TCP 443 refused", to(PORTAL, RESET), ("tcp", "tcp_refused", REGION), well=LATER),
    Fault("TCP 443 dropped", to(PORTAL, "tcp dport 443 drop"), ("tcp", "tcp_timeout", MUNICIPAL), well=LATER),
    Fault(
        "IPv6 dropped",
        lambda it: it.rule("operator", f"ip6 daddr {NAMES[PORTAL][1]} drop"),
        ("tcp", "tcp_family_broken", MUNICIPAL),
        "degraded",
        f"{BEFORE} tls portal {LATER}",
    ),
    Fault("certificate expired", being(certificate="expired"), ("tls", "tls_expired", REGION), well=f"tcp {LATER}"),
    Fault("wrong name", being(certificate="wrong_name"), ("tls", "tls_wrong_name", REGION), well=f"tcp {LATER}"),
    Fault("unknown issuer", being(certificate="unknown"), ("tls", "tls_untrusted", MUNICIPAL), well=f"tcp {LATER}"),
    Fault("portal 503", being(page="error"), ("portal", "portal_error", REGION), well=f"tcp tls {LATER}"),
    Fault("redirect loop", being(page="loop"), ("portal", "portal_redirect_loop", REGION), well=f"tcp tls {LATER}"),
    Fault(
        "identity provider blocked",
        to(LOGIN, "drop"),
        ("portal", "identity_provider_unreachable", MUNICIPAL),
        well=f"{BEFORE} tcp tls {LATER}",
    ),
    Fault(
        "one of two identity providers blocked",
        second_of_two,
        ("portal", "identity_provider_missing", MUNICIPAL),
        "degraded",
        f"{BEFORE} tcp tls {LATER}",
    ),
    Fault(
        "clock ten minutes off",
        nothing,
        ("clock", "clock", YOU),
        well=f"{BEFORE} {SERVICE} {LATER}",
        variables=WRONG_CLOCK,
    ),
    Fault(
        "proxy dead",
        nothing,
        ("proxy", "proxy_unreachable", MUNICIPAL),
        well=f"address {LATER}",
        variables={"HTTPS_PROXY": f"{BY_PROXY}:{DEAD_PROXY_PORT}"},
    ),
    Fault(
        "only the proxy leads out",
        only_by_proxy,
        None,
        "ready",
        f"{BEFORE} proxy {SERVICE} stun",
        variables={"HTTPS_PROXY": f"{BY_PROXY}:{PROXY_PORT}"},
    ),
    Fault(
        "media unreachable",
        to(MEDIA, "drop"),
        ("turn", "media_unreachable", MUNICIPAL),
        well=f"{BEFORE} {SERVICE}",
    ),
)

CLEAN = Fault("nothing", nothing, None, "ready", f"{BEFORE} proxy {SERVICE} clock {LATER} {CALL} media", "direct")
WITH_CALL = (
    CLEAN,
    Fault("everything dropped", black_hole, ("dns", "dns_no_answer", MUNICIPAL), well="address"),
    Fault("the service's clocks wrong", being(date_off=600.0), None, "ready", f"{SERVICE} {LATER} {CALL}"),
    Fault("all UDP dropped", no_udp, BLOCKED, "degraded", f"{SERVICE} room dtls", "turn_tcp"),
    Fault(
        "all UDP and TCP 3478 dropped",
        lambda it: no_udp(it, "tcp dport 3478 drop"),
        BLOCKED,
        "degraded",
        f"{SERVICE} room dtls",
        "turn_tls",
    ),
    Fault(
        "UDP 3478 dropped",
        lambda it: it.rule("operator", "udp dport 3478 drop"),
        BLOCKED,
        "degraded",
        f"{SERVICE} {CALL}",
        "direct",
    ),
    Fault(
        "UDP to the room dropped",
        udp_to_room_dropped,
        None,
        "ready",
        f"{SERVICE} {LATER} {CALL}",
        "turn_udp",
    ),
    Fault(
        "TURN wrong password",
        lambda it: it.relay_with(OTHER_SECRET),
        ("turn", "turn_unauthorized", REGION),
        "degraded",
        f"{SERVICE} stun {CALL}",
        "direct",
    ),
    Fault(
        "TURN unreachable",
        to(RELAY, "drop"),
        ("turn", "turn_unreachable", MUNICIPAL),
        "degraded",
        f"{SERVICE} stun {CALL}",
        "direct",
    ),
    Fault(
        "TURN does not run",
        lambda it: it.relay_with(None),
        ("turn", "turn_unreachable", MUNICIPAL),
        "degraded",
        f"{SERVICE} stun {CALL}",
        "direct",
    ),
    Fault("ICE blocked", at_room(UDP), ("ice", "ice_failed", MUNICIPAL), well=f"{LATER} room signalling"),
    Fault("DTLS blocked", at_room(DTLS), ("dtls", "dtls_failed", MUNICIPAL), well=f"{LATER} room signalling ice"),
    Fault("media blocked up", at_room(MEDIA_PACKETS), ("media", "media_silent_up", MUNICIPAL), well=f"{LATER} {CALL}"),
    Fault("media blocked down", nothing_back, ("media", "media_silent_down", MUNICIPAL), well=f"{LATER} {CALL}"),
)

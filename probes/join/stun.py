"""stun: does a STUN server answer, how fast, and does it see this computer at another address (NAT)?

No answer is no failure here: whether UDP passes is judged by the turn step, which asks by other transports too.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from probes.join.dial import MARGIN_S, addresses
from probes.join.errand import Errand, NeedlessError
from probes.join.reach import family, goes
from probes.turn_client import Seen, bindings
from probes.turn_wire import Datagrams, Unanswered, datagrams

RTT = "stun_rtt_seconds"
BINDINGS = 3
MOST = 8  # servers that are asked

Server = tuple[str, int]


@dataclass(frozen=True, slots=True)
class View:
    """What one server said. `own`: the address of the socket that asked."""

    own: Server
    seen: tuple[Seen, ...]


async def step(errand: Errand) -> None:
    """Three bindings with each server, all servers at once and by one socket a family."""
    link, until = errand.link, errand.deadline - MARGIN_S
    targets = list(dict.fromkeys(_targets(errand)))[:MOST]
    if not targets:
        raise NeedlessError
    found = await asyncio.gather(*(addresses(errand, host) for host, _ in targets))
    first = [next((a for a in known if goes(link, a)), None) for known in found]
    servers = [(a, port) for a, (_, port) in zip(first, targets, strict=True) if a is not None]
    views = await _ask(errand, list(dict.fromkeys(servers)), until)
    errand.m.facts["asked"], errand.m.facts["answered"] = len(targets), len(views)
    _fill(errand, views)


def _targets(errand: Errand) -> list[Server]:
    """The service's media hosts, then the room's servers, those that take UDP."""
    service = [(m.host, m.udp_port) for m in errand.session.profile.media if m.udp_port is not None]
    return service + [(s.host, s.port) for s in errand.found.ice_servers if s.transport == "udp"]


async def _ask(errand: Errand, servers: Sequence[Server], until: float) -> list[View]:
    """The views of those that answered."""
    wires: dict[int, Datagrams] = {}
    try:
        for kind in {family(address) for address, _ in servers}:
            with contextlib.suppress(Unanswered):
                wires[kind] = await datagrams(errand.link, kind)
        asked = [(wires[family(s[0])], s) for s in servers if family(s[0]) in wires]
        came = await asyncio.gather(*(bindings(wire, server, until, BINDINGS) for wire, server in asked))
    finally:
        for wire in wires.values():
            wire.close()
    return [View(wire.own, tuple(seen)) for (wire, _), seen in zip(asked, came, strict=True) if seen]


def _fill(errand: Errand, views: Sequence[View]) -> None:
    m = errand.m
    if not views:
        m.unknown[RTT] = "no STUN server answered"
        return
    m.values[RTT] = median(s.seconds for view in views for s in view.seen)
    same = all(s.address == view.own for view in views for s in view.seen)
    m.facts["mapped"], m.facts["nat"] = ("same", "no") if same else ("other", "yes")
    if (symmetric := symmetric_nat(views)) is not None:
        m.facts["symmetric_nat"] = symmetric


def symmetric_nat(views: Sequence[View]) -> bool | None:
    """Does the NAT give one socket another address for each server? None: fewer than two servers beyond it answered.

    RFC 4787, section 4.1: address-dependent mapping. Servers on this side of the NAT tell nothing.
    """
    beyond: dict[Server, list[Server]] = {}
    for view in views:
        if view.seen[-1].address != view.own:
            beyond.setdefault(view.own, []).append(view.seen[-1].address)
    told = [len(set(mapped)) > 1 for mapped in beyond.values() if len(mapped) > 1]
    return any(told) if told else None

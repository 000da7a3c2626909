"""turn: do the meeting's media servers and the room's relays answer, by UDP, TCP and TLS, and if not, why?

The service's media hosts are asked without a password: a TURN server that refuses is there. The room's relays must give
one. What is wrong with the relays is a remark: a direct call may still work.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from probes.ice_servers import Transport
from probes.join.dial import MARGIN_S
from probes.join.errand import Errand, NeedlessError
from probes.join.turn_ways import Role, Target, ask, best, lookup
from probes.turn_client import Allocation
from probes.turn_wire import Outcome

TRANSPORTS: tuple[Transport, ...] = ("udp", "tcp", "tls")
MOST = 18  # targets
ANSWERS: frozenset[Outcome] = frozenset({"ok", "alternate", "other"})
REFUSALS: dict[Outcome, str] = {
    "unauthorized": "turn_unauthorized",
    "forbidden": "turn_forbidden",
    "quota": "turn_quota",
    "error": "turn_failed",
    "certificate": "turn_failed",
}

Asked = Mapping[Transport, Allocation]  # per transport, of several servers the best


async def step(errand: Errand) -> None:
    """Everybody at once; then what it means, the service first."""
    _ = errand.link  # NeedlessError: none
    until = errand.deadline - MARGIN_S
    targets = list(islice(dict.fromkeys(_targets(errand)), MOST))
    if not targets:
        raise NeedlessError
    known = await lookup(errand, ((t.role, t.host) for t in targets))
    came = await asyncio.gather(*(ask(errand, target, known[target.host], until) for target in targets))
    service, relay = (_by_transport(targets, came, role) for role in ("service", "relay"))
    _note(errand, service, relay)
    _judge_service(errand, service)
    _judge_relay(errand, relay)


def _targets(errand: Errand) -> Iterator[Target]:
    for media in errand.session.profile.media:
        ports: tuple[tuple[Transport, int | None], ...] = (
            ("udp", media.udp_port),
            ("tcp", media.tcp_port),
            ("tls", media.tls_port),
        )
        yield from (Target("service", media.host, port, transport) for transport, port in ports if port is not None)
    for s in errand.found.ice_servers:
        if s.relay:
            yield Target("relay", s.host, s.port, s.transport, s.username, s.credential)


def _by_transport(targets: Sequence[Target], came: Sequence[Allocation], role: Role) -> Asked:
    found: dict[Transport, list[Allocation]] = {}
    for target, allocation in zip(targets, came, strict=True):
        if target.role == role:
            found.setdefault(target.transport, []).append(allocation)
    return {transport: best(found[transport]) for transport in TRANSPORTS if transport in found}


def _note(errand: Errand, service: Asked, relay: Asked) -> None:
    """The facts; and how long it took, by the relays if they were asked, for theirs is the whole way."""
    for role, asked in (("service", service), ("relay", relay)):
        for transport, allocation in asked.items():
            errand.m.facts[f"{role}_{transport}"] = allocation.outcome
            if allocation.code is not None and role == "relay":
                errand.m.facts[f"{role}_{transport}_code"] = allocation.code
    for transport in TRANSPORTS:
        name = f"turn_allocation_{transport}_seconds"
        of = relay.get(transport) or service.get(transport)
        if of is not None and of.outcome == "ok" and of.seconds is not None:
            errand.m.values[name] = of.seconds
        elif of is not None:
            errand.m.unknown[name] = f"there was no allocation: {of}"


def _judge_service(errand: Errand, asked: Asked) -> None:
    if not asked or all(a.outcome == "no_name" for a in asked.values()):
        return  # the dns step has said so
    answering = {transport for transport, a in asked.items() if a.outcome in ANSWERS}
    if not answering:
        raise errand.fail("media_unreachable", _said(asked))
    if "udp" in asked and "udp" not in answering:
        errand.remark("udp_blocked", _said(asked))


def _judge_relay(errand: Errand, asked: Asked) -> None:
    if code := _wrong(asked):
        errand.remark(code, _said(asked))


def _wrong(asked: Asked) -> str:
    """What is wrong with the room's relays, as a code; "" when nothing is."""
    if any(a.outcome in ANSWERS for a in asked.values()):
        return _wrong_in_part(asked)
    if not asked:
        return ""
    most = best(list(asked.values())).outcome
    return REFUSALS.get(most) or ("turn_intercepted" if most == "intercepted" else "turn_unreachable")


def _wrong_in_part(asked: Asked) -> str:
    by_udp = asked["udp"].outcome if "udp" in asked else "ok"
    if by_udp not in ANSWERS | {"quota"}:  # the place that is missing may be the one that the others have
        return REFUSALS.get(by_udp, "turn_udp_blocked")
    return "turn_intercepted" if any(a.outcome == "intercepted" for a in asked.values()) else ""


def _said(asked: Asked) -> str:
    """ "udp blocked; tls error 442" """
    return "; ".join(f"{transport} {allocation}" for transport, allocation in asked.items())

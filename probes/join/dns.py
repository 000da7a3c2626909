"""dns: does each name server of this link find every name that the meeting needs, and do they agree?

All names are asked of all name servers at once, for both kinds of address. A question is asked again once, so that
one lost packet is no fault.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING

from probes import dns, own_traffic
from probes.join.address import leads, ways_out
from probes.join.dial import MARGIN_S, proxy_for
from probes.join.errand import NeedlessError
from probes.join.hosts import Named, hosts, is_literal
from probes.join.lookup import SERVERS, Outcome, Reply, ask, ask_system, listed
from probes.join.reach import in_turn

if TYPE_CHECKING:
    from probes.join.errand import Errand

LOOKUP = "join_lookup_seconds"
MOST_ADDRESSES = 8
CODES: dict[Outcome, str] = {
    "nxdomain": "dns_nxdomain",
    "empty": "dns_nxdomain",
    "failed": "dns_servfail",
    "silent": "dns_no_answer",
}
Replies = Mapping[Named, Sequence[Reply]]  # in the order of the name servers


async def step(errand: Errand) -> None:
    """Fills found.addresses. Fails when the portal has no address; the rest can be tried without the others."""
    wanted = hosts(errand.session)
    if not wanted:
        raise NeedlessError
    known = {named: (named.host,) if is_literal(named.host) else listed(named.host) for named in wanted}
    replies = await _ask_all(errand, [named for named, addresses in known.items() if not addresses])
    known |= {named: first.addresses for named, row in replies.items() if (first := _first(row))}
    errand.found.addresses.update({named.host: _usable(errand, known[named]) for named in wanted})
    if in_file := [named.role for named in wanted if named not in replies and not is_literal(named.host)]:
        errand.m.facts["hosts_file"] = tuple(in_file)
    _facts(errand, known[wanted[0]], replies)
    _judge(errand, wanted, replies)


# ---- asking -----------------------------------------------------------------------------------------------------


async def _ask_all(errand: Errand, names: Sequence[Named]) -> Replies:
    link, seconds = errand.link, errand.left - MARGIN_S
    servers = dns.askable(link)[:SERVERS]
    errand.m.facts["resolvers"] = len(servers)
    if not servers:
        errand.m.facts["asked"] = "the system: the link has no name server of its own"
        return await _every(names, [[ask_system(n.host, seconds)] for n in names])
    with own_traffic.account(link) as account:
        asked = [[ask(link, server, n.host, seconds, account) for server in servers] for n in names]
        return await _every(names, asked)


async def _every(names: Sequence[Named], asked: Sequence[Sequence[Coroutine[None, None, Reply]]]) -> Replies:
    flat = await asyncio.gather(*(one for row in asked for one in row))
    replies = iter(flat)
    return {name: [next(replies) for _ in row] for name, row in zip(names, asked, strict=True)}


def _first(replies: Sequence[Reply]) -> Reply | None:
    """Of the name server that the system would ask first, of those that found it."""
    return next((r for r in replies if r.outcome == "found"), None)


def _usable(errand: Errand, addresses: Sequence[str]) -> tuple[str, ...]:
    """Those to which the link has a way, the families by turns (RFC 8305)."""
    ways = ways_out(errand.link)
    good = [a for a in addresses if (6 if ":" in a else 4) in ways or leads(errand.link, a)]
    return tuple(in_turn(good)[:MOST_ADDRESSES])


# ---- what it says -----------------------------------------------------------------------------------------------


def _facts(errand: Errand, addresses: Sequence[str], replies: Replies) -> None:
    m = errand.m
    columns = list(zip(*replies.values(), strict=True))
    m.facts["answered"] = sum(any(r.outcome != "silent" for r in column) for column in columns)
    m.facts["ipv4"] = any(":" not in a for a in addresses)
    m.facts["ipv6"] = any(":" in a for a in addresses)
    m.facts["names"] = len(replies)
    found = [min(r.seconds for r in row if r.outcome == "found") for row in replies.values() if _first(row)]
    if found:
        m.values[LOOKUP] = max(found)
    elif replies:
        m.unknown[LOOKUP] = "no name was found"
    if lost := [named.role for named, row in replies.items() if _first(row) is None]:
        m.facts["not_found"] = tuple(lost)


def _judge(errand: Errand, wanted: Sequence[Named], replies: Replies) -> None:
    """A host that is reached through a proxy needs no address here."""
    lost = [n for n in wanted if n.vital and not errand.found.addresses[n.host] and not proxy_for(errand.found, n.host)]
    for named in lost:
        code, detail = why(named.role, replies.get(named, ()))
        if named.role == "portal" or not errand.session.profile.portal:
            raise errand.fail(code, detail)
        errand.remark(code, detail)
    if silent := _silent(replies):
        errand.remark("dns_resolver_silent", silent)
    if contradicted := [named.role for named, row in replies.items() if disagree(row)]:
        errand.remark("dns_disagreement", ", ".join(contradicted))


def why(role: str, replies: Sequence[Reply]) -> tuple[str, str]:
    """Code and detail of a host without a usable address. The answer that says most counts."""
    by_outcome = {r.outcome: r for r in reversed(replies)}
    if "found" in by_outcome or not replies:
        return "no_route", f"{role}: its addresses are of a kind that this link does not reach"
    outcome = next(o for o in CODES if o in by_outcome)
    said = {"empty": "the name has no address", "failed": by_outcome[outcome].rcode}.get(outcome)
    return CODES[outcome], f"{role}: {said}" if said else role


def _silent(replies: Replies) -> str:
    """How many name servers said nothing at all while another answered; "" when none."""
    columns = list(zip(*replies.values(), strict=True))
    silent = sum(all(r.outcome == "silent" for r in column) for column in columns)
    return f"{silent} of {len(columns)}" if 0 < silent < len(columns) else ""


def disagree(replies: Sequence[Reply]) -> bool:
    """Does a name exist for one and not for another, or lead inwards by one and outwards by another?"""
    outcomes = {r.outcome for r in replies}
    ways = {r.within for r in replies if r.outcome == "found"}
    return {"found", "nxdomain"} <= outcomes or {True, False} <= ways

"""One TURN server by one transport: the way to it, by the link, and what comes of asking for a relay."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from probes import trust
from probes.ice_servers import Transport
from probes.join.dial import addresses, connect, proxy_for, secure, why
from probes.join.hosts import is_literal
from probes.join.reach import STAGGER_S, DialError, Kind, family, goes, in_turn, reach
from probes.turn_client import Allocation, allocate
from probes.turn_wire import Outcome, Stream, Unanswered, datagrams
from processes.tasks import end

if TYPE_CHECKING:
    from probes.join.errand import Errand
    from reports.record import Link

Role = Literal["service", "relay"]
MOST_ADDRESSES = 2
LOOKUP_S = 1.2  # for the name of a relay
DIALLED: dict[Kind, tuple[Outcome, str]] = {
    "refused": ("refused", ""),
    "unreachable": ("unreachable", ""),
    "silent": ("blocked", ""),
    "proxy_refused": ("refused", "by the proxy"),
    "proxy_unreachable": ("unreachable", "the proxy does not answer"),
}
BEST: tuple[Outcome, ...] = (  # of several answers, the one that says most
    "ok", "alternate", "other", "quota", "forbidden", "unauthorized", "error", "certificate", "intercepted",
    "silent", "closed", "refused", "unreachable", "blocked", "no_name",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to ask. The service's are asked without a password: they need only answer."""

    role: Role
    host: str
    port: int
    transport: Transport
    username: str = ""
    credential: str = ""


async def lookup(errand: Errand, hosts: Iterable[tuple[Role, str]]) -> dict[str, tuple[str, ...]]:
    """By host its addresses; () when it has none. The service's are those of the dns step, which says what is wrong."""
    wanted = dict.fromkeys(hosts)
    return dict(zip((h for _, h in wanted), await asyncio.gather(*(_known(errand, *w) for w in wanted)), strict=True))


async def _known(errand: Errand, role: Role, host: str) -> tuple[str, ...]:
    if role == "service" and not is_literal(host):
        return errand.found.addresses.get(host, ())
    return await addresses(errand, host, LOOKUP_S)


async def ask(errand: Errand, target: Target, known: Sequence[str], until: float) -> Allocation:
    """By `until` (time.monotonic()); how it went, whatever it was. `known`: its addresses."""
    proxied = target.transport != "udp" and proxy_for(errand.found, target.host) is not None
    usable = [a for a in known if goes(errand.link, a)]
    if not usable and not proxied:
        return Allocation("unreachable" if known else "no_name")
    try:
        if target.transport == "udp":
            return await _by_udp(errand.link, target, in_turn(usable)[:MOST_ADDRESSES], until)
        return await _by_stream(errand, target, None if proxied else usable, until)
    except Unanswered as error:
        return Allocation(error.outcome, detail=error.detail)


def best(found: Sequence[Allocation]) -> Allocation:
    """Of one or more, the one that says most."""
    return min(found, key=lambda a: BEST.index(a.outcome))


# ---- UDP --------------------------------------------------------------------------------------------------------


async def _by_udp(link: Link, target: Target, ways: Sequence[str], until: float) -> Allocation:
    """The first of the addresses that answers, of one or two; the second is asked a moment later (RFC 8305)."""
    return await _first([_at(link, target, address, until, i * STAGGER_S) for i, address in enumerate(ways)])


async def _at(link: Link, target: Target, address: str, until: float, wait: float) -> Allocation:
    await asyncio.sleep(wait)
    wire = await datagrams(link, family(address), (address, target.port))
    try:
        return await allocate(wire, until, target.username, target.credential, needed=target.role == "relay")
    finally:
        wire.close()


async def _first(attempts: Sequence[Coroutine[Any, Any, Allocation]]) -> Allocation:
    """The first that is answered; when none is, the one that says most."""
    tasks, came = [asyncio.create_task(attempt) for attempt in attempts], list[Allocation]()
    try:
        for ended in asyncio.as_completed(tasks):
            try:
                came.append(await ended)
            except Unanswered as error:
                came.append(Allocation(error.outcome, detail=error.detail))
            if came[-1].seconds is not None:
                return came[-1]
        return best(came)
    finally:
        await end(*tasks)


# ---- TCP and TLS ------------------------------------------------------------------------------------------------


async def _by_stream(errand: Errand, target: Target, ways: Sequence[str] | None, until: float) -> Allocation:
    begun = time.monotonic()
    wire = await _stream(await _socket(errand, target, ways, until), target, until)
    try:
        needed = target.role == "relay"
        found = await allocate(wire, until, target.username, target.credential, needed=needed, begun=begun)
    finally:
        wire.close()
    if wire.trusted and target.role == "service" and found.seconds is None:
        return Allocation("other", detail=found.detail)
    return found


async def _socket(errand: Errand, target: Target, ways: Sequence[str] | None, until: float) -> socket.socket:
    """`ways`: the addresses; None: through the proxy. Raises Unanswered."""
    try:
        if ways is None:
            return await connect(errand, target.host, target.port, until)
        return await reach(errand.link, ways, target.port, until)
    except DialError as error:
        raise Unanswered(*DIALLED[error.kind]) from None


async def _stream(sock: socket.socket, target: Target, until: float) -> Stream:
    """On the connection, with TLS if that is wanted. Raises Unanswered."""
    if target.transport == "tcp":
        return Stream(*await asyncio.open_connection(sock=sock), trusted=False)
    try:
        made = await secure(sock, trust.context(), target.host, until)
    except ssl.SSLCertVerificationError as error:
        raise _distrusted(error) from None
    except OSError as error:
        raise _unsecured(error) from None
    return Stream(made.reader, made.writer, trusted=True)


def _distrusted(error: ssl.SSLCertVerificationError) -> Unanswered:
    if error.verify_code in trust.NOT_NOW:
        return Unanswered("certificate", "not valid now")
    return Unanswered("intercepted", "wrong name" if error.verify_code in trust.WRONG_NAME else "untrusted certificate")


def _unsecured(error: OSError) -> Unanswered:
    reason = why(error)
    if reason == "silence":
        return Unanswered("silent", "during the TLS handshake")
    return Unanswered("closed" if reason == "cut off" else "intercepted", reason)

"""dns: does each name server of this link answer, and how fast?

Each is asked the same few rounds of questions, spread over some seconds, by the link's own device and address. A round
asks what a browser would, for both kinds of address at once, and takes as long as its slowest answer. The first round
may be slow because the name server itself must ask: the median of three does not mind.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from statistics import median
from typing import TYPE_CHECKING

from probes import own_traffic
from probes.links.binding import BindingError, bound_socket
from probes.session import Draft, Failures, ProbeFailure, Session, measuring

if TYPE_CHECKING:
    from dns.message import Message, QueryMessage

    from probes.own_traffic import Account
    from reports.record import Link

PORT = 53
ROUNDS, LONGEST_GAP_S = 3, 1.0
DEADLINE_S = 3.0  # for one answer; a stub resolver asks again, or another server, after 1 to 5 s
LARGEST = 65535
LONGEST_NAME = 254  # with its last dot (RFC 1035, section 2.3.4)
LOOKUP, FAILED = "dns_lookup_seconds", "dns_failed_ratio"
FAILURES: Failures = {}


@dataclass(frozen=True, slots=True)
class Question:
    """A name (with the dot at its end) and a record type."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Answer:
    """`seconds` is None when none came in time; then `rcode` is "". `addresses`: of the type that was asked for."""

    seconds: float | None = None
    rcode: str = ""
    addresses: tuple[str, ...] = ()


Round = tuple[Answer, ...]  # one answer for each question, all asked at the same moment


async def probe(session: Session) -> Draft:
    """Ask every name server of the link; at most LONGEST_GAP_S * (ROUNDS - 1) + DEADLINE_S."""
    with measuring("dns", session, FAILURES) as m:
        try:
            link, servers = _servers(session)
            m.facts["resolvers"] = len(servers)
            warm_up()
        except BaseException:
            m.unknown |= dict.fromkeys((LOOKUP, FAILED), "no name server could be asked")
            session.start.leave()
            raise
        start_ns = await session.start.together()
        await asyncio.sleep((start_ns - time.monotonic_ns()) / 1e9)
        with own_traffic.account(link) as account:
            rounds = await _ask_all(session, link, servers, account)
        _fill(m, rounds)
        if not m.facts["answered"]:
            raise ProbeFailure("interrupted" if session.stop.is_set() else "dns_timeout")
    return m


# ---- whom, and what ---------------------------------------------------------------------------------------------


def _servers(session: Session) -> tuple[Link, list[str]]:
    """Raises ProbeFailure: there is none to ask."""
    link = session.link
    if link is None or not link.resolvers:
        raise ProbeFailure("dns_no_resolver")
    if not link.usable:
        raise ProbeFailure("link_no_address")
    if not (servers := askable(link)):
        raise ProbeFailure("dns_no_resolver", "none that can be asked by this link")
    return link, servers


def askable(link: Link) -> list[str]:
    """Those name servers of the link that can be asked by it: it has an address of the same family."""
    own = [ip_address(a) for a in link.addresses]
    inside = any(a.is_loopback for a in own)
    wanted = [r for r in link.resolvers if ip_address(r.partition("%")[0]).is_loopback == inside]
    return [r for r in wanted if ip_address(r.partition("%")[0]).version in {a.version for a in own}]


def questions(host: str) -> tuple[Question, ...]:
    """Both kinds of address of the room; when it has no name, the root's servers, which every resolver knows."""
    name = host.encode("idna").decode("ascii").rstrip(".") + "."
    with contextlib.suppress(ValueError):
        ip_address(host.partition("%")[0])
        name = ""
    if not 1 < len(name) <= LONGEST_NAME:
        return (Question(".", "NS"),)
    return Question(name, "A"), Question(name, "AAAA")


# ---- asking -----------------------------------------------------------------------------------------------------


def warm_up() -> None:
    """Pay for the imports before anything is timed; the records' own classes are imported when first met."""
    import dns.message
    import dns.rdtypes.IN.A
    import dns.rdtypes.IN.AAAA  # noqa: F401


async def _ask_all(session: Session, link: Link, servers: Sequence[str], account: Account) -> list[list[Round]]:
    """Per server its rounds, as far as they came before somebody asked to stop."""
    asked = questions(session.room.host)
    done: list[list[Round]] = [[] for _ in servers]
    gap = min(LONGEST_GAP_S, session.seconds / ROUNDS)
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_round(link, server, asked, account, i * gap, into))
            for server, into in zip(servers, done, strict=True)
            for i in range(ROUNDS)
        ]
        stopper = group.create_task(_cancel_on(session.stop, tasks))
        await asyncio.wait(tasks)
        stopper.cancel()
    return done


async def _cancel_on(stop: asyncio.Event, tasks: Sequence[asyncio.Task[None]]) -> None:
    await stop.wait()
    for task in tasks:
        task.cancel()


async def _round(
    link: Link, server: str, asked: Sequence[Question], account: Account, wait: float, into: list[Round]
) -> None:
    await asyncio.sleep(wait)
    into.append(tuple(await asyncio.gather(*(ask(link, server, question, account) for question in asked))))


async def ask(
    link: Link, server: str, question: Question, account: Account | None = None, seconds: float | None = None
) -> Answer:
    """One question to one server by one link (RFC 1035; UDP). No answer within DEADLINE_S is an answer too."""
    import dns.message
    import dns.rcode

    query = dns.message.make_query(question.name, question.type)
    account = account or own_traffic.Account()
    try:
        with _socket(link, server) as sock:
            async with asyncio.timeout(DEADLINE_S if seconds is None else seconds):
                begun = time.monotonic()
                said = await _exchange(sock, query, account)
                took = time.monotonic() - begun
                return Answer(took, dns.rcode.to_text(said.rcode()), _addresses(said, question))
    except (TimeoutError, BindingError, OSError):  # silence, or nobody there
        return Answer()


def _socket(link: Link, server: str) -> socket.socket:
    """Connected, so that only this server's answers come; on a port of its own, which strangers must guess."""
    bare = server.partition("%")[0]
    address = ip_address(bare)
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    sock = bound_socket(link, family, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        scope = socket.if_nametoindex(link.name) if address.is_link_local and address.version == 6 else 0
        sock.connect((bare, PORT, 0, scope) if address.version == 6 else (bare, PORT))
    except OSError:
        sock.close()
        raise
    return sock


async def _exchange(sock: socket.socket, query: QueryMessage, account: Account) -> Message:
    """Send it and wait for the answer to it; whatever else comes is passed over."""
    import dns.exception
    import dns.message

    loop, overhead, wire = asyncio.get_running_loop(), own_traffic.udp_overhead(sock.family), query.to_wire()
    await loop.sock_sendall(sock, wire)
    account.sent(len(wire) + overhead)
    while True:
        said = await loop.sock_recv(sock, LARGEST)
        account.received(len(said) + overhead)
        with contextlib.suppress(dns.exception.DNSException, ValueError):
            answer = dns.message.from_wire(said, continue_on_error=True)  # the end may be cut off
            if query.is_response(answer):
                return answer


def _addresses(answer: Message, question: Question) -> tuple[str, ...]:
    """The addresses at the end of the aliases, which a resolver follows itself (RFC 1034, section 5.3.1)."""
    from dns.rdatatype import RdataType

    wanted = {RdataType.A, RdataType.AAAA} & {RdataType.make(question.type)}
    return tuple(dict.fromkeys(record.address for rrset in answer.answer if rrset.rdtype in wanted for record in rrset))


# ---- what it says -----------------------------------------------------------------------------------------------


def lookup_seconds(rounds: Sequence[Round]) -> float | None:
    """The median over the rounds of the slowest answer that came; None when none did. Silence is counted elsewhere."""
    came = [[a.seconds for a in answers if a.seconds is not None] for answers in rounds]
    took = [max(seconds) for seconds in came if seconds]
    return median(took) if took else None


def _fill(m: Draft, rounds: Sequence[Sequence[Round]]) -> None:
    """`rounds` per server, the one that the system asks first at the beginning."""
    by_server = [[a for answers in server for a in answers] for server in rounds]
    every = [a for answers in by_server for a in answers]
    rcodes = {a.rcode for a in every if a.rcode}
    m.facts["answered"] = sum(any(a.seconds is not None for a in answers) for answers in by_server)
    if rcodes:
        m.facts["rcodes"] = tuple(sorted(rcodes))
    took = lookup_seconds(rounds[0])
    if took is None:
        silent = "the name server that is asked first did not answer"
        m.unknown[LOOKUP] = silent if rounds[0] else "the test was stopped before an answer came"
    else:
        m.values[LOOKUP] = took
    if every and m.facts["answered"]:
        m.values[FAILED] = sum(a.seconds is None for a in every) / len(every)
    else:
        m.unknown[FAILED] = "no name server answered" if every else m.unknown.get(LOOKUP, "the test was stopped")

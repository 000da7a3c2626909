"""One name asked of one resolver of the link, or of the system where the link has none of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from probes import dns, own_traffic
from probes.join.hosts import is_literal
from processes.aside import aside
from processes.tasks import end

if TYPE_CHECKING:
    from probes.dns import Answer, Question
    from probes.own_traffic import Account
    from reports.record import Link

TRY_S, TRIES = 0.9, 2  # one lost packet is no fault, two in a row hardly chance
_WINDOWS_HOSTS = Path(os.environ.get("SYSTEMROOT", "C:/Windows"), "System32/drivers/etc/hosts")
HOSTS_FILE = _WINDOWS_HOSTS if sys.platform == "win32" else Path("/etc/hosts")
SERVERS = 4  # the system itself asks three at most
_WITHIN = (
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"),
    *("::/127", "fc00::/7", "fe80::/10"),
)

# "empty": the name exists and has no address. "failed": the resolver says that it could not find out.
Outcome = Literal["found", "nxdomain", "empty", "failed", "silent"]


@dataclass(frozen=True, slots=True)
class Reply:
    """`addresses`: IPv6 first, as the system would try them. `seconds`: until the last answer that came."""

    outcome: Outcome
    addresses: tuple[str, ...] = ()
    seconds: float = 0.0
    rcode: str = ""

    @property
    def within(self) -> bool | None:
        """Only private addresses (True), only public ones (False), or both or none."""
        kinds = {_is_within(a) for a in self.addresses}
        return kinds.pop() if len(kinds) == 1 else None


def _is_within(address: str) -> bool:
    parsed = ip_address(address)
    return any(parsed in ip_network(net) for net in _WITHIN)


async def ask(link: Link, server: str, host: str, seconds: float, account: Account | None = None) -> Reply:
    """Both kinds of address at once; each question is asked again once. Within `seconds`."""
    if not (questions := _questions(host)):
        return Reply("nxdomain", rcode="not a name")
    until = time.monotonic() + seconds
    answers = await asyncio.gather(*(_twice(link, server, q, until, account) for q in questions))
    return read(answers)


def _questions(host: str) -> Sequence[Question]:
    with contextlib.suppress(UnicodeError):
        asked = dns.questions(host)
        return asked if asked[0].type == "A" else ()
    return ()


async def _twice(link: Link, server: str, question: Question, until: float, account: Account | None) -> Answer:
    begun = time.monotonic()
    for tries in range(TRIES, 0, -1):
        patience = min(TRY_S, (until - time.monotonic()) / tries)
        answer = await dns.ask(link, server, question, account, max(0.0, patience))
        if answer.seconds is not None:
            return dns.Answer(time.monotonic() - begun, answer.rcode, answer.addresses)
    return dns.Answer()


def read(answers: Sequence[Answer]) -> Reply:
    """What the answers to A and AAAA say together."""
    came = [a for a in answers if a.seconds is not None]
    seconds = max((a.seconds or 0.0 for a in came), default=0.0)
    addresses = tuple(dict.fromkeys(x for a in reversed(answers) for x in a.addresses))
    if addresses:
        return Reply("found", addresses, seconds, "NOERROR")
    rcodes = [a.rcode for a in came]
    if "NXDOMAIN" in rcodes:
        return Reply("nxdomain", (), seconds, "NXDOMAIN")
    if wrong := [r for r in rcodes if r != "NOERROR"]:
        return Reply("failed", (), seconds, wrong[0])
    return Reply("silent") if len(came) < len(answers) else Reply("empty", (), seconds, "NOERROR")


async def ask_system(host: str, seconds: float) -> Reply:
    """As any program would ask: the hosts file, whatever resolvers the computer has, by whatever link."""
    begun = time.monotonic()
    try:
        infos = await aside(lambda: socket.getaddrinfo(host, None, type=socket.SOCK_STREAM), seconds)
    except socket.gaierror as error:
        took = time.monotonic() - begun
        lost = error.errno in {socket.EAI_AGAIN, getattr(socket, "EAI_FAIL", None)}
        return Reply("failed" if lost else "nxdomain", (), took, "the system")
    except (OSError, UnicodeError, TimeoutError) as error:
        return Reply("nxdomain" if isinstance(error, UnicodeError) else "silent", (), time.monotonic() - begun)
    found = dict.fromkeys(str(info[4][0]) for info in infos)
    return Reply("found", tuple(found), time.monotonic() - begun, "NOERROR")


def listed(host: str) -> tuple[str, ...]:
    """What this computer's hosts file says, which is asked before any name server (hosts(5))."""
    try:
        lines = [line.partition("#")[0].split() for line in HOSTS_FILE.read_text(errors="replace").splitlines()]
    except OSError:
        return ()
    rows = [words[0] for words in lines if host.lower() in (w.lower() for w in words[1:])]
    return tuple(dict.fromkeys(address for address in rows if is_literal(address)))


async def first_addresses(link: Link, host: str, seconds: float) -> tuple[str, ...]:
    """Of the link's first resolver that finds it; the system's when it has none. () when nobody does.

    An address is its own, and a name in the hosts file is not asked for.
    """
    if known := (str(ip_address(host)),) if is_literal(host) else listed(host):
        return known
    if not (servers := dns.askable(link)[:SERVERS]):
        return (await ask_system(host, seconds)).addresses
    with own_traffic.account(link) as account:
        tasks = [asyncio.create_task(ask(link, server, host, seconds, account)) for server in servers]
        try:
            for ended in asyncio.as_completed(tasks):
                if (reply := await ended).addresses:
                    return reply.addresses
        finally:
            await end(*tasks)
    return ()

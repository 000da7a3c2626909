"""The first router: how quickly and how reliably does it answer pings, by this link?

An echo reply says that the first hop carried a packet there and back; Linux routers do not limit echo replies as they
limit errors. Other routers may, or answer when they have nothing better to do: a router that loses more than the
whole way through it is such a one, and then nothing is said of the hop.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from itertools import pairwise

from probes import icmp, timestamping
from probes.links.binding import bind_to_link
from probes.own_traffic import Account
from probes.statistics import percentile, wilson
from reports.record import Link

NO_GATEWAY = "the link has no gateway"
NOT_PERMITTED = "ICMP is not permitted to this program here"
SILENT = "the first router answers no pings"
LIMITED = "the first router limits how many pings it answers"
TOO_FEW = "too few probes"
RTT_NAMES = ("gateway_rtt_min_seconds", "gateway_rtt_p50_seconds", "gateway_rtt_p95_seconds")
LOSS_NAME = "gateway_loss_ratio"
NAMES = (*RTT_NAMES, LOSS_NAME)
PAYLOAD_BYTES = 24
LEAST_FOR_P95, LEAST_FOR_LOSS = 20, 20


@dataclass(slots=True)
class Ping:
    """Times are CLOCK_REALTIME ns; `received_ns` is 0 while there is no answer."""

    sent_ns: int
    received_ns: int = 0

    @property
    def rtt_seconds(self) -> float:
        """Only of an answered one."""
        return (self.received_ns - self.sent_ns) / 1e9


class Pinger:
    """Echo requests to one router. Not thread-safe: whoever runs it owns it."""

    def __init__(self, sock: socket.socket, *, v6: bool) -> None:
        self.sock, self._v6 = sock, v6
        self.account = Account()
        self._identifier = int.from_bytes(os.urandom(2), "big")
        self._token = os.urandom(PAYLOAD_BYTES)  # tells our answers from others' where a raw socket hears them all
        self._waiting: dict[int, Ping] = {}  # by sequence number, which wraps
        self.pings: list[Ping] = []
        self.packet_bytes = (40 if v6 else 20) + icmp.HEADER.size + PAYLOAD_BYTES
        self.kernel_stamps = timestamping.enable(sock, transmit=False)

    def send(self) -> None:
        """One request. What the system refuses to send was not sent, and is no loss."""
        number = len(self.pings) & 0xFFFF
        request = icmp.echo_request(self._identifier, number, self._token, v6=self._v6)
        ping = Ping(time.time_ns())
        try:
            self.sock.send(request)
        except OSError:
            return
        self.account.sent(self.packet_bytes)
        self._waiting[number] = ping
        self.pings.append(ping)

    def take_in(self) -> None:
        """Take every answer that waits."""
        for _ in range(256):
            try:
                packet, ancillary = icmp.receive(self.sock, 2048)
            except BlockingIOError:
                return
            except OSError:  # an ICMP error about an earlier request: it stays unanswered
                continue
            received = timestamping.received_at(ancillary) or time.time_ns()
            self._answered(icmp.read_echo_reply(packet, v6=self._v6), received)

    def _answered(self, reply: icmp.EchoReply | None, received_ns: int) -> None:
        if reply is not None and reply.payload == self._token:
            ping = self._waiting.pop(reply.sequence, None)
            if ping is not None:
                ping.received_ns = received_ns
                self.account.received(self.packet_bytes)

    @property
    def outstanding(self) -> int:
        """How many are without an answer."""
        return sum(not p.received_ns for p in self.pings)


def open_pinger(link: Link | None, *, v6: bool) -> Pinger | str:
    """A pinger of the link's gateway, of that IP version if it has one; or why there is none."""
    choices = (link.gateway_v6, link.gateway) if link and v6 else (link.gateway, link.gateway_v6) if link else ()
    gateway = next((g for g in choices if g), None)
    if link is None or gateway is None:
        return NO_GATEWAY
    try:
        return _opened(link, gateway)
    except PermissionError:
        return NOT_PERMITTED
    except OSError as error:
        return f"the first router cannot be asked: {error.strerror or 'not possible'}"


def _opened(link: Link, gateway: str) -> Pinger:
    address = ip_address(gateway.partition("%")[0])
    v6 = address.version == 6
    sock = _icmp_socket(socket.AF_INET6 if v6 else socket.AF_INET)
    try:
        sock.setblocking(False)
        bind_to_link(sock, link)
        scope = socket.if_nametoindex(link.name) if v6 and address.is_link_local else 0
        sock.connect((str(address), 0, 0, scope) if v6 else (str(address), 0))
    except OSError:
        sock.close()
        raise
    return Pinger(sock, v6=v6)


def _icmp_socket(family: socket.AddressFamily) -> socket.socket:
    """Unprivileged where the system allows that (Linux: net.ipv4.ping_group_range; macOS), else raw."""
    protocol = socket.IPPROTO_ICMPV6 if family == socket.AF_INET6 else socket.IPPROTO_ICMP
    try:
        return socket.socket(family, socket.SOCK_DGRAM, protocol)
    except OSError:
        return socket.socket(family, socket.SOCK_RAW, protocol)


def rtt_values(seconds: Sequence[float]) -> dict[str, float]:
    """The round trips' values; the 95th percentile only of as many as have one."""
    if not seconds:
        return {}
    ordered = sorted(seconds)
    found = dict(zip(RTT_NAMES, (ordered[0], percentile(ordered, 0.5), percentile(ordered, 0.95)), strict=True))
    if len(ordered) < LEAST_FOR_P95:
        del found["gateway_rtt_p95_seconds"]
    return found


def values(pings: Sequence[Ping], beyond: tuple[int, int] | None) -> tuple[dict[str, float], dict[str, str]]:
    """Values and unknowns of a router asked by ICMP.

    `beyond`: (lost, sent) of the round trips through it in the same seconds; None: not known.
    """
    answered = [p.rtt_seconds for p in pings if p.received_ns]
    if not pings:
        return {}, dict.fromkeys(NAMES, "no ping could be sent")
    if not answered:
        return {}, dict.fromkeys(NAMES, SILENT)
    found = rtt_values(answered)
    unknown = {name: TOO_FEW for name in RTT_NAMES if name not in found}
    reason = _not_loss([bool(p.received_ns) for p in pings], beyond)
    if reason:
        return found, unknown | {LOSS_NAME: reason}
    lost = len(pings) - len(answered)
    low, high = wilson(lost, len(pings))
    found |= {LOSS_NAME: lost / len(pings), f"{LOSS_NAME}_ci95_low": low, f"{LOSS_NAME}_ci95_high": high}
    return found, unknown


def _not_loss(answered: Sequence[bool], beyond: tuple[int, int] | None) -> str:
    """Why the unanswered ones say nothing of the hop; "" when they do."""
    lost = len(answered) - sum(answered)
    if len(answered) < LEAST_FOR_LOSS:
        return TOO_FEW
    if metered(answered):
        return LIMITED
    if beyond and beyond[1] and wilson(lost, len(answered))[0] > wilson(*beyond)[1]:
        return f"{LIMITED}: it left {lost} of {len(answered)} unanswered, the whole way lost {beyond[0]} of {beyond[1]}"
    return ""


def metered(answered: Sequence[bool]) -> bool:
    """Do the answers come as if counted out: after a first burst, evenly? Chance does not keep such order."""
    at = [i for i, a in enumerate(answered) if a]
    gaps = [b - a for a, b in pairwise(at)]
    first = next((i for i, gap in enumerate(gaps) if gap > 1), len(gaps))
    gaps = gaps[first:]
    return len(gaps) >= 6 and min(gaps) > 1 and max(gaps) - min(gaps) <= max(1, min(gaps) // 2)

"""The routers on the way: how many, how far, and do they answer?

How many there are, the room itself tells: its answers carry the TTL with which the packet arrived (RFC 8762, section
4.3.1). How far each is, packets tell that live just so long (see flow.py).
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network, ip_address

from probes.flow import FULL_TTL, Flow, Sent

MOST_HOPS = 30
QUICK_ROUNDS, SLOW_ROUND_NS = 3, 1_050_000_000  # Linux routers answer a burst of six, then one a second
QUICK_ROUND_NS, STEP_NS = 250_000_000, 20_000_000
_CGNAT = IPv4Network("100.64.0.0/10")  # RFC 6598


def routers(packets: Sequence[Sent]) -> int | None:
    """How many routers lie between, by the packets that arrived; None when these cannot tell."""
    short = [s.ttl for s in packets if s.purpose == "hop" and s.returned]
    seen = [FULL_TTL - s.arrived_ttl for s in packets if s.returned and s.ttl == FULL_TTL]
    counted = [n for n in seen if 0 <= n <= MOST_HOPS]
    if short:
        return min(short) - 1
    return statistics.mode(counted) if counted else None


def schedule(flow: Flow) -> Iterator[tuple[int, int]]:
    """(TTL, ns until the next) of one hop probe after the other, for ever.

    Three quick rounds over the routers, then a round a second. While it is not known how many there are: further and
    further, until the room answers.
    """
    for done in range(1_000_000):
        count = routers(flow.packets)
        ttls = range(1, (MOST_HOPS if count is None else count) + 1)
        for ttl in ttls:
            if count is None and routers(flow.packets) is not None:
                break
            yield ttl, STEP_NS
        pause = QUICK_ROUND_NS if done < QUICK_ROUNDS - 1 and count is not None else SLOW_ROUND_NS
        yield 0, max(STEP_NS, pause - len(ttls) * STEP_NS)


def describe(packets: Sequence[Sent], count: int) -> tuple[str, ...]:
    """A line for each router, such as "2: 12 ms, 8 of 8, private": median round trip, answers, kind of address."""
    return tuple(_line(ttl, [s for s in packets if s.purpose == "hop" and s.ttl == ttl]) for ttl in range(1, count + 1))


def _line(ttl: int, sent: Sequence[Sent]) -> str:
    answers = [s for s in sent if s.told is not None and s.told.kind == "time exceeded"]
    if not answers:
        return f"{ttl}: no answer, 0 of {len(sent)}"
    times = trip_seconds(answers)
    took = f"{1000 * statistics.median(times):.3g} ms, " if times else ""
    kinds = sorted({kind_of(s.told.router) for s in answers if s.told})
    return f"{ttl}: {took}{len(answers)} of {len(sent)}, {' and '.join(kinds)}"


def trip_seconds(sent: Sequence[Sent]) -> list[float]:
    """From leaving until a router's ICMP answer, of those that have one."""
    return [(s.told.received_ns - s.sent_ns) / 1e9 for s in sent if s.told and s.told.received_ns]


def kind_of(address: str) -> str:
    """What kind of address it is; never the address."""
    if not address:
        return "unknown"
    ip = ip_address(address)
    if ip.version == 4 and ip in _CGNAT:
        return "cgnat"
    return "public" if ip.is_global else "private"


def first_router(packets: Sequence[Sent]) -> list[float]:
    """Round trips to the first router, by its ICMP answers to packets of the flow."""
    return trip_seconds([s for s in packets if s.purpose == "hop" and s.ttl == 1 and s.told is not None])

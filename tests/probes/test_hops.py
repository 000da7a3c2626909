"""What the fates of a flow's packets say of the routers on its way, and when those are asked."""

from __future__ import annotations

from contextlib import closing
from itertools import islice, pairwise

import pytest

from probes import hops
from probes.flow import FULL_TTL, Flow, Sent
from probes.icmp import Told
from probes.sender import Access
from tests.probes.far import connected


def told(router: str = "10.0.0.1", quote: bytes = b"", after: float = 0.01, kind: str = "time exceeded") -> Told:
    return Told(kind, router, 0, quote, 10**18 + round(after * 1e9))  # type: ignore[arg-type]


def sent(ttl: int, *, back: bool = False, arrived: int = 255, said: Told | None = None) -> Sent:
    made = Sent(0, "steady" if ttl == FULL_TTL else "hop", ttl, 140, 10**18, told=said)
    made.received_ns, made.arrived_ttl = (10**18 + 10**7 if back else 0), arrived
    return made


ROUTERS = {
    "the room saw the TTL": ([sent(64, back=True, arrived=62)], 2),
    "none between": ([sent(64, back=True, arrived=64)], 0),
    "one of many was off": ([sent(64, back=True, arrived=n) for n in (60, 60, 59, 60)], 4),
    "the room does not see it": ([sent(64, back=True)], None),
    "it shows nonsense": ([sent(64, back=True, arrived=5), sent(64, back=True, arrived=128)], None),
    "short-lived ones arrived": ([sent(1), sent(2), sent(3, back=True), sent(4, back=True)], 2),
    "they are believed more": ([sent(64, back=True, arrived=64), sent(1), sent(2, back=True)], 1),
    "nothing came back": ([sent(64), sent(1)], None),
    "nothing was sent": ([], None),
}


@pytest.mark.parametrize(("packets", "count"), ROUTERS.values(), ids=ROUTERS)
def test_how_many_routers(packets: list[Sent], count: int | None) -> None:
    assert hops.routers(packets) == count


def test_a_line_for_each_router() -> None:
    packets = [
        *(sent(1, said=told(after=t)) for t in (0.001, 0.002, 0.0123)),
        sent(1),
        *(sent(3, said=told("100.64.3.4", after=0.0123456)) for _ in range(8)),
        sent(3, said=told(kind="unreachable")),
        sent(4, said=told("8.8.8.8")), sent(4, said=told("fd00::1")), sent(9, said=told()),
    ]  # fmt: skip
    assert hops.describe(packets, 4) == (
        "1: 2 ms, 3 of 4, private",
        "2: no answer, 0 of 0",
        "3: 12.3 ms, 8 of 9, cgnat",
        "4: 10 ms, 2 of 2, private and public",
    )


KINDS = {
    "192.168.1.1": "private", "10.0.0.1": "private", "169.254.0.1": "private", "100.127.255.1": "cgnat",
    "100.128.0.1": "public", "193.0.0.1": "public", "fe80::1": "private", "fd00::1": "private",
    "2a00::1": "public", "": "unknown",
}  # fmt: skip


@pytest.mark.parametrize(("address", "kind"), KINDS.items())
def test_kinds_of_addresses(address: str, kind: str) -> None:
    assert hops.kind_of(address) == kind


class TestSchedule:
    """Driven by hand, as the walker does."""

    def seconds(self, flow: Flow, steps: int) -> list[tuple[float, int]]:
        at, found = 0.0, []
        for ttl, pause in islice(hops.schedule(flow), steps):
            if ttl:
                found.append((at, ttl))
            at += pause / 1e9
        return found

    def test_three_quick_rounds_and_then_one_a_second(self) -> None:
        with closing(connected(9)) as sock:
            flow = Flow(sock, Access(follow_up=False))
            flow.packets = [sent(64, back=True, arrived=62)]
            times = [at for at, ttl in self.seconds(flow, 40) if ttl == 2]
        assert [ttl for _, ttl in self.seconds(flow, 6)] == [1, 2, 1, 2]
        gaps = [b - a for a, b in pairwise(times)]
        assert all(0.1 < gap < 0.5 for gap in gaps[:2])
        assert all(1 < gap < 1.2 for gap in gaps[2:])
        assert len(gaps) > 6

    def test_further_and_further_until_the_room_answers(self) -> None:
        with closing(connected(9)) as sock:
            flow = Flow(sock, Access(follow_up=False))
            ttls = []
            for ttl, _ in islice(hops.schedule(flow), 12):
                ttls.append(ttl)
                if ttl == 5:
                    flow.packets.append(sent(4, back=True))
        assert ttls[:5] == [1, 2, 3, 4, 5]
        assert ttls[5:9] == [0, 1, 2, 3]

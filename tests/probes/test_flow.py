"""The flow against a real reflector, and errors that look for their packet."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from probes import flow as flows
from probes.flow import FULL_TTL, Flow, Sent
from probes.icmp import Told
from probes.roundtrip import Fates
from probes.sender import Access
from tests.probes.far import Far, connected


@pytest.fixture
def far() -> Iterator[Far]:
    made = Far()
    yield made
    made.reflector.close()


def listen(flow: Flow, packets: int, seconds: float = 2.0) -> None:
    end = time.monotonic() + seconds
    while sum(s.returned for s in flow.packets) < packets and time.monotonic() < end:
        flow.take_in()


@pytest.mark.parametrize("plain", [False, True])
def test_packets_come_back_and_are_told_apart(far: Far, plain: bool) -> None:
    issued, access = far.session()
    with closing(connected(far.port)) as sock:
        flow = Flow(sock, Access(follow_up=False) if plain else access)
        assert flow.send("steady")
        assert flow.send("hop", ttl=3)
        assert flow.send("size", 1400)
        listen(flow, 3)
    steady, hop, size = flow.packets
    assert [s.returned for s in flow.packets] == [True] * 3
    assert [s.arrived_ttl for s in flow.packets] == [64, 3, 64]
    assert (steady.size_bytes, size.size_bytes) == ((44 if plain else 112) + 28, 1400)
    assert flow.account.sent_bytes + flow.account.received_bytes == 2 * sum(s.size_bytes for s in flow.packets)
    assert flows.lost(flow.packets) == (0, 1)
    assert hop.sent_ns < hop.received_ns < hop.sent_ns + 10**9
    assert plain or issued.tally.received == 3


def test_answers_that_nobody_signed_do_not_count(far: Far) -> None:
    _, access = far.session()
    with closing(connected(far.port)) as sock:
        flow = Flow(sock, access)
        flow.send("steady")
        sock.settimeout(2)
        answer = sock.recv(2048)
        for octets in (b"", b"short", bytes(112), b"\xff" * 200, answer[:-1], answer[:111] + bytes([answer[111] ^ 1])):
            flow._record(bytearray(octets), [])
            assert flows.lost(flow.packets) == (1, 1)
        flow._record(bytearray(answer), [])
    assert flows.lost(flow.packets) == (0, 1)


def test_larger_than_the_link_is_not_sent(far: Far) -> None:
    _, access = far.session()
    with closing(connected(far.port)) as sock:
        flow = Flow(sock, access)
        assert not flow.sizes_hold or not flow.send("size", 65_530 + 28)
        assert flow.packets == []
        assert not flow.vanished
        assert flow.send("steady")


def test_a_closed_port_is_noticed_and_stops_nothing() -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with closing(connected(port)) as sock:
        flow = Flow(sock, Access(follow_up=False))
        for _ in range(30):
            assert flow.send("steady")
            flow.take_in()
    assert flows.lost(flow.packets) == (30, 30)
    assert flow.port_closed
    assert not flow.vanished
    if flow.hears_errors:
        assert flow.packets[0].told is not None
        assert flow.packets[0].told.kind == "port closed"


def test_a_socket_that_cannot_send_any_more() -> None:
    with closing(connected(9)) as sock:
        flow = Flow(sock, Access(follow_up=False))
        sock.shutdown(socket.SHUT_WR)
        for _ in range(20):
            flow.send("steady")
    assert flow.packets == []


# ---- errors and reports ----------------------------------------------------------------------------------------------


def told(quote: bytes) -> Told:
    return Told("time exceeded", "10.0.0.1", 0, quote, 10**18)


def test_errors_find_their_packet() -> None:
    with closing(connected(9)) as sock:
        flow = Flow(sock, Access(follow_up=False))
        now = time.time_ns()
        flow.packets = [Sent(i, "hop", i + 1, 72, now) for i in range(3)]
        flow._heard(told(quote=(1).to_bytes(4, "big") + b"rest"))
        flow._heard(told(quote=(77).to_bytes(4, "big")))
        flow._heard(told(quote=b""))  # of two that it may be, neither
        assert [s.told is not None for s in flow.packets] == [False, True, False]
        flow.packets[0].received_ns = 1
        flow._heard(told(quote=b""))
        assert flow.packets[2].told is not None
        flow._heard(Told("too big", "10.0.0.1", 1400, b"", 0))
        flow._heard(Told("too big", "10.0.0.1", 1450, b"", 0))
        assert flow.told_mtu_bytes == 1400


def test_who_reached_the_room() -> None:
    report = Fates(1, 0, 0, 0, b"\x01")
    packets = [Sent(0, "size", FULL_TTL, 72, 1), Sent(1, "size", FULL_TTL, 72, 1)]
    assert [flows.reached(s, report) for s in packets] == [True, False]
    assert [flows.reached(s, None) for s in packets] == [None, None]
    packets[1].received_ns = 5
    assert [flows.reached(s, None) for s in packets] == [None, True]

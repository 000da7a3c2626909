"""Every kind of port gives the same answers."""

import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from testroom.datagrams import BATCH, SLOT_BYTES, Port, open_port
from tests.testroom.client import has_ipv6

FAMILIES = [
    (socket.AF_INET, "127.0.0.1"),
    pytest.param((socket.AF_INET6, "::1"), marks=pytest.mark.skipif(not has_ipv6(), reason="no IPv6 here")),
]


@pytest.fixture(params=FAMILIES, ids=["v4", "v6"])
def port(request: pytest.FixtureRequest, port_kind: str) -> Iterator[Port]:
    family, host = request.param
    opened = open_port(host, 0, family)
    assert type(opened).__name__.lower().startswith(port_kind)
    yield opened
    opened.sock.close()


@pytest.fixture
def peer(port: Port) -> Iterator[socket.socket]:
    with socket.socket(port.sock.family, socket.SOCK_DGRAM) as sock:
        sock.settimeout(2)
        sock.connect(port.sock.getsockname()[:2])
        yield sock


def test_nothing_waits(port: Port) -> None:
    assert port.receive() == 0
    assert port.flush() == 0
    assert list(port.transmitted()) == []


def test_a_datagram_comes_as_it_was_sent(port: Port, peer: socket.socket) -> None:
    before = time.time_ns()
    peer.send(b"hello")
    assert port.receive() == 1
    assert bytes(port.datagram(0)) == b"hello"
    received_ns, ttl = port.arrival(0)
    assert before - 1_000_000 <= received_ns <= time.time_ns()
    assert ttl in (64, 255)
    host, number = peer.getsockname()[:2]
    assert port.address(0) == socket.inet_pton(peer.family, host) + struct.pack(">H", number)


def test_the_kernel_tells_the_ttl(port: Port, peer: socket.socket, port_kind: str) -> None:
    if port_kind == "plain":
        pytest.skip("recvfrom does not tell it")
    option = (socket.IPPROTO_IP, socket.IP_TTL)
    if peer.family == socket.AF_INET6:
        option = (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS)
    peer.setsockopt(*option, 37)
    peer.send(b"x")
    port.receive()
    assert port.arrival(0)[1] == 37


def test_an_answer_is_written_in_place_and_goes_back(port: Port, peer: socket.socket) -> None:
    peer.send(b"question")
    port.receive()
    port.arrival(0)
    port.datagram(0)[:] = b"answered"
    port.answer(0, stamp=False)
    assert port.flush() == 0
    assert peer.recv(100) == b"answered"
    assert port.flush() == 0, "sent twice"
    peer.setblocking(False)
    with pytest.raises(BlockingIOError):
        peer.recv(100)


@pytest.mark.parametrize(
    ("size", "seen"),
    [(0, 0), (1, 1), (SLOT_BYTES - 1, SLOT_BYTES - 1), (SLOT_BYTES, SLOT_BYTES), (SLOT_BYTES + 1, 0), (9000, 0)],
)
def test_a_datagram_longer_than_a_slot_counts_as_empty(port: Port, peer: socket.socket, size: int, seen: int) -> None:
    peer.send(b"x" * size)
    assert port.receive() == 1
    assert len(port.datagram(0)) == seen


def test_more_than_a_batch_is_taken_in_turns_and_answered_in_order(port: Port, peer: socket.socket) -> None:
    for number in range(BATCH + 6):
        peer.send(struct.pack(">H", number))
    for count in (BATCH, 6):
        assert port.receive() == count
        for index in range(count):
            port.arrival(index)
            if port.datagram(index)[1] % 5:  # gaps: some are left unanswered
                port.answer(index, stamp=False)
        assert port.flush() == 0
    answered = [number for number in range(BATCH + 6) if number % 5]
    assert [struct.unpack(">H", peer.recv(10))[0] for _ in answered] == answered


def test_each_answer_goes_to_its_own_sender(port: Port) -> None:
    peers = [socket.socket(port.sock.family, socket.SOCK_DGRAM) for _ in range(5)]
    for number, one in enumerate(peers):
        one.settimeout(2)
        one.connect(port.sock.getsockname()[:2])
        one.send(bytes([number]))
    assert port.receive() == 5
    for index in (3, 0, 4, 1, 2):
        port.arrival(index)
        port.answer(index, stamp=False)
    assert port.flush() == 0
    assert [one.recv(10)[0] for one in peers] == [0, 1, 2, 3, 4]
    for one in peers:
        one.close()


def test_an_answer_that_cannot_be_sent_is_counted_and_holds_up_no_other(port_kind: str) -> None:
    with_port(lambda port, peer, raw: check_failing(port, peer, raw))


def check_failing(port: Port, peer: socket.socket, raw: Callable[[], None]) -> None:
    peer.send(b"1")
    raw()
    peer.send(b"2")
    answer_all(port, 3)
    assert [peer.recv(10), peer.recv(10)] == [b"1", b"2"]


def answer_all(port: Port, count: int, failing: int = 1) -> list[int]:
    """Answer everything that waits; the identifiers of the stamps asked for."""
    assert port.receive() == count
    for index in range(count):
        port.arrival(index)
    asked = [port.answer(index, stamp=True) for index in range(count)]
    assert port.flush() == failing
    return [identifier for identifier in asked if identifier is not None]


def test_after_a_failed_answer_each_transmit_stamp_belongs_to_its_own_answer(port_kind: str) -> None:
    if port_kind == "plain":
        pytest.skip("no transmit stamps")
    with_port(check_resync)


def check_resync(port: Port, peer: socket.socket, raw: Callable[[], None]) -> None:
    if not port.kernel_stamps:
        pytest.skip("no kernel stamps here")
    for _ in range(3):
        peer.send(b"before")
        raw()
        peer.send(b"after")
        peer.send(b"and after")
        answer_all(port, 4)
        list(port.transmitted())
        for _ in range(3):
            peer.send(b"later")
            before = time.time_ns()
            (identifier,) = answer_all(port, 1, failing=0)
            (found,) = list(port.transmitted())
            assert found[0] == identifier
            assert before < found[1] < time.time_ns()


def with_port(check: Callable[[Port, socket.socket, Callable[[], None]], None]) -> None:
    """Run a check with a way to send a datagram from port 0, to which no answer can be sent."""
    try:
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
    except OSError:
        pytest.skip("raw sockets need privileges")
    port = open_port("127.0.0.1", 0, socket.AF_INET)
    number = port.sock.getsockname()[1]
    nowhere = struct.pack(">HHHH", 0, number, 9, 0) + b"0"
    with raw, port.sock, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.settimeout(2)
        peer.connect(("127.0.0.1", number))
        check(port, peer, lambda: raw.sendto(nowhere, ("127.0.0.1", 0)) and None)


def test_a_taken_port_is_an_oserror_and_leaves_no_socket(port: Port) -> None:
    host, number = port.sock.getsockname()[:2]
    with pytest.raises(OSError, match="in use"):
        open_port(host, number, port.sock.family)


@pytest.mark.skipif(sys.platform != "linux", reason="the choice is by platform")
def test_linux_gets_the_batches() -> None:
    port = open_port("127.0.0.1", 0, socket.AF_INET)
    assert type(port).__name__ == "BatchPort"
    port.sock.close()

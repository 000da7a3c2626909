"""The routed path does what it says, seen from outside: by echo requests, iperf3 and plain sockets."""

from __future__ import annotations

import errno
import os
import select
import socket
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median
from typing import Literal

import pytest

from tests.netlab.hops import Hop, Router
from tests.netlab.impairment import Way
from tests.netlab.namespaces import Namespace
from tests.netlab.router import CHECKOUT, RoutedPath, RouterFactory

pytestmark = pytest.mark.netlab

IP_MTU_DISCOVER, PROBE, ASK = 10, 3, 2  # DF set; with ASK the kernel heeds what it has learnt
IP_RECVERR = 11
GOODPUT = 1448 / 1514  # TCP with timestamps over IPv4, of Ethernet frames
WAIT = 0.4


@contextmanager
def pinger(namespace: Namespace, address: str) -> Iterator[socket.socket]:
    """An unprivileged ICMP socket."""
    with namespace.enter():
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)
    with sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        sock.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, PROBE)
        sock.connect((address, 0))
        yield sock


def echoes(sock: socket.socket, count: int, size: int = 64, interval: float = 0.0) -> list[float]:
    """Round trips in seconds of the echo requests that were answered; `size` is the IP packet's."""
    found: list[float] = []
    for number in range(count):
        sock.send(struct.pack("!BBHHHd", 8, 0, 0, 0, number % 65536, time.monotonic()).ljust(size - 20, b"."))
        found += _arrived(sock, interval)
    while len(found) < count and (more := _arrived(sock, WAIT)):
        found += more
    return found


def _arrived(sock: socket.socket, wait: float) -> list[float]:
    """The next one within `wait` seconds, if any. Raises OSError for what the path has said about a packet."""
    if not select.select([sock], [], [], wait)[0]:
        return []
    return [_round_trip(sock.recv(2048))]


def _round_trip(reply: bytes) -> float:
    return time.monotonic() - float(struct.unpack_from("!d", reply, 8)[0])


def lost(namespace: Namespace, address: str, count: int = 2000) -> float:
    with pinger(namespace, address) as sock:
        return 1 - len(echoes(sock, count)) / count


@pytest.fixture
def path(routed_path: RouterFactory) -> Iterator[RoutedPath]:
    with routed_path() as path:
        yield path


# ---- the path itself ---------------------------------------------------------------------------------------------


def test_everybody_answers_on_both_families(path: RoutedPath) -> None:
    for name in ("gateway", "operator", "room", "neighbour"):
        assert lost(path.laptop, getattr(path, f"{name}_address"), 20) == 0
        with path.laptop.enter(), socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as tcp:
            tcp.settimeout(2)
            assert tcp.connect_ex((getattr(path, f"{name}_address_v6"), 9)) == errno.ECONNREFUSED


@pytest.mark.parametrize(("ttl", "who"), [(1, "10.98.1.1"), (2, "10.98.2.2"), (3, "10.98.3.2")])
def test_each_hop_names_itself(path: RoutedPath, ttl: int, who: str) -> None:
    with path.laptop.enter():
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with udp:
        udp.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
        udp.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
        udp.sendto(b"?", (path.room_address, 33434))
        time.sleep(0.05)
        _, extra, _, _ = udp.recvmsg(64, 512, socket.MSG_ERRQUEUE)
    offender = extra[0][2][16:]  # after sock_extended_err: sockaddr_in
    assert socket.inet_ntoa(offender[4:8]) == who


def test_icmp_sockets_can_be_forbidden(path: RoutedPath) -> None:
    try:
        path.forbid_ping()
    except OSError:
        pytest.skip("a user namespace with one group cannot take it back")
    with pytest.raises(PermissionError), pinger(path.laptop, path.room_address):
        pass
    path.heal()
    assert lost(path.laptop, path.room_address, 20) == 0


def test_nothing_is_left(routed_path: RouterFactory) -> None:
    before = len(list(Path("/proc/self/fd").iterdir())), Path("/proc/self/mountinfo").read_text()
    with routed_path() as path:
        path.resolver()
    assert (len(list(Path("/proc/self/fd").iterdir())), Path("/proc/self/mountinfo").read_text()) == before


# ---- loss --------------------------------------------------------------------------------------------------------

LOSSES = [  # hop, way, to the gateway, to the operator, to the room: the round trip's loss at a share of 0.2
    ("first", "up", 0.2, 0.2, 0.2),
    ("first", "down", 0.2, 0.2, 0.2),
    ("first", "both", 0.36, 0.36, 0.36),
    ("beyond", "up", 0, 0, 0.2),
    ("beyond", "down", 0, 0, 0.2),
    ("beyond", "both", 0, 0, 0.36),
]


@pytest.mark.parametrize(("hop", "way", "gateway", "operator", "room"), LOSSES)
def test_only_what_passes_the_hop_is_lost(
    path: RoutedPath, hop: Hop, way: Way | Literal["both"], gateway: float, operator: float, room: float
) -> None:
    path.lose(hop, way, 0.2)
    for who, share in (("gateway", gateway), ("operator", operator), ("room", room)):
        assert lost(path.laptop, getattr(path, f"{who}_address")) == pytest.approx(share, abs=0.045 if share else 0)
    assert lost(path.neighbour, path.room_address) == pytest.approx(room if hop == "beyond" else 0, abs=0.045)
    path.heal()
    assert lost(path.laptop, path.room_address) == 0


def test_the_share_is_the_one_asked_for(path: RoutedPath) -> None:
    path.lose("first", "up", 0.04)
    assert lost(path.laptop, path.gateway_address, 20_000) == pytest.approx(0.04, abs=0.006)  # four deviations


# ---- rate and queue ----------------------------------------------------------------------------------------------

RATES = [("gateway", "up", 5), ("operator", "up", 50), ("operator", "down", 20), ("gateway", "down", 200)]


@pytest.mark.parametrize(("at", "way", "mbit"), RATES)
def test_iperf3_receives_the_rate(path: RoutedPath, at: Router, way: Way, mbit: float) -> None:
    path.shape(at, way, mbit, queue_bytes=round(mbit * 1e6 / 8 * 0.05) + 5000)
    ends = ("laptop", "room") if way == "up" else ("room", "laptop")
    with path.iperf(*ends, seconds=2) as transfer:
        transfer.wait()
    assert transfer.received_mbit == pytest.approx(mbit * GOODPUT, rel=0.02)


@pytest.mark.parametrize(("at", "way"), [("gateway", "up"), ("operator", "down")])
def test_the_neighbours_traffic_fills_the_shared_queue(path: RoutedPath, at: Router, way: Way) -> None:
    path.shape(at, way, 10, queue_bytes=125_000)
    ends = ("neighbour", "room") if way == "up" else ("room", "neighbour")
    with path.iperf(*ends, udp_mbit=10.5), pinger(path.laptop, path.room_address) as sock:
        time.sleep(2.5)
        waiting = path.queued_bytes(at, way)
        trips = echoes(sock, 50, interval=0.005)
        with pinger(path.laptop, path.gateway_address) as near:
            assert median(echoes(near, 20)) < 0.005
    assert waiting == pytest.approx(125_000, rel=0.05)
    assert median(trips) == pytest.approx(0.1, rel=0.05)


def test_a_removed_shape_is_gone(path: RoutedPath) -> None:
    path.shape("gateway", "up", 1)
    path.shape("gateway", "up", None)
    with path.iperf("laptop", "room", seconds=1) as transfer:
        transfer.wait()
    assert transfer.received_mbit > 300


# ---- MTU ---------------------------------------------------------------------------------------------------------


def test_a_small_mtu_that_says_so(path: RoutedPath) -> None:
    path.mtu(1300)
    assert _passes(path, 1300)
    assert not _passes(path, 1301)
    with pinger(path.laptop, path.room_address) as sock:
        sock.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, ASK)
        with pytest.raises(OSError, match="too long"):
            echoes(sock, 2, 1400, interval=0.02)
    assert _uploaded(path, 200_000) == 200_000


def test_a_small_mtu_that_says_nothing(path: RoutedPath) -> None:
    path.mtu(1300, icmp=False)
    assert _passes(path, 1300)
    with pinger(path.laptop, path.room_address) as sock:
        sock.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, ASK)
        assert echoes(sock, 2, 1400, interval=0.02) == []
    assert _uploaded(path, 200_000) == 0
    path.heal()
    assert _passes(path, 1500)
    assert _uploaded(path, 200_000) == 200_000


def _passes(path: RoutedPath, size: int) -> bool:
    with pinger(path.laptop, path.room_address) as sock, suppress(OSError):  # EMSGSIZE
        return bool(echoes(sock, 1, size))
    return False


def _uploaded(path: RoutedPath, size: int) -> int:
    """Bytes of `size` that the room has within a second."""
    with path.room.enter():
        server = socket.create_server((path.room_address, 0))
    with server, path.laptop.enter(), socket.create_connection(server.getsockname(), 2) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * size)
        client.sendall(os.urandom(size))
        far, _ = server.accept()
        with far:
            return _read(far, size)


def _read(sock: socket.socket, size: int) -> int:
    sock.settimeout(1)
    got = 0
    with suppress(TimeoutError):
        while got < size:
            got += len(sock.recv(65536))
    return got


# ---- DNS ---------------------------------------------------------------------------------------------------------

LISTING = """
import asyncio, probes.links
print(*[(k.name, *k.resolvers, k.gateway) for k in asyncio.run(probes.links.discover()) if k.is_default])
"""
ASKING = "import socket, time; t = time.monotonic(); print(socket.gethostbyname('room.test'), time.monotonic() - t)"


@pytest.mark.parametrize("delay", [0.0, 0.3])
def test_the_resolver_takes_its_time(path: RoutedPath, delay: float) -> None:
    outside = Path("/etc/resolv.conf").read_bytes()
    assert path.resolver(delay) == "10.98.2.2"
    address, took = path.laptop.run([sys.executable, "-c", ASKING], check=True).stdout.split()
    assert address == path.room_address
    assert float(took) == pytest.approx(delay, abs=0.05)
    said = path.laptop.run(["cat", "/etc/resolv.conf"]).stdout
    assert said == "nameserver 10.98.2.2\n"
    assert Path("/etc/resolv.conf").read_bytes() == outside


def test_the_program_finds_that_resolver(path: RoutedPath) -> None:
    path.resolver()
    shown = path.laptop.run([sys.executable, "-c", LISTING], cwd=CHECKOUT, check=True).stdout
    assert shown.strip() == "('laptop0', '10.98.2.2', '10.98.1.1')"

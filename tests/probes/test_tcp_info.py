import socket
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from probes import tcp_info

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="TCP_INFO as Linux has it")


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname(), timeout=5)
        other, _ = server.accept()
        other.settimeout(5)
        with client, other:
            yield client, other


@LINUX
def test_the_kernels_counts_are_those_of_the_connection(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    before = tcp_info.tcp_info(theirs)
    assert before is not None
    assert before.bytes_received == 0
    ours.sendall(b"x" * 12345)
    got = 0
    while got < 12345:
        got += len(theirs.recv(65536))
    theirs.sendall(b"y" * 77)
    assert ours.recv(100) == b"y" * 77
    sent, received = tcp_info.tcp_info(ours), tcp_info.tcp_info(theirs)
    assert sent is not None
    assert received is not None
    assert (sent.bytes_sent, sent.bytes_received, sent.bytes_retrans) == (12345, 77, 0)
    assert (received.bytes_received, received.bytes_sent) == (12345, 77)
    assert sent.bytes_acked in (12345, 12346)  # some kernels count the SYN
    assert sent.rtt_us is not None
    assert 0 < sent.rtt_us < 1_000_000
    assert sent.min_rtt_us is not None
    assert sent.min_rtt_us <= sent.rtt_us
    assert sent.busy_time_us is not None


@LINUX
def test_cubic_is_asked_for_and_what_came_of_it_is_said(pair: tuple[socket.socket, socket.socket]) -> None:
    sock, _ = pair
    offered = Path("/proc/sys/net/ipv4/tcp_available_congestion_control").read_text().split()
    before = tcp_info.congestion_control(sock)
    assert before in offered
    assert tcp_info.ask_cubic(sock) == ("cubic" if "cubic" in offered else before)


@LINUX
def test_a_connection_that_is_gone_takes_nothing(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    assert tcp_info.can_send(ours)
    theirs.shutdown(socket.SHUT_WR)
    assert ours.recv(1) == b""
    assert tcp_info.can_send(ours)
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    theirs.close()
    assert not tcp_info.can_send(ours)


def test_a_closed_socket_tells_nothing() -> None:
    sock = socket.socket()
    sock.close()
    assert (tcp_info.tcp_info(sock), tcp_info.ask_cubic(sock), tcp_info.congestion_control(sock)) == (None, "", "")


@pytest.mark.parametrize(
    ("length", "known", "unknown"),
    [
        (232, ("rtt_us", "bytes_acked", "min_rtt_us", "busy_time_us", "bytes_retrans"), ()),
        (192, ("rtt_us", "bytes_acked", "min_rtt_us", "busy_time_us"), ("bytes_sent", "bytes_retrans")),
        (104, ("rtt_us", "total_retrans"), ("bytes_acked", "min_rtt_us", "busy_time_us", "bytes_sent")),
        (40, ("lost",), ("rtt_us", "total_retrans")),
        (0, (), ("lost", "rtt_us")),
    ],
)
def test_an_older_kernel_tells_less(length: int, known: tuple[str, ...], unknown: tuple[str, ...]) -> None:
    info = tcp_info.parse(bytes([1]) * length)
    assert [getattr(info, name) is not None for name in known] == [True] * len(known)
    assert [getattr(info, name) for name in unknown] == [None] * len(unknown)


def test_no_round_trip_yet_is_not_a_round_trip_of_zero() -> None:
    raw = bytearray(232)
    struct.pack_into("=I", raw, 148, 0xFFFFFFFF)
    info = tcp_info.parse(bytes(raw))
    assert (info.rtt_us, info.min_rtt_us) == (None, None)

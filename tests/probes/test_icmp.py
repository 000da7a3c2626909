"""ICMP on the wire: golden octets, an independent implementation, and what strangers might send."""

from __future__ import annotations

import socket
import struct
import time
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import ICMP

from probes import icmp, timestamping

IPV4 = bytes.fromhex("4500001c000040004001000001010101 02020202")


def test_an_echo_request_octet_for_octet() -> None:
    # RFC 792's layout; the checksum worked out by hand: 0800 + 1234 + 0007 + 6162 = 7b9d
    assert icmp.echo_request(0x1234, 7, b"ab", v6=False).hex() == "0800" + "8462" + "1234" + "0007" + "6162"
    assert icmp.echo_request(0x1234, 7, b"ab", v6=True).hex() == "8000" + "0000" + "1234" + "0007" + "6162"


@given(st.binary(max_size=80), st.integers(0, 0xFFFF), st.integers(0, 0xFFFF))
def test_scapy_reads_the_same(payload: bytes, identifier: int, sequence: int) -> None:
    packet = ICMP(icmp.echo_request(identifier, sequence, payload, v6=False))
    assert (packet.type, packet.id, packet.seq, bytes(packet.payload)) == (8, identifier, sequence, payload)
    assert ICMP(bytes(ICMP(type=8, id=identifier, seq=sequence) / payload)).chksum == packet.chksum


@given(st.binary(max_size=60))
def test_a_checksum_makes_the_sum_nothing(data: bytes) -> None:
    whole = data + b"\0" * (len(data) % 2)
    assert icmp.checksum(whole + icmp.checksum(whole).to_bytes(2, "big")) == 0


REPLY4, REPLY6 = bytes.fromhex("0000ffff00050009") + b"me", bytes.fromhex("8100ffff00050009") + b"me"
READ = {
    "bare": (REPLY4, False, (5, 9, b"me")),
    "after the IPv4 header": (IPV4 + REPLY4, False, (5, 9, b"me")),
    "after an IPv4 header with options": (b"\x46" + IPV4[1:] + bytes(4) + REPLY4, False, (5, 9, b"me")),
    "of IPv6": (REPLY6, True, (5, 9, b"me")),
    "our own request, heard on loopback": (b"\x08" + REPLY4[1:], False, None),
    "a request of IPv6": (b"\x80" + REPLY6[1:], True, None),
    "an error": (b"\x03" + REPLY4[1:], False, None),
    "a code that replies have not": (b"\0\x01" + REPLY4[2:], False, None),
    "nothing": (b"", False, None),
    "cut in the header": (REPLY4[:7], False, None),
    "cut in the IPv4 header": (IPV4[:12], False, None),
    "no payload": (REPLY4[:8], False, (5, 9, b"")),
}


@pytest.mark.parametrize(("packet", "v6", "expected"), READ.values(), ids=READ)
def test_what_is_a_reply(packet: bytes, v6: bool, expected: tuple[int, int, bytes] | None) -> None:
    assert icmp.read_echo_reply(packet, v6=v6) == expected


@given(st.binary(max_size=120), st.booleans())
def test_no_octets_break_the_reader(packet: bytes, v6: bool) -> None:
    icmp.read_echo_reply(packet, v6=v6)


def entry(
    origin: int, type_: int, code: int, info: int, offender: bytes, *, v6: bool = False
) -> tuple[int, int, bytes]:
    data = struct.pack("=IBBBBII", 113, origin, type_, code, 0, info, 0) + offender
    return (41, 25, data) if v6 else (0, 11, data)


INET = struct.pack("=HH4s8x", socket.AF_INET, 0, socket.inet_aton("10.1.2.3"))
INET6 = struct.pack("=HHI16sI", socket.AF_INET6, 0, 0, socket.inet_pton(socket.AF_INET6, "fd00::9"), 0)
ENTRIES = {
    "time exceeded": (entry(2, 11, 0, 0, INET), ("time exceeded", "10.1.2.3", 0)),
    "reassembly took too long": (entry(2, 11, 1, 0, INET), ("other", "10.1.2.3", 0)),
    "fragmentation needed": (entry(2, 3, 4, 1400, INET), ("too big", "10.1.2.3", 1400)),
    "port unreachable": (entry(2, 3, 3, 7, INET), ("port closed", "10.1.2.3", 0)),
    "host unreachable": (entry(2, 3, 1, 0, INET), ("unreachable", "10.1.2.3", 0)),
    "IPv6: port unreachable": (entry(3, 1, 4, 0, INET6, v6=True), ("port closed", "fd00::9", 0)),
    "IPv6: hop limit": (entry(3, 3, 0, 0, INET6, v6=True), ("time exceeded", "fd00::9", 0)),
    "IPv6: packet too big": (entry(3, 2, 0, 1280, INET6, v6=True), ("too big", "fd00::9", 1280)),
    "IPv6: no route": (entry(3, 1, 0, 0, INET6, v6=True), ("unreachable", "fd00::9", 0)),
    "nobody named": (entry(2, 11, 0, 0, bytes(16)), ("time exceeded", "", 0)),
    "cut after the error": (entry(2, 11, 0, 0, b""), ("time exceeded", "", 0)),
    "the system's own: too long for the link": (entry(1, 0, 0, 1400, bytes(16)), None),
    "a transmit stamp": (entry(4, 0, 0, 0, bytes(16)), None),
    "too short": ((0, 11, b"\0" * 8), None),
}


@pytest.mark.parametrize(("message", "expected"), ENTRIES.values(), ids=ENTRIES)
def test_an_entry_of_the_error_queue(message: tuple[int, int, bytes], expected: tuple[str, str, int] | None) -> None:
    told = icmp.read_error(b"quote", [message])
    assert (told and told[:3]) == expected
    if told is not None:
        assert (told.quote, told.received_ns) == (b"quote", 0)


def test_a_closed_port_is_told_with_the_quote_and_a_stamp() -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sock:
        sock.setblocking(False)
        if not icmp.enable_errors(sock):
            pytest.skip("no error queue here")
        stamped = timestamping.enable(sock, transmit=False)
        sock.connect(("127.0.0.1", 9))
        before = time.time_ns()
        for _ in range(20):  # the kernel begins to stamp a moment after it was asked to
            sock.send(b"are you there?")
            time.sleep(0.05)
            told = list(icmp.errors(sock))
            if not stamped or told[0].received_ns:
                break
        assert [(t.kind, t.router, t.quote) for t in told] == [("port closed", "127.0.0.1", b"are you there?")]
        assert not stamped or before - 10**9 < told[0].received_ns < time.time_ns()
        assert not list(icmp.errors(sock))

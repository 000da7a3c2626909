"""A second opinion: scapy's STAMP layers read what we write, and our reflector answers what they write.

Scapy knows the unauthenticated packets (and names a TLV's flags from the wrong end, so the octet is compared); the
authenticated ones are held by the golden packets in test_stamp.py.
"""

from __future__ import annotations

import ipaddress
import socket
import time
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from probes import stamp
from testroom.limits import Limits
from testroom.reflector import Reflector
from testroom.sessions import Sessions
from tests.golden import stamp as golden


@pytest.fixture(scope="module")
def layers() -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scapy's own, of the libraries that it imports
        from scapy.contrib import stamp as scapy_stamp
    return scapy_stamp


@pytest.fixture
def port() -> Iterator[int]:
    reflector = Reflector(Sessions(Limits()), Limits(), (ipaddress.ip_network("127.0.0.0/8"),))
    try:
        yield reflector.open("127.0.0.1", 0)
    finally:
        reflector.close()


def exchange(port: int, *packets: bytes) -> list[bytes]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(2.0)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 61)
        sock.connect(("127.0.0.1", port))
        answers = []
        for packet in packets:
            sock.send(packet)
            answers.append(sock.recv(2048))
        return answers


def unix_seconds(packet: Any, *fields: str) -> list[float]:
    """Scapy keeps an NTP timestamp as the integer of its 64 bits."""
    return [packet.getfieldval(field) / 2**32 - 2_208_988_800 for field in fields]


def test_scapy_reads_our_sender(layers: ModuleType) -> None:
    buffer = stamp.template(74, authenticated=False, follow_up=True)
    stamp.write_sender(buffer, stamp.SenderPacket(7, golden.SENT_NS, 0x8A15, 0xBEEF), None, follow_up=True)
    packet = layers.STAMPSessionSenderTestUnauthenticated(bytes(buffer))
    assert (packet.seq, packet.ssid, packet.mbz) == (7, 0xBEEF, 0)
    assert unix_seconds(packet, "ts") == [1_700_000_000.5]
    estimate = packet.err_estimate
    assert (estimate.S, estimate.Z, estimate.scale, estimate.multiplier) == (1, 0, 10, 21)
    tlvs = [(int(tlv.flags), tlv.type, tlv.len, bytes(tlv.value)) for tlv in packet.tlv_objects]
    assert tlvs == [(0x80, 7, 16, bytes(16)), (0x80, 1, 6, bytes(6))]


def test_scapy_reads_our_reflector(layers: ModuleType) -> None:
    buffer = bytearray(golden.SENDER + golden.FOLLOW_UP_ASKED)
    reply = stamp.ReflectorPacket(
        9, golden.REPLIED_NS, 0x0415, 0xBEEF, golden.RECEIVED_NS, 0x01020304, golden.SENT_NS, 57
    )
    stamp.reflect_tlvs(buffer, stamp.BASE_BYTES, (8, golden.DEPARTED_NS))
    stamp.write_reflector(buffer, reply, 0x8A15, authenticated=False)
    packet = layers.STAMPSessionReflectorTestUnauthenticated(bytes(buffer))
    assert (packet.seq, packet.ssid, packet.seq_sender, packet.ttl_sender) == (9, 0xBEEF, 0x01020304, 57)
    times = unix_seconds(packet, "ts", "ts_rx", "ts_sender")
    assert times == [1_700_000_001.75, 1_700_000_001.25, 1_700_000_000.5]
    assert (packet.err_estimate.S, packet.err_estimate.scale, packet.err_estimate.multiplier) == (0, 4, 21)
    assert (packet.err_estimate_sender.S, packet.err_estimate_sender.scale) == (1, 10)
    assert (packet.mbz1, packet.mbz2) == (0, 0)
    (follow_up,) = packet.tlv_objects
    assert (int(follow_up.flags), follow_up.type, bytes(follow_up.value)) == (
        0,
        7,
        bytes([0, 0, 0, 8]) + golden.FOLLOW_UP_ANSWERED[8:],
    )


def test_our_reflector_answers_scapys_packets(layers: ModuleType, port: int) -> None:
    begun = time.time()
    questions = [
        layers.STAMPSessionSenderTestUnauthenticated(
            seq=40 + i,
            ssid=77,
            err_estimate=layers.ErrorEstimate(S=1, scale=3, multiplier=9),
            tlv_objects=[
                layers.STAMPTestTLV(flags=0x80, type=7, len=16, value=bytes(16)),
                layers.STAMPTestTLV(flags=0x80, type=240, len=2, value=b"ab"),
                layers.STAMPTestTLV(flags=0x80, type=1, len=100, value=bytes(100)),
            ],
        )
        for i in range(3)
    ]
    for i, question in enumerate(questions):
        question.fields["ts"] = (0xE8FE6F80 << 32) + 3 + i  # finer than scapy's own arithmetic
    packets = [bytes(q) for q in questions]
    answers = exchange(port, *packets)
    assert [len(a) for a in answers] == [len(p) for p in packets]
    for i, answer in enumerate(answers):
        packet = layers.STAMPSessionReflectorTestUnauthenticated(answer)
        assert (packet.seq, packet.seq_sender, packet.ssid) == (i, 40 + i, 77)
        assert packet.getfieldval("ts_sender") == (0xE8FE6F80 << 32) + 3 + i
        assert bytes(packet.err_estimate_sender) == bytes(questions[i].err_estimate)
        assert packet.ttl_sender == 61
        received, replied = unix_seconds(packet, "ts_rx", "ts")
        assert begun - 0.01 <= received <= replied <= time.time() + 0.01
        assert [int(t.flags) for t in packet.tlv_objects] == [0, 0x80, 0]
        assert bytes(packet.tlv_objects[1].value) == b"ab"
    follow_up = layers.STAMPSessionReflectorTestUnauthenticated(answers[2]).tlv_objects[0].value
    assert int.from_bytes(follow_up[:4], "big") in (0, 1)  # an earlier answer's number


def test_answers_are_counted_for_each_sender(layers: ModuleType, port: int) -> None:
    packet = bytes(layers.STAMPSessionSenderTestUnauthenticated(seq=5, ssid=1))
    other = bytes(layers.STAMPSessionSenderTestUnauthenticated(seq=5, ssid=2))
    numbers = [int.from_bytes(a[:4], "big") for a in exchange(port, packet, packet, other)]
    assert numbers == [0, 1, 0]
    assert [int.from_bytes(a[:4], "big") for a in exchange(port, packet)] == [0]  # from another port

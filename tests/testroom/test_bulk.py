"""The batch path answers as the one-by-one path does: the same packets to both, octet by octet."""

from __future__ import annotations

import ipaddress
import socket
import time
from dataclasses import dataclass

import numpy as np
import pytest

from probes import stamp
from testroom.admission import Admission
from testroom.bulk import Bulk, _to_ntp
from testroom.limits import Limits
from testroom.mmsg import BatchPort
from testroom.reflector import Reflector
from testroom.sessions import Sessions, StampSession

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
KINDS = [
    "plain",
    "plain padded",
    "signed",
    "signed with TLVs",
    "forged",
    "forged TLVs",
    "too short",
    "twice",
    "stranger",
]
CLOCKS = [slice(4, 12), slice(16, 24), slice(32, 40)]


@dataclass
class Side:
    """A reflector, and the client's socket."""

    reflector: Reflector
    session: StampSession
    sock: socket.socket


def side(*, bulk: bool, host: str) -> Side:
    sessions = Sessions(Limits())
    reflector = Reflector(sessions, Limits(), LOOPBACK, bulk=bulk)
    port = reflector.open(host, 0)
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect((host, port))
    sock.settimeout(1.0)
    session = sessions.issue("habo", host, 10, 1000)
    session.follow_up = (7, 1_700_000_000_123_456_789)
    return Side(reflector, session, sock)


def packet(kind: str, number: int, session: StampSession) -> bytes:
    signed, tlvs = "plain" not in kind, "TLVs" in kind
    size = {"plain": 44, "plain odd": 46, "plain padded": 60, "signed": 112}.get(kind, 200 if tlvs else 112)
    buffer = stamp.template(size, authenticated=signed, follow_up=tlvs)
    ssid = 9 if kind == "stranger" else session.ssid if signed else 3
    number = 5 if kind == "twice" else number
    sender = stamp.SenderPacket(number, 1_700_000_000_000_000_000 + number, 257, ssid)
    stamp.write_sender(buffer, sender, session.key if signed else None, follow_up=tlvs)
    if kind.startswith("forged"):
        buffer[130 if tlvs else 60] ^= 1
    return bytes(buffer[:30] if kind == "too short" else buffer)


def answers(side: Side, packets: list[bytes]) -> list[bytes]:
    """All at once, so that they are one batch: while the reflector's thread is held up."""
    found = []
    for one in packets:
        side.sock.send(one)
    end = time.monotonic() + 1.0
    side.sock.settimeout(0.3)
    while time.monotonic() < end:
        try:
            found.append(side.sock.recv(4096))
        except TimeoutError:
            break
    return sorted(found)


def comparable(answer: bytes) -> bytes:
    """Without what differs by time and by key: clocks, SSIDs and signatures."""
    changed = bytearray(answer)
    for part in (*CLOCKS, slice(14, 16), slice(26, 28), slice(96, 112), slice(136, 152)):
        if part.stop <= len(changed):
            changed[part] = bytes(part.stop - part.start)
    return bytes(changed)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("kind", [*KINDS, "all kinds"])
def test_both_paths_give_the_same_answers(kind: str, host: str) -> None:
    kinds = KINDS if kind == "all kinds" else [kind]
    got = []
    for bulk in (True, False):
        one = side(bulk=bulk, host=host)
        packets = [packet(kinds[n % len(kinds)], n, one.session) for n in range(60)]
        got.append(answers(one, packets))
        report = one.session.report()
        counts = one.reflector.counts
        one.reflector.close()
        one.sock.close()
        for answer in got[-1]:
            if kind in ("signed", "signed with TLVs", "twice"):
                assert stamp.base_signed(answer, one.session.key)
            if len(answer) == 200 and not answer[stamp.AUTH_BYTES] & stamp.FLAG_INTEGRITY:
                assert stamp.tlvs_signed(answer, one.session.key, 132)
        got[-1] = [sorted(map(comparable, got[-1])), report, counts.reflected, dict(counts.refused)]
    many, few = got
    assert many[1:] == few[1:]
    assert [_without_follow_up(a) for a in many[0]] == [_without_follow_up(a) for a in few[0]]


def _without_follow_up(answer: bytes) -> bytes:
    """Which departure is known depends on the moment."""
    return answer[:116] + answer[132:] if len(answer) == 200 else answer


def test_it_does_take_whole_batches() -> None:
    """Else the test above would compare the one-by-one path with itself."""
    sessions = Sessions(Limits())
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.bind(("127.0.0.1", 0))
    port = BatchPort(sock)
    bulk = Bulk(port, Admission(sessions, Limits(), LOOPBACK))
    session = sessions.issue("habo", "127.0.0.1", 10, 1000)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(sock.getsockname())
        for number in range(20):
            for kind in ("plain", "signed", "signed with TLVs", "plain odd"):
                client.send(packet(kind, number + 20 * ("TLVs" in kind), session))
        time.sleep(0.05)
        assert port.receive() == 80
        assert bulk.reflect(80) == list(range(3, 80, 4))
        assert port.flush() == 0
    sock.close()


def test_columns_of_ntp_times() -> None:
    times = [0, 1, 999_999_999, 1_700_000_000_123_456_789, 1_700_000_000_999_999_999]
    assert _to_ntp(np.array(times)).tolist() == [stamp.to_ntp(t) for t in times]

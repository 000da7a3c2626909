"""What an answer can be but should not: it is rejected and counted, and spoils no other."""

from __future__ import annotations

import random
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from probes import delay, sender, stamp
from probes.sender import Access
from probes.traffic import isochronous
from tests.probes.far import SIZE, Far, connected, run
from tests.probes.relay import relay


@pytest.fixture(scope="module")
def far() -> Iterator[Far]:
    made = Far()
    yield made
    made.reflector.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "LATEST_REPLY_S", 0.15)


def flipped(octet: int) -> Callable[[bytes], bytes]:
    return lambda packet: packet[:octet] + bytes([packet[octet] ^ 1]) + packet[octet + 1 :]


def beyond_the_plan(key: stamp.Key) -> Callable[[bytes], bytes]:
    def make(packet: bytes) -> bytes:
        forged = bytearray(packet)
        struct.pack_into(">I", forged, 48, 5000)
        stamp.sign(forged, key, stamp.AUTH_BYTES + stamp.FOLLOW_UP_BYTES)
        return bytes(forged)

    return make


def not_yet_sent(key: stamp.Key) -> Callable[[bytes], bytes]:
    def make(packet: bytes) -> bytes:
        forged = bytearray(packet)
        struct.pack_into(">I", forged, 48, 39)  # the plan's last
        stamp.sign(forged, key, stamp.AUTH_BYTES + stamp.FOLLOW_UP_BYTES)
        return bytes(forged)

    return make


def signed_with(key: stamp.Key) -> Callable[[bytes], bytes]:
    def make(packet: bytes) -> bytes:
        forged = bytearray(packet)
        stamp.sign(forged, key, stamp.AUTH_BYTES + stamp.FOLLOW_UP_BYTES)
        return bytes(forged)

    return make


def no_answers(key: stamp.Key) -> dict[str, Callable[[bytes], bytes]]:
    rng = random.Random(3)
    return {
        "nothing": lambda _: b"",
        "noise": lambda p: rng.randbytes(len(p)),
        "long noise": lambda _: rng.randbytes(9000),
        "cut in the base": lambda p: p[:111],
        "cut in the TLVs": lambda p: p[: stamp.AUTH_BYTES + stamp.FOLLOW_UP_BYTES + 19],
        "without its TLVs": lambda p: p[: stamp.AUTH_BYTES],
        "another sequence number": flipped(3),
        "another time": flipped(33),
        "another signature": flipped(111),
        "another follow-up": flipped(stamp.AUTH_BYTES + 7),
        "of another session": signed_with(stamp.Key(b"another")),
        "of a packet beyond the plan": beyond_the_plan(key),
        "of a packet not yet sent": not_yet_sent(key),
    }


NAMES = list(no_answers(stamp.Key(b"")))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_answer_is_rejected_and_counted(far: Far, name: str) -> None:
    _, access = far.session()
    assert access.key is not None
    make = no_answers(access.key)[name]
    with relay(far.port, down=lambda index, packet: [make(packet), packet] if index < 35 else [packet]) as port:
        trace = run(port, access, isochronous(0.08, 0.002, SIZE))
    assert trace.rejected == 35
    assert all(t.copies == 1 for t in trace.trips)
    assert all(0 <= r < 0.1 for r in delay.round_trips(trace.trips))


def test_replayed_answers_are_copies_and_change_nothing(far: Far) -> None:
    kept: list[bytes] = []

    def again(_: int, packet: bytes) -> list[bytes]:
        kept.append(packet)
        return [packet, kept[0]]

    with relay(far.port, down=again) as port:
        trace = run(port, far.session()[1], isochronous(0.1, 0.005, SIZE))
    assert [t.copies for t in trace.trips] == [21] + [1] * 19
    assert trace.trips[0].received_ns - trace.trips[0].sent_ns < 50_000_000
    assert [t.order for t in trace.trips] == list(range(20))


@pytest.mark.parametrize("keyed", [False, True], ids=["plain", "authenticated"])
def test_an_echo_service_is_no_reflector(far: Far, keyed: bool) -> None:
    """It sends back our own packets, which carry our own signature."""
    access = far.session()[1] if keyed else Access(follow_up=False)
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as echo:
        echo.bind(("127.0.0.1", 0))
        stop = threading.Event()
        echo.settimeout(0.05)

        def serve() -> None:
            while not stop.is_set():
                try:
                    echo.sendto(*echo.recvfrom(2048))
                except TimeoutError:
                    continue

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            trace = run(echo.getsockname()[1], access, isochronous(0.1, 0.01, SIZE))
        finally:
            stop.set()
            thread.join()
    assert trace.rejected == 10
    assert not any(t.returned for t in trace.trips)


def test_a_caller_with_a_broken_hmac_tlv_harms_no_other(far: Far) -> None:
    """Its packet is signed, so the reflector takes it; the TLV that should hold 16 octets holds none."""
    session, _ = far.session()
    packet = stamp.template(stamp.AUTH_BYTES, authenticated=True, follow_up=False)
    stamp.write_sender(packet, stamp.SenderPacket(0, 0, 1, session.ssid), session.key, follow_up=False)
    with closing(connected(far.port)) as sock:
        sock.settimeout(2)
        sock.send(bytes(packet) + bytes.fromhex("80080000"))
        answer = sock.recv(2048)
    assert len(answer) == stamp.AUTH_BYTES + 4
    assert answer[stamp.AUTH_BYTES] & stamp.FLAG_MALFORMED
    assert all(t.returned for t in run(far.port, far.session()[1], isochronous(0.05, 0.01, SIZE)).trips)

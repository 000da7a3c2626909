"""The reflector answers its sessions, over real sockets: once each, as long as asked, from where it was asked."""

import base64
import itertools
import socket
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from probes import stamp
from testroom.datagrams import BATCH, open_port
from testroom.limits import Limits
from testroom.reflector import Reflector
from testroom.sessions import Sessions
from tests.testroom.client import SIZE, Client, Room, has_ipv6, running

V6 = pytest.mark.skipif(not has_ipv6(), reason="no IPv6 here")
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the whole of 127/8, and the batches, are Linux's")


@pytest.fixture
def room(port_kind: str) -> Iterator[Room]:
    with running() as room:
        yield room


@pytest.fixture
def batches() -> Iterator[Room]:
    """A room with this platform's own kind of port."""
    with running() as room:
        if not room.reflector.kernel_stamps:
            pytest.skip("no kernel stamps here")
        yield room


@pytest.mark.parametrize(
    ("bind", "ask"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("localhost", "127.0.0.1"),
        ("", "127.0.0.1"),
        ("0.0.0.0", "127.0.0.1"),
        pytest.param("::1", "::1", marks=V6),
        pytest.param("", "::1", marks=V6),
        pytest.param("::", "::1", marks=V6),
        pytest.param("::", "127.0.0.1", marks=V6),
    ],
)
def test_answers_on_every_address_it_was_bound_to(port_kind: str, bind: str, ask: str) -> None:
    with running(bind) as room:
        client = room.client(ask)
        assert [client.ask().packet.sender_sequence for _ in range(3)] == [0, 1, 2]


@LINUX
@pytest.mark.parametrize("address", ["127.0.0.2", "127.7.7.7"])
def test_the_answer_comes_from_the_address_that_was_asked(address: str) -> None:
    """A connected socket takes answers from there only."""
    with running("") as room:
        assert room.client(address, source="127.0.0.1").ask().packet.sender_sequence == 0


def test_what_an_answer_says(room: Room) -> None:
    client = room.client()
    packets = [client.packet(), client.packet()]
    before = time.time_ns()
    replies = [client.ask(p) for p in reversed(packets)]
    assert client.session is not None
    for sequence, (packet, reply) in enumerate(zip(reversed(packets), replies, strict=True)):
        sent = stamp.read_sender(packet, authenticated=True)
        assert stamp.base_signed(bytearray(reply.octets), client.session.key)
        assert reply.packet.sequence == sequence, "the stateful reflector counts its own answers"
        assert (reply.packet.sender_sequence, reply.packet.ssid) == (sent.sequence, client.session.ssid)
        assert reply.packet.sender_timestamp_ns == pytest.approx(sent.timestamp_ns, abs=1)
        assert before - 1_000_000 < reply.packet.receive_ns <= reply.packet.timestamp_ns <= reply.arrived_ns
        assert 0 < stamp.error_seconds(reply.packet.error) < 1e-3


@pytest.mark.parametrize("size", [stamp.AUTH_BYTES, 113, 115, 116, 160, 500, 1472, 2048])
def test_an_answer_is_as_long_as_the_question(room: Room, size: int) -> None:
    client = room.client()
    assert len(client.ask(client.packet(size, follow_up=size >= 152)).octets) == size


@LINUX
def test_the_senders_ttl_is_told() -> None:
    with running() as room:
        client = room.client()
        client.sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 9)
        assert client.ask().packet.sender_ttl == 9


def test_the_tlvs_of_an_answer_are_signed(room: Room) -> None:
    client = room.client()
    assert client.session is not None
    reply = bytearray(client.ask().octets)
    hmac_at = stamp.AUTH_BYTES + stamp.FOLLOW_UP_BYTES
    assert stamp.tlvs_signed(reply, client.session.key, hmac_at)
    assert {reply[at] for at in (stamp.AUTH_BYTES, hmac_at)} == {0}, "flags"


def test_forged_tlvs_are_answered_and_marked(room: Room) -> None:
    """RFC 8972, section 4.8: the base packet is good; the TLVs come back with the flag I."""
    client = room.client()
    packet = bytearray(client.packet())
    packet[stamp.AUTH_BYTES + 6] ^= 1
    reply = client.ask(bytes(packet)).octets
    assert reply[stamp.AUTH_BYTES] & stamp.FLAG_INTEGRITY


@pytest.mark.parametrize("length", [0, 1, 15])
@pytest.mark.parametrize("padding", [0, 40])
def test_a_malformed_signature_tlv_of_a_session_breaks_nothing(room: Room, length: int, padding: int) -> None:
    client = room.client()
    packet = bytearray(client.packet(stamp.AUTH_BYTES + 4 + length + padding, follow_up=False))
    stamp.TLV_HEADER.pack_into(packet, stamp.AUTH_BYTES, 0x80, stamp.TLV_HMAC, length)
    client.sock.send(packet)
    good = client.packet()
    client.sock.send(good)
    replies = [client.receive()]
    while replies[-1].packet.sender_sequence != 1:
        replies.append(client.receive())
    assert [len(r.octets) for r in replies] in ([len(packet), SIZE], [SIZE])


def test_follow_up_tells_when_the_answer_before_truly_left(batches: Room) -> None:
    client = batches.client()
    replies = [client.ask() for _ in range(20)]
    assert replies[0].packet.follow_up is None
    for earlier, later in itertools.pairwise(replies):
        assert later.packet.follow_up is not None
        sequence, departed_ns = later.packet.follow_up
        assert sequence == earlier.packet.sequence
        assert earlier.packet.timestamp_ns < departed_ns < earlier.arrived_ns


def test_without_kernel_stamps_follow_up_stays_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    from testroom import datagrams

    monkeypatch.setattr(datagrams, "_choose", datagrams.PlainPort)
    with running() as room:
        client = room.client()
        assert [client.ask().packet.follow_up for _ in range(3)] == [None] * 3
        assert not room.reflector.kernel_stamps


def test_follow_ups_of_sessions_do_not_mix(batches: Room) -> None:
    clients = [batches.client() for _ in range(3)]
    rounds = [[client.ask() for client in clients] for _ in range(5)]
    for earlier, later in itertools.pairwise(rounds):
        for before, after in zip(earlier, later, strict=True):
            assert after.packet.follow_up is not None
            assert before.packet.timestamp_ns < after.packet.follow_up[1] < before.arrived_ns


def test_a_crowd_is_answered_whole(room: Room) -> None:
    """More than a batch at once."""
    clients = [room.client() for _ in range(3)]
    count = BATCH + 10
    for _ in range(count):
        for client in clients:
            client.sock.send(client.packet())
    for client in clients:
        replies = [client.receive() for _ in range(count)]
        assert sorted(r.packet.sender_sequence for r in replies) == list(range(count))
        assert [r.packet.sequence for r in replies] == list(range(count))
        assert not client.waiting()
        assert client.session is not None
        assert client.session.report() | {"seen": ""} == {
            "received": count, "duplicates": 0, "reordered": 0, "reflected": count, "throttled": 0, "seen": "",
            "other_transfers": 0,
        }  # fmt: skip


def test_what_the_session_saw_is_exact(room: Room) -> None:
    client = room.client()
    for sequence in (0, 3, 1, 8):
        client.ask(client.packet(sequence=sequence))
    assert client.session is not None
    report = client.session.report()
    assert base64.b64decode(str(report["seen"])) == bytes([0b00001011, 0b1])
    assert (report["received"], report["reordered"]) == (4, 1)


@LINUX
def test_stamps_that_nobody_waits_for_keep_no_thread_busy() -> None:
    """A filled error queue wakes poll() for ever: it must be emptied even when no stamp is missed."""
    port = open_port("127.0.0.1", 0, socket.AF_INET)
    reflector = Reflector(Sessions(Limits()), Limits())
    with port.sock, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.connect(port.sock.getsockname())
        peer.send(b"x")
        port.receive()
        port.arrival(0)
        port.answer(0, stamp=True)
        port.flush()
        reflector._departures[port] = {}
        reflector._serve(port)
        assert list(port.transmitted()) == []


@pytest.mark.parametrize("host", ["127.0.0.1", ""])
def test_close_ends_thread_and_sockets(port_kind: str, host: str) -> None:
    reflector = Reflector(Sessions(Limits()), Limits())
    port = reflector.open(host, 0)
    begun = time.monotonic()
    reflector.close()
    assert time.monotonic() - begun < 1
    assert "reflector" not in [t.name for t in threading.enumerate()]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", port))


@pytest.mark.parametrize("host", ["127.0.0.1", "", "192.0.2.1"])
def test_a_taken_or_foreign_address_is_an_oserror(host: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        reflector = Reflector(Sessions(Limits()), Limits())
        with pytest.raises(OSError):  # noqa: PT011 - the message is the platform's
            reflector.open(host, taken.getsockname()[1])
        reflector.close()


def test_silence_after_close() -> None:
    with running() as room:
        client = room.client()
        client.ask()
    client.sock.send(client.packet())
    with pytest.raises(ConnectionRefusedError):
        client.sock.recv(100)


def test_client_can_fail() -> None:
    """The tests' own sender: no answer is an error, so that a silent reflector fails every test above."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
        mute.bind(("127.0.0.1", 0))
        client = Client("127.0.0.1", mute.getsockname()[1], None)
        client.sock.settimeout(0.05)
        with pytest.raises(TimeoutError):
            client.ask()

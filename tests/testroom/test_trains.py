"""Replies of other lengths and numbers: what is granted, and that nobody can make an amplifier of it."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Iterator

import pytest

from probes import stamp, stamp_control
from probes.stamp_control import FLAG_NOT_AS_ASKED, SMALLEST, Control
from testroom import trains
from testroom.limits import Limits
from tests.testroom.client import Client, Reply, Room, has_ipv6, running

pytestmark = pytest.mark.usefixtures("port_kind")


@pytest.fixture
def room() -> Iterator[Room]:
    with running() as made:
        yield made


def request(client: Client, control: Control, size: int = SMALLEST, sequence: int | None = None) -> bytes:
    assert client.session is not None
    if sequence is None:
        sequence, client.next = client.next, client.next + 1
    packet = stamp_control.template(size, control)
    test = stamp.SenderPacket(sequence, time.time_ns(), 1, client.session.ssid)
    stamp_control.write(packet, test, client.session.key)
    return bytes(packet)


def answers(client: Client, packet: bytes) -> list[Reply]:
    """All answers to one packet: what has come when an ordinary packet after it is answered."""
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    client.sock.send(packet)
    last = client.packet()
    client.sock.send(last)
    found = []
    while (reply := client.receive()).packet.sender_sequence != stamp.read_sender(last, authenticated=True).sequence:
        found.append(reply)
    return found


def flags(reply: Reply) -> int:
    return reply.octets[stamp.AUTH_BYTES]


def refused(client: Client, packet: bytes) -> bool:
    """One answer, no longer than the question, that says so."""
    replies = answers(client, packet)
    return len(replies) == 1 and len(replies[0].octets) <= len(packet) and flags(replies[0]) == FLAG_NOT_AS_ASKED


def is_genuine(client: Client, reply: Reply) -> bool:
    assert client.session is not None
    octets, key = bytearray(reply.octets), client.session.key
    hmac_at = stamp.find_tlvs(octets, stamp.AUTH_BYTES)[stamp.TLV_HMAC]
    return stamp.base_signed(octets, key) and stamp.tlvs_signed(octets, key, hmac_at)


# ---- granted


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("number", [2, 4, 5, 64, trains.MOST_NUMBER])
def test_a_train(host: str, number: int) -> None:
    if ":" in host and not has_ipv6():
        pytest.skip("no IPv6 here")
    with running(host) as room:
        session = room.sessions.issue("test", host, 30, 1000)
        client = Client(host, room.port, session)
        replies = answers(client, request(client, Control(1400, number)))
        assert len(replies) == number
        assert [r.packet.sequence for r in replies] == list(range(number))
        assert {r.packet.sender_sequence for r in replies} == {0}
        assert {len(r.octets) for r in replies} == {1400}
        assert {flags(r) for r in replies} == {0}
        assert all(is_genuine(client, r) for r in replies)
        times = [r.packet.timestamp_ns for r in replies]
        assert times == sorted(times)
        assert replies[0].packet.receive_ns <= times[0]
        assert client.ask().packet.sequence == number + 1
        assert room.reflector.counts.send_failed == 0


@pytest.mark.parametrize("length", [0, SMALLEST, SMALLEST + 1, SMALLEST + 4, 500, 1400])
def test_one_reply_is_as_short_as_asked(room: Room, length: int) -> None:
    client = room.client()
    (reply,) = answers(client, request(client, Control(length, 1), 1400))
    assert len(reply.octets) == max(length, SMALLEST)
    assert (flags(reply), is_genuine(client, reply)) == (0, True)


def test_no_reply_at_all(room: Room) -> None:
    client = room.client()
    assert answers(client, request(client, Control(200, 0))) == []
    assert client.session is not None
    assert client.session.tally.received == 2


def test_a_longer_reply_holds_nothing_of_others(room: Room) -> None:
    stranger, client = room.client(), room.client()
    for _ in range(40):  # whatever slot comes next, it has held this
        assert stranger.session is not None
        stranger.sock.send(b"\xaa" * 1400)
    stranger.ask()
    (reply,) = answers(client, request(client, Control(1400, 1)))
    padding = SMALLEST + stamp.TLV_HEADER.size
    assert reply.octets[padding:] == bytes(1400 - padding)


# ---- refused


@pytest.mark.parametrize(
    "control",
    [
        Control(1400, trains.MOST_NUMBER + 1),
        Control(1400, 65535),
        Control(trains.MOST_LENGTH + 1, 2),
        Control(65535, 1),
        Control(1400, 2, interval_ns=1),
    ],
    ids=["one too many", "very many", "too long", "one very long", "with pauses"],
)
def test_more_than_is_granted_to_anybody(room: Room, control: Control) -> None:
    client = room.client()
    assert refused(client, request(client, control))
    assert room.reflector.counts.refused["train"] == 1


def test_another_address_than_the_one_that_asked_for_the_session(room: Room) -> None:
    session = room.sessions.issue("test", "127.0.0.9", 30, 1000)
    client = Client("127.0.0.1", room.port, session)
    assert refused(client, request(client, Control(1400, 2)))
    assert refused(client, request(client, Control(1400, 1)))
    assert len(answers(client, request(client, Control(SMALLEST, 1), 1400))) == 1  # less than came: to anybody
    there = Client("127.0.0.1", room.port, session, source="127.0.0.9")
    there.next = client.next
    assert len(answers(there, request(there, Control(1400, 3)))) == 3


@pytest.mark.parametrize("address", ["127.0.0.1", "::ffff:127.0.0.1"])
def test_the_address_as_a_server_may_write_it(room: Room, address: str) -> None:
    client = Client("127.0.0.1", room.port, room.sessions.issue("test", address, 30, 1000))
    assert len(answers(client, request(client, Control(200, 3)))) == 3


@pytest.mark.parametrize("address", ["", "somewhere", "::1"])
def test_an_address_that_is_none_or_another(room: Room, address: str) -> None:
    client = Client("127.0.0.1", room.port, room.sessions.issue("test", address, 30, 1000))
    assert refused(client, request(client, Control(200, 3)))


def test_never_more_than_a_session_may_have(room: Room) -> None:
    client, octets, refusals = room.client(), 0, 0
    for _ in range(60):
        replies = answers(client, request(client, Control(1400, 32)))
        octets += sum(len(r.octets) for r in replies) if len(replies) > 1 else 0
        refusals += len(replies) == 1 and flags(replies[0]) == FLAG_NOT_AS_ASKED
    assert 0.9 * trains.MOST_OCTETS < octets <= trains.MOST_OCTETS
    assert refusals == 60 - octets // (32 * 1400)


def test_the_addresss_own_rate_holds() -> None:
    with running(limits=Limits(address_packets_per_second=50)) as room:
        client = room.client()
        assert len(answers(client, request(client, Control(200, 40)))) == 40
        assert refused(client, request(client, Control(200, 40)))


def test_nothing_for_a_request_seen_before(room: Room) -> None:
    client = room.client()
    packet = request(client, Control(1400, 8))
    assert len(answers(client, packet)) == 8
    assert answers(client, packet) == []


def test_nothing_for_an_expired_session(room: Room) -> None:
    client, other = room.client(), room.client()
    assert client.session is not None
    client.session.expires_at = time.monotonic() - 1
    client.sock.send(request(client, Control(1400, 8)))
    other.ask()
    assert not client.waiting()
    assert room.reflector.counts.refused["expired"] == 1


def test_nothing_for_an_unknown_session(room: Room) -> None:
    client, other = room.client(), room.client()
    assert client.session is not None
    room.sessions.end(client.session)
    client.sock.send(request(client, Control(1400, 8)))
    other.ask()
    assert not client.waiting()


@pytest.mark.parametrize("octet", [stamp.AUTH_BYTES + 7, stamp.AUTH_BYTES + 25], ids=["the TLV", "its signature"])
def test_a_forged_tlv_changes_nothing(room: Room, octet: int) -> None:
    client = room.client()
    packet = bytearray(request(client, Control(1400, 8)))
    packet[octet] ^= 1
    (reply,) = answers(client, bytes(packet))
    assert len(reply.octets) == len(packet)
    assert flags(reply) & stamp.FLAG_INTEGRITY


def test_an_unsigned_tlv_changes_nothing(room: Room) -> None:
    client = room.client()
    packet = (
        bytearray(client.packet(stamp.AUTH_BYTES, follow_up=False))
        + stamp_control.template(SMALLEST, Control(1400, 8))[
            stamp.AUTH_BYTES : stamp.AUTH_BYTES + stamp_control.CONTROL_BYTES
        ]
    )
    (reply,) = answers(client, bytes(packet))
    assert len(reply.octets) == len(packet)
    assert flags(reply) == stamp.FLAG_UNRECOGNIZED


def test_a_tlv_that_is_too_short_is_malformed(room: Room) -> None:
    client = room.client()
    assert client.session is not None
    packet = bytearray(request(client, Control(1400, 8)))
    tlv = stamp.TLV_HEADER.pack(stamp.FLAG_UNRECOGNIZED, stamp_control.TLV_CONTROL, 8) + packet[116:124]
    packet[stamp.AUTH_BYTES :] = tlv + packet[128:]
    stamp.sign(packet, client.session.key, stamp.AUTH_BYTES + 12)
    (reply,) = answers(client, bytes(packet))
    assert (flags(reply), len(reply.octets)) == (stamp.FLAG_MALFORMED, len(packet))


def test_plain_stamp_gets_no_trains() -> None:
    with running(networks=(ipaddress.ip_network("127.0.0.0/8"),)) as room:
        client = room.client(plain=True)
        packet = bytearray(stamp.BASE_BYTES) + stamp_control.template(SMALLEST, Control(1400, 8))[stamp.AUTH_BYTES :]
        client.sock.send(packet)
        assert len(client.receive().octets) == len(packet)
        client.ask(client.packet(follow_up=False))
        assert not client.waiting()


def test_the_batch_path_leaves_such_packets_to_this_one() -> None:
    from testroom.reflector import Reflector
    from testroom.sessions import Sessions

    sessions = Sessions(Limits())
    reflector = Reflector(sessions, Limits(), bulk=True)
    client = Client("127.0.0.1", reflector.open("127.0.0.1", 0), sessions.issue("test", "127.0.0.1", 30, 1000))
    try:
        for _ in range(60):  # many at once
            client.sock.send(request(client, Control(SMALLEST, 1), 1400))
        replies = [client.receive() for _ in range(60)]
        assert {len(r.octets) for r in replies} == {SMALLEST}
        assert {flags(r) for r in replies} == {0}
        assert all(is_genuine(client, r) for r in replies)
    finally:
        reflector.close()

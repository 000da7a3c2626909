"""Whom the reflector leaves without an answer, and what it counts then."""

import ipaddress
import random
import time
from collections.abc import Callable, Iterator

import pytest

from probes import stamp
from testroom.limits import Limits
from tests.testroom.client import SIZE, Client, Room, has_ipv6, running

V6 = pytest.mark.skipif(not has_ipv6(), reason="no IPv6 here")
Bad = Callable[[Client], bytes]


@pytest.fixture
def room(port_kind: str) -> Iterator[Room]:
    with running() as room:
        yield room


def flipped(at: int) -> Bad:
    def make(client: Client) -> bytes:
        packet = bytearray(client.packet())
        packet[at] ^= 1
        return bytes(packet)

    return make


def cut(size: int) -> Bad:
    return lambda client: client.packet()[:size]


def other_key(client: Client) -> bytes:
    assert client.session is not None
    packet = bytearray(client.packet())
    stamp.sign(packet, stamp.Key(b"\0" * 32), None)
    return bytes(packet)


def plain(client: Client) -> bytes:
    return bytes(stamp.template(SIZE, authenticated=False, follow_up=False))


def replayed(client: Client) -> bytes:
    packet = client.packet()
    client.ask(packet)
    return packet


def beyond_the_last(client: Client) -> bytes:
    assert client.session is not None
    return client.packet(sequence=client.session.tally.most)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        pytest.param(lambda _: b"", "too_short", id="empty"),
        pytest.param(lambda _: b"\0", "too_short", id="one octet"),
        pytest.param(lambda _: b"GET / HTTP/1.1\r\n" * 20, "stranger", id="a web browser"),
        pytest.param(lambda _: random.Random(1).randbytes(300), "stranger", id="noise"),
        pytest.param(lambda _: bytes(SIZE), "stranger", id="zeros"),
        pytest.param(lambda _: b"\xff" * SIZE, "stranger", id="ones"),
        pytest.param(plain, "stranger", id="plain STAMP"),
        pytest.param(cut(43), "too_short", id="43 octets"),
        pytest.param(cut(44), "stranger", id="44 octets"),
        pytest.param(cut(111), "stranger", id="111 octets"),
        pytest.param(lambda client: client.packet(2049), "too_short", id="too long"),
        pytest.param(lambda client: client.packet(9000), "too_short", id="far too long"),
        pytest.param(flipped(0), "stranger", id="another sequence number"),
        pytest.param(flipped(16), "stranger", id="another time"),
        pytest.param(flipped(27), "stranger", id="another session"),
        pytest.param(flipped(95), "stranger", id="other padding"),
        pytest.param(flipped(96), "stranger", id="another signature"),
        pytest.param(flipped(111), "stranger", id="another last octet"),
        pytest.param(other_key, "stranger", id="another key"),
        pytest.param(replayed, "seen_before", id="replayed"),
        pytest.param(beyond_the_last, "seen_before", id="beyond the session's last number"),
        pytest.param(lambda client: client.packet(sequence=2**32 - 1), "seen_before", id="the greatest number"),
    ],
)
def test_silence(room: Room, bad: Bad, reason: str) -> None:
    client = room.client()
    packet = bad(client)
    assert client.is_silent_to(packet, packet)
    assert dict(room.reflector.counts.refused) == {reason: 2}
    counts = room.reflector.counts
    assert counts.received == counts.reflected + counts.refused.total()


def test_noise_of_every_kind_breaks_nothing(room: Room) -> None:
    noise = random.Random(7)
    client = room.client()
    packets = []
    for _ in range(200):
        packet = bytearray(client.packet(sequence=noise.randrange(1000)))
        for _ in range(noise.randrange(1, 9)):
            packet[noise.randrange(112)] ^= noise.randrange(1, 256)
        packets.append(bytes(packet[: noise.choice((len(packet), noise.randrange(len(packet))))]))
    assert client.is_silent_to(*packets, after=lambda: client.packet(sequence=5000))


def test_an_expired_session(room: Room) -> None:
    client, other = room.client(), room.client()
    client.ask()
    assert client.session is not None
    client.session.expires_at = time.monotonic() - 0.001
    client.sock.send(client.packet())
    other.ask()
    assert not client.waiting()
    assert dict(room.reflector.counts.refused) == {"expired": 1}


def test_an_ended_session(room: Room) -> None:
    client, other = room.client(), room.client()
    client.ask()
    assert client.session is not None
    room.sessions.end(client.session)
    client.sock.send(client.packet())
    other.ask()
    assert not client.waiting()


def test_anothers_packet_does_not_count_for_the_session(room: Room) -> None:
    client = room.client()
    assert client.is_silent_to(flipped(96)(client), after=lambda: client.packet(sequence=0))
    assert client.session is not None
    assert client.session.report()["duplicates"] == 0


def test_more_than_the_sessions_rate(room: Room) -> None:
    client, other = room.client(rate=10), room.client()
    for _ in range(60):  # 50 at once, and 12.5 a second
        client.sock.send(client.packet())
    other.ask()
    answered = 0
    while client.waiting():
        client.receive()
        answered += 1
    assert client.session is not None
    assert 50 <= answered <= 52
    assert client.session.throttled == 60 - answered == room.reflector.counts.refused["session_rate"]
    assert client.session.report()["received"] == answered, "a throttled packet is not lost, and not received either"


@pytest.mark.parametrize("is_plain", [False, True])
def test_more_than_an_addresss_rate(port_kind: str, is_plain: bool) -> None:
    networks = (ipaddress.ip_network("127.0.0.0/8"),)
    with running("0.0.0.0", Limits(address_packets_per_second=20), networks) as room:
        clients = [room.client(plain=is_plain) for _ in range(2)]
        for _ in range(20):
            for client in clients:
                client.sock.send(client.packet())
        time.sleep(0.05)
        answered = 0
        for client in clients:
            while client.waiting():
                client.receive()
                answered += 1
        assert 20 <= answered <= 23
        assert room.reflector.counts.refused["address_rate"] == 40 - answered


def test_what_an_addresss_rate_refuses_is_told_to_the_session() -> None:
    """Else the sender would take it for packets lost in the network."""
    with running(limits=Limits(address_packets_per_second=20)) as room:
        client = room.client()
        for _ in range(30):
            client.sock.send(client.packet())
        time.sleep(0.05)
        assert client.session is not None
        assert client.session.throttled == room.reflector.counts.refused["address_rate"] > 0


@pytest.mark.parametrize(
    ("network", "source", "admitted"),
    [
        ("127.0.0.0/30", "127.0.0.2", True),
        ("127.0.0.0/30", "127.0.0.4", False),
        ("127.0.0.2/32", "127.0.0.2", True),
        ("10.0.0.0/8", "127.0.0.1", False),
        ("::/0", "127.0.0.1", False),
        pytest.param("::1/128", "::1", True, marks=V6),
        pytest.param("0.0.0.0/0", "::1", False, marks=V6),
    ],
)
def test_open_stamp_admits_the_named_networks_only(port_kind: str, network: str, source: str, admitted: bool) -> None:
    host = "::1" if ":" in source else "127.0.0.1"
    with running(host, networks=(ipaddress.ip_network(network),)) as room:
        client = Client(host, room.port, None, source)
        if admitted:
            packet = client.packet(100)
            reply = client.ask(packet)
            assert (reply.packet.sender_sequence, reply.packet.sequence, len(reply.octets)) == (0, 0, 100)
            return
        client.sock.send(client.packet())
        room.client(host, source=host).ask()
        assert not client.waiting()


def test_plain_senders_are_counted_apart(port_kind: str) -> None:
    """RFC 8762, section 4.3: a stateful reflector numbers its answers in each session."""
    with running(networks=(ipaddress.ip_network("127.0.0.0/8"),)) as room:
        one, two = room.client(plain=True), room.client(plain=True)
        assert [c.ask().packet.sequence for c in (one, one, two, one, two)] == [0, 1, 0, 2, 1]


def test_a_sessions_packet_stays_authenticated_in_an_open_network(port_kind: str) -> None:
    with running(networks=(ipaddress.ip_network("127.0.0.0/8"),)) as room:
        client = room.client()
        packet = client.packet()
        reply = client.ask(packet)
        assert client.session is not None
        assert stamp.base_signed(bytearray(reply.octets), client.session.key)
        assert client.is_silent_to(packet), "a replay is no plain packet"

import pytest

from tests.netlab.fate import Fate, Transport, is_udp, read_log, transport, write_log

V4 = bytes.fromhex("4500002c00004000401100000a6300010a630002")
V4_OPTIONS = b"\x46" + V4[1:] + bytes(4)
V4_FRAGMENT = V4[:6] + b"\x00\x08" + V4[8:]
V4_ICMP = V4[:9] + b"\x01" + V4[10:]
V4_TCP = V4[:9] + b"\x06" + V4[10:]
V6 = bytes.fromhex("6000000000181140") + bytes(32)
PORTS = bytes.fromhex("03e8035e")  # 1000, 862
UDP = PORTS + bytes(4)


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        (V4 + UDP + b"stamp", Transport(17, 1000, 862, b"stamp")),
        (V4_OPTIONS + UDP + b"stamp", Transport(17, 1000, 862, b"stamp")),
        (V6 + UDP + b"stamp", Transport(17, 1000, 862, b"stamp")),
        (V4 + UDP + bytes(100), Transport(17, 1000, 862, bytes(64))),
        (V4_TCP + PORTS + bytes(16), Transport(6, 1000, 862)),
        (V4_ICMP + bytes(8), Transport(1)),
        (V4_FRAGMENT + UDP, Transport(17)),
        (V4 + UDP[:5], Transport(17)),
    ],
)
def test_transport(packet, expected):
    assert transport(packet) == expected


@pytest.mark.parametrize(("packet", "expected"), [(V4, True), (V6, True), (V4_ICMP, False), (V4_TCP, False)])
def test_is_udp(packet, expected):
    assert is_udp(packet) is expected


def test_the_log_reads_back_as_written(tmp_path):
    fates = [
        Fate("up", 0, "delivered", 10, 12, 1010, 1011, 128, 17, 1000, 862, b"\x00\xff"),
        Fate("down", 0, "lost", 20, 21, None, None, 84, 1),
    ]
    write_log(tmp_path / "log.jsonl", fates)
    assert read_log(tmp_path / "log.jsonl") == fates
    assert [p.name for p in tmp_path.iterdir()] == ["log.jsonl"]


def test_delay_is_what_the_packet_saw():
    assert Fate("up", 0, "delivered", 10, 12, 1010, 1_000_010, 1).delay_s == pytest.approx(0.001)
    assert Fate("up", 0, "lost", 10, 12, None, None, 1).delay_s is None

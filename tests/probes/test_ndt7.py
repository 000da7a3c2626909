import json

import pytest

from probes import ndt7
from probes.tcp_info import TcpInfo


def test_a_measurement_is_what_the_specification_shows() -> None:
    tcp = TcpInfo(
        busy_time_us=1, bytes_acked=2, bytes_received=3, bytes_sent=4, bytes_retrans=5, min_rtt_us=6, rtt_us=7,
        rttvar_us=8, rwnd_limited_us=9, sndbuf_limited_us=10,
    )  # fmt: skip
    text = ndt7.measurement_text("download", "server", 1234, 5678, tcp, "cubic", ("192.0.2.1:5", "[::1]:6"))
    assert json.loads(text) == {
        "AppInfo": {"ElapsedTime": 1234, "NumBytes": 5678},
        "ConnectionInfo": {"Client": "192.0.2.1:5", "Server": "[::1]:6"},
        "Origin": "server",
        "Test": "download",
        "CongestionControl": "cubic",
        "TCPInfo": {
            "BusyTime": 1, "BytesAcked": 2, "BytesReceived": 3, "BytesSent": 4, "BytesRetrans": 5, "ElapsedTime": 1234,
            "MinRTT": 6, "RTT": 7, "RTTVar": 8, "RWndLimited": 9, "SndBufLimited": 10,
        },
    }  # fmt: skip


def test_what_is_written_is_read() -> None:
    tcp = TcpInfo(rtt_us=7, bytes_retrans=0, delivery_rate=9, total_retrans=1, snd_cwnd=10)
    read = ndt7.parse_measurement(ndt7.measurement_text("upload", "client", 1, 2, tcp, "cubic"))
    assert read == ndt7.Measurement(1, 2, tcp, 1, "client", "upload", "cubic")
    assert ndt7.parse_measurement(ndt7.measurement_text("upload", "client", 0, 0)) == ndt7.Measurement(
        0, 0, None, None, "client", "upload"
    )


@pytest.mark.parametrize("text", ["", "{", "[]", "7", "null", '"x"', "[" * 100_000, "9" * 5000, "\0"])
def test_what_is_no_measurement(text: str) -> None:
    assert ndt7.parse_measurement(text) is None


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("12", 12), ("12.0", 12), ("0", 0), ("-1", None), ("1e400", None), ("NaN", None), ("true", None),
        ('"12"', None), ("null", None), ("[1]", None), (str(1 << 63), None), ("1" * 400, None),
        (str((1 << 63) - 1), (1 << 63) - 1),
    ],
)  # fmt: skip
def test_absurd_counts_are_not_known(value: str, read: int | None) -> None:
    measured = ndt7.parse_measurement(f'{{"AppInfo": {{"NumBytes": {value}}}, "TCPInfo": {{"RTT": {value}}}}}')
    assert measured is not None
    assert measured.tcp is not None
    assert (measured.num_bytes, measured.tcp.rtt_us) == (read, read)


@pytest.mark.parametrize("part", ['"AppInfo": 7', '"AppInfo": []', '"TCPInfo": "x"', '"Origin": {}', '"Test": null'])
def test_parts_of_a_wrong_kind_are_not_known(part: str) -> None:
    assert ndt7.parse_measurement(f"{{{part}}}") == ndt7.Measurement()


@pytest.mark.parametrize("word", ["x" * 17, "cu bic", "<b>", "å", ""])
def test_names_that_are_none_are_not_repeated(word: str) -> None:
    measured = ndt7.parse_measurement(json.dumps({"CongestionControl": word, "Origin": "bbr_2"}))
    assert measured == ndt7.Measurement(origin="bbr_2")


@pytest.mark.parametrize(
    ("size", "sent", "then"),
    [
        (8192, 0, 8192),
        (8192, 16 * 8192 - 1, 8192),
        (8192, 16 * 8192, 16384),
        (1 << 19, 1 << 23, 1 << 20),
        (1 << 20, 1 << 40, 1 << 20),
    ],
)
def test_messages_grow_with_what_has_been_sent(size: int, sent: int, then: int) -> None:
    assert ndt7.message_size(size, sent) == then

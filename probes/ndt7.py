"""The ndt7 protocol (M-Lab, ndt7-protocol.md v0.9): constants, how messages grow, and measurement messages.

A measurement is a JSON object in a text frame. Times are µs since the transfer began, sizes bytes. `CongestionControl`
is an addition of ours, beside the specified keys; receivers ignore keys that they do not know.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal

from probes.tcp_info import TcpInfo

SUBPROTOCOL = "net.measurementlab.ndt.v7"
DOWNLOAD_PATH, UPLOAD_PATH = "/ndt/v7/download", "/ndt/v7/upload"
MEASUREMENT_INTERVAL_S = 0.25  # on average
LONGEST_S, HARD_LIMIT_S = 10.0, 13.0  # a sender's time; after the second either end just closes
FIRST_MESSAGE, MOST_MESSAGE = 1 << 13, 1 << 20  # what is sent; the specification allows up to 1 << 24
MOST_RECEIVED = 1 << 24
_GROWTH = 16  # a message is doubled when it is at most this part of what has been sent

Test = Literal["download", "upload"]
Origin = Literal["client", "server"]

_TCP_KEYS = {
    "BusyTime": "busy_time_us",
    "BytesAcked": "bytes_acked",
    "BytesReceived": "bytes_received",
    "BytesSent": "bytes_sent",
    "BytesRetrans": "bytes_retrans",
    "MinRTT": "min_rtt_us",
    "RTT": "rtt_us",
    "RTTVar": "rttvar_us",
    "RWndLimited": "rwnd_limited_us",
    "SndBufLimited": "sndbuf_limited_us",
    "DeliveryRate": "delivery_rate",
    "TotalRetrans": "total_retrans",
    "SndCwnd": "snd_cwnd",
}


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one end has seen so far. None, or empty: it did not say.

    `num_bytes`: payload of binary messages, sent or received by `origin` in `elapsed_us`. `tcp` was read at
    `tcp_elapsed_us`, from the kernel of `origin`.
    """

    elapsed_us: int | None = None
    num_bytes: int | None = None
    tcp: TcpInfo | None = None
    tcp_elapsed_us: int | None = None
    origin: str = ""
    test: str = ""
    congestion_control: str = ""


def message_size(size: int, sent: int) -> int:
    """The size of the next binary message when the last had `size` and `sent` bytes have gone in all."""
    return size * 2 if size < MOST_MESSAGE and size <= sent // _GROWTH else size


def measurement_text(
    test: Test,
    origin: Origin,
    elapsed_us: int,
    num_bytes: int,
    tcp: TcpInfo | None = None,
    congestion_control: str = "",
    connection: tuple[str, str] | None = None,
) -> str:
    """A measurement message. `connection`: client's and server's address and port, which a server tells once."""
    message: dict[str, Any] = {
        "AppInfo": {"ElapsedTime": elapsed_us, "NumBytes": num_bytes},
        "Origin": origin,
        "Test": test,
    }
    if tcp is not None:
        known = asdict(tcp)
        values = {key: known[name] for key, name in _TCP_KEYS.items() if known[name] is not None}
        message["TCPInfo"] = values | {"ElapsedTime": elapsed_us}
    if congestion_control:
        message["CongestionControl"] = congestion_control
    if connection is not None:
        message["ConnectionInfo"] = {"Client": connection[0], "Server": connection[1]}
    return json.dumps(message, separators=(",", ":"))


def parse_measurement(text: str) -> Measurement | None:
    """Read a measurement; what is missing or absurd in it is not known. None: it is not a measurement at all."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict):
        return None
    app, tcp = _object(message.get("AppInfo")), _object(message.get("TCPInfo"))
    return Measurement(
        elapsed_us=_whole(app.get("ElapsedTime")),
        num_bytes=_whole(app.get("NumBytes")),
        tcp=TcpInfo(**{name: _whole(tcp.get(key)) for key, name in _TCP_KEYS.items()}) if tcp else None,
        tcp_elapsed_us=_whole(tcp.get("ElapsedTime")),
        origin=_word(message.get("Origin")),
        test=_word(message.get("Test")),
        congestion_control=_word(message.get("CongestionControl")),
    )


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _whole(value: Any) -> int | None:
    """A count that fits into 63 bits; numbers may come as 12.0 from programs that know no integers."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value < 1 << 63 else None  # not a number and infinity are neither


def _word(value: Any) -> str:
    """A short plain name, as congestion controls and tests have; anything else is not repeated."""
    plain = isinstance(value, str) and len(value) <= 16 and value.isascii() and value.replace("_", "").isalnum()
    return value if plain else ""

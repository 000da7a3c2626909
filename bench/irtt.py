"""irtt's server and client as they come with Debian, and as much of its protocol as a flooder needs."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench.processes import BenchError, Spawn, cpu_shares, ended
from probes.delay import Transit

MAGIC = bytes((0x14, 0xA7, 0x5B))
OPEN, REPLY, CLOSE = 1, 2, 4  # flags
LEAST_BYTES = 60  # an echo reply's header with counts and both clocks' times
COUNT_AT = 16  # in a reply: packets received by the server, little-endian
PORT = 22112


def require() -> str:
    """The program's path. BenchError: it is not installed."""
    path = shutil.which("irtt")
    if path is None:
        raise BenchError("irtt is not installed: apt-get install irtt")
    return path


@contextmanager
def server(spawn: Spawn, host: str) -> Iterator[subprocess.Popen[bytes]]:
    """irtt's server on PORT without its limits of interval and length."""
    command = [require(), "server", "-b", f"{host}:{PORT}", "-i", "0", "-l", "0"]
    with ended(spawn(command, stdout=subprocess.DEVNULL)) as child:
        time.sleep(0.3)
        if child.poll() is not None:
            raise BenchError(f"irtt's server did not start: is port {PORT} taken?")
        yield child


def client(
    spawn: Spawn, host: str, interval: float, seconds: float, size: int, server_pid: int
) -> tuple[dict[str, Any], list[float]]:
    """Its JSON report, and the CPU shares of client and server. It keeps its default timer."""
    command = [require(), "client", "-i", f"{interval * 1e6:.0f}us", "-d", f"{seconds * 1e3:.0f}ms", "-l", str(size)]
    command += ["-Q", "--wait=1s", "-o", "-", f"{host}:{PORT}"]
    with ended(spawn(command, stdout=subprocess.PIPE)) as child:
        cpu = cpu_shares([child.pid, server_pid], seconds)
        try:
            out, _ = child.communicate(timeout=seconds + 10)
        except subprocess.TimeoutExpired:
            raise BenchError("irtt's client did not end in time") from None
    try:
        report: dict[str, Any] = json.loads(out)
    except ValueError:
        raise BenchError("irtt's client gave no report") from None
    return report, cpu


def returned(report: dict[str, Any]) -> list[dict[str, Any]]:
    """The round trips that came back, in order of sending."""
    return [t for t in report["round_trips"] if t["lost"] == "false"]


def transits(report: dict[str, Any], way: str) -> list[Transit]:
    """One-way delays as irtt reports them (round_trips[].delay.send or .receive: its wall clocks, in ns)."""
    end = "server" if way == "send" else "client"
    trips = returned(report)
    arrivals = {t["seqno"]: t["timestamps"][end]["receive"]["monotonic"] for t in trips}
    order = {number: i for i, number in enumerate(sorted(arrivals, key=arrivals.__getitem__))}
    sent = {t["seqno"]: t["timestamps"]["client"]["send"]["wall"] for t in trips}
    return [Transit(n := t["seqno"], order[n], sent[n], t["delay"][way]) for t in trips]


def open_session(sock: socket.socket, size: int) -> bytes:
    """Ask a server over a connected socket for a connection with its client's default statistics; its token."""
    hour, least = 3_600_000_000_000, 1000
    wanted = ((1, 1), (2, hour), (3, least), (4, size), (5, 3), (6, 3), (7, 3))
    request = MAGIC + bytes([OPEN]) + b"".join(_varint(k) + _varint(v << 1) for k, v in wanted)
    sock.settimeout(1.0)
    for _ in range(3):
        sock.send(request)
        try:
            reply = sock.recv(2048)
        except OSError:
            continue
        if reply[:3] == MAGIC and reply[3] & (OPEN | REPLY) == OPEN | REPLY and len(reply) >= 12:
            return reply[4:12]
    raise BenchError("irtt's server gave no connection")


def close_session(sock: socket.socket, token: bytes) -> None:
    """Tell the server that the connection is over."""
    sock.send(MAGIC + bytes([CLOSE]) + token)


def _varint(value: int) -> bytes:
    """Seven bits an octet, the lowest first."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def echo_requests(token: bytes, count: int, size: int) -> bytearray:
    """`count` requests one after the other, numbered from 0."""
    rest = bytes(max(size, LEAST_BYTES) - 16)
    head = MAGIC + b"\0" + token
    return bytearray(b"".join(head + n.to_bytes(4, "little") + rest for n in range(count)))

"""scripts/bench throughput: our ndt7 client and room on loopback, plain and TLS, one core each, beside iperf3."""

from __future__ import annotations

import argparse
import json
import shutil
import socket
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from typing import NamedTuple

from bench.processes import BenchError, Helper, cpu_seconds, ended, helper, pinned, popen, run
from bench.table import Row, print_table, verdict

SERVER_CORE, CLIENT_CORE = 0, 1
SKIP_S = 1.0  # slow start and the growth of buffers are left out, for all alike
IPERF = "iperf3"
WAYS = {"down": "download", "up": "upload"}


class Ours(NamedTuple):
    """A pair of ours, and what it should reach in Gbit/s."""

    name: str
    tls: bool
    target: float


PAIRS = (Ours("ours, ws (plain)", False, 4.0), Ours("ours, wss (TLS)", True, 2.5))


class Run(NamedTuple):
    """One transfer: Gbit/s by the receiver's count; shares of one core of client and server."""

    gbit: float
    client: float
    server: float


Found = dict[tuple[str, str], list[Run]]


@contextmanager
def _iperf_server() -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    if shutil.which(IPERF) is None:
        raise BenchError("iperf3 is not installed: apt-get install iperf3")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    quiet = subprocess.DEVNULL
    with ended(popen([IPERF, "-s", "-B", "127.0.0.1", "-p", str(port)], stdout=quiet, stderr=quiet)) as child:
        time.sleep(0.3)
        if child.poll() is not None:
            raise BenchError("iperf3's server did not start")
        yield child, port


def _measure_iperf(way: str, port: int, server: int, seconds: float) -> Run:
    command = [IPERF, "-c", "127.0.0.1", "-p", str(port), "-J", "-t", f"{seconds:.0f}", "-O", f"{SKIP_S:.0f}"]
    began, before = time.monotonic(), cpu_seconds(server)
    with ended(popen(command + ["-R"] * (way == "down"), stdout=subprocess.PIPE)) as child:
        try:
            out, _ = child.communicate(timeout=seconds + 15)
        except subprocess.TimeoutExpired:
            raise BenchError("iperf3's client did not end in time") from None
    took, used = time.monotonic() - began, cpu_seconds(server) - before
    try:
        end = json.loads(out)["end"]
        gbit = end["sum_received"]["bits_per_second"] / 1e9
        return Run(gbit, end["cpu_utilization_percent"]["host_total"] / 100, used / took)
    except (ValueError, KeyError):
        raise BenchError("iperf3's client gave no report") from None


def _measure_ours(way: str, pair: Ours, room: tuple[Helper, dict[str, str]], client: Helper, seconds: float) -> Run:
    process, ports = room
    pids = (client.process.pid, process.process.pid)
    began, before = time.monotonic(), [cpu_seconds(p) for p in pids]
    said = client.ask(
        {
            "way": way,
            "port": ports["port"] if pair.tls else ports["plain_port"],
            "fingerprint": ports["fingerprint"] if pair.tls else None,
            "seconds": seconds + SKIP_S,
            "skip": SKIP_S,
        },
        timeout=seconds + 25,
    )
    took = time.monotonic() - began
    if "error" in said:
        raise BenchError(f"{pair.name}, {WAYS[way]}: {said['error']}")
    used = [(cpu_seconds(p) - b) / took for p, b in zip(pids, before, strict=True)]
    return Run(said["bits_per_second"] / 1e9, *used)


def _rounds(rounds: int, seconds: float) -> Found:
    """Every kind in both directions, one value a round, interleaved."""
    found: Found = defaultdict(list)
    with pinned(SERVER_CORE), helper(popen, "ndt7_room_process") as room, _iperf_server() as (server, port):
        ports = room.ask({})
        with pinned(CLIENT_CORE), helper(popen, "ndt7_client_process") as client:
            for _ in range(rounds):
                for way in WAYS:
                    found[IPERF, way].append(_measure_iperf(way, port, server.pid, seconds))
                    for pair in PAIRS:
                        found[pair.name, way].append(_measure_ours(way, pair, (room, ports), client, seconds))
    return found


def _print(found: Found) -> None:
    rows: list[Row] = []
    for (name, way), runs in sorted(found.items(), key=lambda item: item[0][1]):
        speeds = [r.gbit for r in runs]
        middle = median(speeds)
        ratio = middle / median(r.gbit for r in found[IPERF, way])
        shares = [f"{100 * median(s):.0f}" for s in zip(*((r.client, r.server) for r in runs), strict=True)]
        rows.append((f"{WAYS[way]}, {name}", f"{middle:.2f}", f"{min(speeds):.2f}", f"{ratio:.2f}", *shares))
    print("\nGoodput on loopback in Gbit/s as the receiver counts it, each end on one core of its own; CPU in %\n")
    print_table(("", "median", "least", "/ iperf3", "client", "server"), rows)
    print()
    for pair in PAIRS:
        for way, name in WAYS.items():
            reached = median(r.gbit for r in found[pair.name, way])
            words = verdict(reached >= pair.target)
            print(f"  {pair.name}, {name}: {reached:.2f} Gbit/s (target: at least {pair.target}) {words}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench throughput", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=4, help="of each transfer, besides the first that is left out")
    options = parser.parse_args()
    if not (1 <= options.rounds <= 100 and 1 <= options.seconds <= 8):
        parser.error("--rounds is 1 to 100, --seconds 1 to 8")
    _print(_rounds(options.rounds, options.seconds))


if __name__ == "__main__":
    run(main)

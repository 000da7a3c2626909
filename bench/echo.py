"""scripts/bench echo: what our echo probe and irtt add to a path that adds next to nothing, interleaved."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from statistics import fmean, median
from typing import Any, NamedTuple

from bench import irtt
from bench.paths import PATHS, Path
from bench.processes import BenchError, Helper, helper, run
from bench.table import Row, print_table, verdict
from probes import delay
from probes.delay import Transit
from probes.roundtrip import RoundTrip, Trace
from probes.statistics import percentile

SIZE = 172  # octets of UDP payload: 160 of sound and the 12 of an RTP header
RATES = (50, 1000)


class Result(NamedTuple):
    """One run, seconds and ratios. `jitter` is the worse direction's; `cpu` in shares of one core."""

    jitter: float
    rtt_p50: float
    send_error: float
    missed: float
    cpu_client: float
    cpu_server: float


def jitter_floor(*directions: Sequence[Transit]) -> float:
    """Mean interarrival jitter (RFC 3550) of the worse direction: the same function for both programs."""
    found = [delay.interarrival_jitter(d) for d in directions]
    if None in found:
        raise BenchError("hardly a packet came back")
    return max(j.seconds for j in found if j is not None)


def measure_ours(path: Path, room: Helper, port: int, rate: int, seconds: float) -> Result:
    """An authenticated session with Follow-Up Telemetry, as the agent opens it."""
    (ssid, key) = room.ask({"issue": 1, "seconds": seconds + 2, "rate": rate})["sessions"][0]
    job = {"address": [path.host, port], "ssid": ssid, "key": key, "interval": 1 / rate, "seconds": seconds}
    with helper(path.near, "sender_process") as sender:
        answer = sender.ask(job | {"size": SIZE, "pids": [room.process.pid]}, timeout=seconds + 15)
    return _of_ours(answer, rate)


def _of_ours(answer: dict[str, Any], rate: int) -> Result:
    trips = [RoundTrip(**dict(zip(answer["fields"], t, strict=True))) for t in answer["trips"]]
    if not answer["kernel"]:
        print("bench: no kernel stamps for our sender", file=sys.stderr)
    own = delay.sender_values(Trace(trips, 0.0, answer["kernel"]), round(1e9 / rate))
    errors = [max(0, (t.scheduled_ns or t.sent_ns) - t.planned_ns) / 1e9 for t in trips if t.sent]
    jitter = jitter_floor(delay.up(trips), delay.down(trips))
    rtt = percentile(delay.round_trips(trips), 0.5)
    return Result(jitter, rtt, fmean(errors), own["sends_missed_ratio"], *answer["cpu"])


def measure_irtt(path: Path, server_pid: int, rate: int, seconds: float) -> Result:
    """irtt's client with its default timer; its one-way delays, RTT less server time, timer error and misses."""
    report, cpu = irtt.client(path.near, path.host, 1 / rate, seconds, SIZE, server_pid)
    rtts = sorted(t["delay"]["rtt"] / 1e9 for t in irtt.returned(report))
    stats, due = report["stats"], round(seconds * rate)
    missed = max(stats["timer_misses"], due - stats["packets_sent"]) / due
    jitter = jitter_floor(irtt.transits(report, "send"), irtt.transits(report, "receive"))
    return Result(jitter, percentile(rtts, 0.5), stats["timer_error"]["mean"] / 1e9, missed, cpu[0], cpu[1])


def measure(path: Path, rounds: int, seconds: float) -> dict[tuple[str, int], list[Result]]:
    """Both programs at each rate in turn, `rounds` times."""
    found: dict[tuple[str, int], list[Result]] = {(name, rate): [] for rate in RATES for name in ("ours", "irtt")}
    with irtt.server(path.far, path.host) as server, helper(path.far, "room_process") as room:
        port = room.ask({"open": path.host, "plain": False})["port"]
        for _ in range(rounds):
            for rate in RATES:
                found["ours", rate].append(measure_ours(path, room, port, rate, seconds))
                found["irtt", rate].append(measure_irtt(path, server.pid, rate, seconds))
    return found


def _medians(results: list[Result]) -> Result:
    return Result(*(median(column) for column in zip(*results, strict=True)))


_COLUMNS = (
    ("jitter floor", "µs", 1e6),
    ("RTT p50", "µs", 1e6),
    ("send error, mean", "µs", 1e6),
    ("missed sends", "%", 100),
    ("CPU client", "%", 100),
    ("CPU server", "%", 100),
)


def report(path: Path, found: dict[tuple[str, int], list[Result]]) -> None:
    """The table of medians, ratios and targets of one path."""
    middle = {key: _medians(results) for key, results in found.items()}
    rows: list[Row] = []
    for rate in RATES:
        ours, other = middle["ours", rate], middle["irtt", rate]
        for name, result in (("ours", ours), ("irtt", other)):
            cells = (f"{v * scale:.2f}" for v, (_, _, scale) in zip(result, _COLUMNS, strict=True))
            rows.append((f"{rate}/s, {name}", *cells))
        rows.append(
            (f"{rate}/s, ours / irtt", *(f"{a / b:.3f}" if b else "-" for a, b in zip(ours, other, strict=True)))
        )
    print(f"\n{path.name}\n")
    print_table(("", *(f"{name}, {unit}" for name, unit, _ in _COLUMNS)), rows)
    _print_targets(middle)


def _print_targets(middle: dict[tuple[str, int], Result]) -> None:
    print()
    for rate in RATES:
        ours, other = middle["ours", rate], middle["irtt", rate]
        _print_target(f"jitter floor at {rate}/s", ours.jitter / other.jitter, 0.1, "of irtt's")
        if rate == 1000:
            _print_target("RTT p50 at 1 ms pacing", ours.rtt_p50 / other.rtt_p50, 0.25, "of irtt's")
        _print_target(f"missed sends at {rate}/s", ours.missed, 0.01, "of the packets")


def _print_target(name: str, value: float, limit: float, of: str) -> None:
    print(f"  {name}: {value:.3f} {of} (target: at most {limit:g}) {verdict(value <= limit)}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench echo", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="of one run")
    parser.add_argument("--path", choices=sorted(PATHS), action="append", help="default: all that can be had")
    options = parser.parse_args()
    if not (1 <= options.rounds <= 100 and 1 <= options.seconds <= 60):
        parser.error("--rounds is 1 to 100, --seconds 1 to 60")
    irtt.require()
    for name in options.path or sorted(PATHS):
        if name == "veth" and not options.path and os.geteuid():
            print("\nveth: left out, it needs root or `unshare -Urnm`")
            continue
        with PATHS[name]() as path:
            report(path, measure(path, options.rounds, options.seconds))


if __name__ == "__main__":
    run(main)

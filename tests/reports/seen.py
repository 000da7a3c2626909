"""What the probes would see of a link: measurements with the counts behind their ratios, for the diagnosis's tests."""

import math
from typing import Any

from reports.diagnosis import SOURCE
from reports.record import Fact, Failure, Finding, Kind, Measurement, Verdict
from tests.reports.make import GOOD, link, verdict

ECHOES, PINGS = 660, 300  # six seconds of meeting traffic, and of fifty pings a second
Values = dict[str, float]


def wilson(lost: int, sent: int) -> tuple[float, float]:
    z, p = 1.959964, lost / sent
    half = z * math.sqrt(p * (1 - p) / sent + z * z / (4 * sent * sent))
    ends = [(p + z * z / (2 * sent) + sign * half) / (1 + z * z / sent) for sign in (-1, 1)]
    return max(0.0, min(ends[0], p)), min(1.0, max(ends[1], p))


def ratio(name: str, lost: int, sent: int) -> Values:
    low, high = wilson(lost, sent)
    return {name: lost / sent, f"{name}_ci95_low": low, f"{name}_ci95_high": high}


CALM = {
    "rtt_min_seconds": 0.012, "rtt_p50_seconds": 0.014,
    "pdv_up_p50_seconds": 0.001, "pdv_up_p95_seconds": 0.003, "pdv_down_p50_seconds": 0.001,
    "pdv_down_p95_seconds": 0.003, "ipdv_up_p50_seconds": 0.001, "ipdv_up_p95_seconds": 0.003,
    "ipdv_down_p50_seconds": 0.001, "ipdv_down_p95_seconds": 0.003, "local_queue_p95_seconds": 0.0001,
    "sends_missed_ratio": 0.0,
}  # fmt: skip


def probe(name: str, values: Values, subject: str = "eth0", failure: str | None = None, **facts: Fact) -> Measurement:
    failed = Failure(name, failure) if failure else None
    return Measurement(name, subject, 1.8e9, 6.0, values, facts, failure=failed)


def echo(up: int = 0, down: int = 0, **values: float) -> Measurement:
    loss = ratio("loss_up_ratio", up, ECHOES) | ratio("loss_down_ratio", down, ECHOES - up)
    return probe("echo", GOOD | CALM | loss | ratio("loss_ratio", up + down, ECHOES) | values)


def path(lost: int = 0, *, beyond: int = 0, hole: str = "none", rtt: float = 0.002, **values: float) -> Measurement:
    rtts = {"gateway_rtt_min_seconds": 0.001, "gateway_rtt_p50_seconds": rtt / 2, "gateway_rtt_p95_seconds": rtt}
    loss = ratio("gateway_loss_ratio", lost, PINGS) | ratio("path_loss_ratio", beyond or lost, PINGS)
    mtu = {"path_mtu_up_bytes": 1500.0, "path_mtu_down_bytes": 1500.0, "path_hops": 4.0}
    return probe("path", rtts | loss | mtu | values, mtu_black_hole=hole, gateway_asked_by="icmp")


def local(up: float = 900, down: float = 2500, busy: float = 0.2, wait: float = 0.01, **more: Any) -> Measurement:
    values = {"cpu_busy_ratio": busy, "cpu_wait_ratio": wait}
    values |= {"background_up_bytes_per_second": up, "background_down_bytes_per_second": down}
    facts = {key: more.pop(key) for key in ("vpn", "background_kind") if key in more}
    return probe("local", values | more, **{"vpn": False, **facts})


def dns(seconds: float = 0.012, failed: float = 0.0) -> Measurement:
    return probe("dns", {"dns_lookup_seconds": seconds, "dns_failed_ratio": failed})


def rates(
    up: float = 600_000, down: float = 1_200_000, *, full: bool = True, **more: float
) -> tuple[Measurement, Measurement]:
    sent = {"throughput_up_bytes_per_second": up, "throughput_down_bytes_per_second": down}
    can = {"capacity_up_bytes_per_second": 625_000.0, "capacity_down_bytes_per_second": 1_250_000.0}
    return probe("throughput", sent, saturated_up=full, saturated_down=full), probe("capacity", can | more)


def full_queue(way: str, seconds: float = 0.18) -> Values:
    """A neighbour's transfer: the wait swells and shrinks over seconds, and packets follow each other as before."""
    rtt = {"rtt_p95_seconds": 0.014 + seconds, "rtt_p50_seconds": 0.014 + seconds / 2, f"mos_{way}": 3.9}
    wait = {f"pdv_{way}_p50_seconds": seconds / 2, f"pdv_{way}_p95_seconds": seconds}
    return rtt | wait | {f"ipdv_{way}_p50_seconds": 0.003, f"ipdv_{way}_p95_seconds": 0.009}


CLEAN = (echo(), path(), local(), dns(), *rates())


def judged(found: tuple[Measurement, ...], kind: Kind = "wired", **more: Any) -> Verdict:
    return verdict(*found, links=(link(kind=kind, **more),))


def named(v: Verdict) -> list[Finding]:
    return [f for f in v.findings if f.source == SOURCE]

"""Machines as a store gives them, each with a real verdict on the values given."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from reports.readiness.rows import report
from reports.readiness.shapes import Report
from reports.record import AgentInfo, Link, Measurement, SelfTest
from reports.store.incoming import record_of
from reports.store.shapes import Latest, Past
from reports.verdict import judge
from tests.reports.make import POLICY, good, link

NOW, DAY = 1.8e9, 86400.0
THROUGHPUT = {"throughput_up_bytes_per_second": 1e6, "throughput_down_bytes_per_second": 1e6}
BAD = {"loss_up_ratio": 0.2}


def machine(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()[:32]


def self_test(
    *measurements: Measurement, links: Sequence[Link] = (), ago: float = DAY, run_id: str = "r1", chosen: str = "eth0"
) -> SelfTest:
    used = tuple(links) or (link(is_default=True),)
    found = measurements or (good(**THROUGHPUT),)
    verdict = judge(POLICY, used, found, chosen=chosen, embedded=False)
    info = AgentInfo("0.1.0", "Linux", "3.11")
    return SelfTest(run_id, NOW - ago, 30.0, info, "configured", False, used, found, verdict)


def latest(number: int = 1, test: SelfTest | None = None, **named: Any) -> Latest:
    name = {"name": f"PC-{number:04}", "unit": "Norr", "room": "Rum 1"} | named
    if test is None:
        return Latest(machine(number), **name, first_seen=None, last_seen=None)
    r = record_of("habo", machine(number), test, NOW)
    past = Past(r.run_id, r.started_at, r.received_at, r.level, r.link_kind, "agent", r.version)
    return Latest(
        machine(number), **name, first_seen=NOW, last_seen=NOW, test=past, findings=r.findings, passed=r.passed,
        action=r.action, action_params=r.action_params,
    )  # fmt: skip


def a_fleet() -> list[Latest]:
    """One of each standing, in two units and none."""
    return [
        latest(1, self_test(run_id="r1")),
        latest(2, self_test(good(**BAD), run_id="r2", ago=26 * DAY), room=""),
        latest(3, self_test(good("wlan0", **THROUGHPUT | {"loss_up_ratio": 0.01}), run_id="r3",
                            links=(link("wlan0", "wifi", is_default=True),), chosen="wlan0"), unit="Söder & Öst"),
        latest(4, self_test(run_id="r4", ago=31 * DAY), unit="Söder & Öst"),
        latest(5, name="", unit=""),
        latest(6, self_test(Measurement("echo", "eth0", NOW, 1.0), run_id="r6"), unit=""),
    ]  # fmt: skip


def a_report(machines: Sequence[Latest] | None = None, unit: str | None = None) -> Report:
    return report("Håbo kommun", unit, a_fleet() if machines is None else machines, POLICY, NOW)

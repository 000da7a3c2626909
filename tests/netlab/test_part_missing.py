"""A part of the check that cannot be had is said, and the rest of the answer still comes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.netlab.program import Result, check, room_on
from tests.netlab.router import RoutedPath, RouterFactory

pytestmark = [pytest.mark.netlab, pytest.mark.slow]

REQUIRED = {"rtt", "jitter_up", "jitter_down", "loss_up", "loss_down"}


def shaped(path: RoutedPath) -> None:
    """A good line, of a speed that this computer is not busy with."""
    path.shape("gateway", "up", 50, queue_bytes=150_000)
    path.shape("operator", "down", 50, queue_bytes=150_000)
    path.resolver()


def rules(result: Result, level: str) -> set[str]:
    return {f["rule"] for f in result.document["verdict"]["findings"] if f["level"] == level}


def failure(measurement: dict[str, Any]) -> str | None:
    return measurement["failure"]["code"] if measurement["failure"] else None


def test_a_room_without_throughput(routed_path: RouterFactory, tmp_path: Path) -> None:
    with routed_path() as path, room_on(path, tmp_path, "", "--no-throughput") as room:
        shaped(path)
        result = check(path, room, tmp_path, "--seconds", "3", "--skip", "local")
    assert failure(result.of("throughput")) == "room_test_not_offered"
    assert result.level == "ready"
    assert rules(result, "ready") >= REQUIRED | {"capacity_up", "capacity_down"}


def test_a_budget_of_nothing(routed_path: RouterFactory, tmp_path: Path) -> None:
    with routed_path() as path, room_on(path, tmp_path) as room:
        before = path.laptop.run(["cat", f"/sys/class/net/{path.laptop_device}/statistics/tx_bytes"]).stdout
        shaped(path)
        result = check(path, room, tmp_path, "--budget-mb", "0")
        after = path.laptop.run(["cat", f"/sys/class/net/{path.laptop_device}/statistics/tx_bytes"]).stdout
    assert int(after) - int(before) < 20_000
    assert {name: failure(result.of(name)) for name in ("echo", "path", "capacity", "throughput")} == dict.fromkeys(
        ("echo", "path", "capacity", "throughput"), "budget_spent"
    )
    assert "cpu_busy_ratio" in result.of("local")["values"]
    assert (result.level, result.code) == ("unknown", 30)


def test_no_gateway_and_no_pings(routed_path: RouterFactory, tmp_path: Path) -> None:
    """The room is reached by a route of its own."""
    with routed_path() as path, room_on(path, tmp_path) as room:
        shaped(path)
        for words in (
            "-6 route del default",
            "route del default",
            f"route add 10.98.0.0/16 via {path.gateway_address}",
        ):
            path.laptop.run(["ip", *words.split()], check=True)
        result = check(
            path, room, tmp_path, "--seconds", "3", "--link", path.laptop_device, "--skip", "local,throughput"
        )
    walked = result.of("path")
    assert walked["failure"] is None
    assert walked["unknown"]["gateway_loss_ratio"] == "the link has no gateway"
    assert walked["values"]["path_loss_ratio"] == 0
    assert rules(result, "ready") >= REQUIRED
    assert result.level == "ready"

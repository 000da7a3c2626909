"""The dashboards and rules as their readers see them: panels with queries, variables, alerts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "dashboards"
NAMES = ("overview", "network_quality", "equipment", "test_room")
FILLED = {"organisation": ".*", "unit": ".*", "room": ".*", "__range": "1h", "__rate_interval": "20s"}
_SERIES = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")


class Asked(NamedTuple):
    """One query of one panel."""

    dashboard: str
    panel: str
    ref: str
    expr: str


def dashboard(name: str) -> dict[str, Any]:
    return json.loads((FOLDER / "grafana" / f"{name}.json").read_text("utf-8"))


def panels(name: str) -> list[dict[str, Any]]:
    return [p for p in dashboard(name)["panels"] if p["type"] != "row"]


def queries() -> list[Asked]:
    return [
        Asked(name, panel["title"], target["refId"], target["expr"])
        for name in NAMES
        for panel in panels(name)
        for target in panel["targets"]
    ]


def filled(expr: str) -> str:
    """With everything chosen, as Grafana would send it."""
    done = re.sub(r"\$(\w+)", lambda found: FILLED[found[1]], expr)
    assert "$" not in done
    return done


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((FOLDER / "rules.yml").read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def alerts() -> list[dict[str, Any]]:
    return [rule for rule in rules() if "alert" in rule]


def series(expr: str) -> Iterator[str]:
    """The names of ours, and of what rules.yml records, in an expression."""
    without_text = re.sub(r'"[^"]*"', "", expr)
    return (word for word in _SERIES.findall(without_text) if "motesklar_" in word or ":" in word)

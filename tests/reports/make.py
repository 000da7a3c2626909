"""Records for the tests: links that look real, and measurements of the values given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reports.policy import load_policy
from reports.record import AgentInfo, Failure, Finding, Kind, Link, Measurement, SelfTest, Verdict
from reports.rules import Policy
from reports.verdict import judge

POLICY = load_policy()
GOOD = {
    "rtt_p95_seconds": 0.02,
    "jitter_up_seconds": 0.001,
    "jitter_down_seconds": 0.001,
    "loss_up_ratio": 0.0,
    "loss_down_ratio": 0.0,
    "mos_up": 4.3,
    "mos_down": 4.3,
}


def link(name: str = "eth0", kind: Kind = "wired", **more: Any) -> Link:
    base: dict[str, Any] = {
        "carrier": True,
        "addresses": ("192.0.2.7",),
        "gateway": "192.0.2.1",
        "confidence": 0.9,
        "evidence": ("a test says so",),
    }
    return Link(name=name, kind=kind, **(base | more))


def echo(subject: str = "eth0", *, name: str = "echo", failure: str | None = None, **values: float) -> Measurement:
    failed = Failure("echo", failure) if failure else None
    return Measurement(name, subject, 1.8e9, 10.0, values=values, failure=failed)


def good(subject: str = "eth0", **values: float) -> Measurement:
    return echo(subject, **(GOOD | values))


def verdict(*measurements: Measurement, links: tuple[Link, ...] | None = None, **more: Any) -> Verdict:
    args: dict[str, Any] = {"chosen": "eth0", "embedded": False, "policy": POLICY} | more
    policy: Policy = args.pop("policy")
    return judge(policy, links or (link(),), measurements, **args)


def finding(v: Verdict, rule: str, subject: str | None = None) -> Finding:
    (found,) = [f for f in v.findings if f.rule == rule and subject in (None, f.subject)]
    return found


def self_test(*measurements: Measurement, links: tuple[Link, ...] = (link(),), **more: Any) -> SelfTest:
    v = verdict(*measurements, links=links, **more)
    info = AgentInfo("0.1.0", "Linux", "3.11")
    return SelfTest("r1", 1.8e9, 10.0, info, "configured", False, links, measurements, v)


def policy_from(folder: Path, toml: str) -> Policy:
    path = folder / "mine.toml"
    path.write_text(toml, encoding="utf-8")
    return load_policy(path)
